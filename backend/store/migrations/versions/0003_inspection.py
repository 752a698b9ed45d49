"""A checkpoint's own list of layers, and what its weights say about pruning and parent"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both may be null, so that SQLite adds them in place; a copy of the table would lose its children's references.
    op.add_column(
        "checkpoint",
        sa.Column("layer_list", sa.JSON(), nullable=True, comment="the user's own layers of a plain Sequential"),
    )
    op.add_column(
        "checkpoint",
        sa.Column("inspection", sa.JSON(), nullable=True, comment="structure of the zeros, and the parent"),
    )


def downgrade() -> None:
    op.drop_column("checkpoint", "inspection")
    op.drop_column("checkpoint", "layer_list")
