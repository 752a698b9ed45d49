"""What a user deleted of what is shipped, so that the next start leaves it out"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "discarded",
        sa.Column(
            "key",
            sa.String(length=64),
            nullable=False,
            comment="id of a shipped evaluation, or SHA-256 of a shipped file",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_discarded")),
    )


def downgrade() -> None:
    op.drop_table("discarded")
