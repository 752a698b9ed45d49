"""How an evaluation's rows were chosen: `selection` instead of `explicit`"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

evaluation = sa.table("evaluation", sa.column("selection", sa.String()), sa.column("explicit", sa.Boolean()))


def upgrade() -> None:
    # Columns are added and dropped in place; a copy of the table would lose its children's references.
    op.add_column(
        "evaluation",
        sa.Column(
            "selection",
            sa.String(20),
            nullable=False,
            server_default="content",
            comment="how the rows were chosen: first, seed S, content or picked",
        ),
    )
    op.execute(sa.update(evaluation).where(evaluation.c.explicit).values(selection="picked"))
    op.drop_column("evaluation", "explicit")


def downgrade() -> None:
    op.add_column(
        "evaluation",
        sa.Column(
            "explicit", sa.Boolean(), nullable=False, server_default=sa.true(), comment="the user named the rows"
        ),
    )
    op.execute(sa.update(evaluation).where(evaluation.c.selection == "content").values(explicit=False))
    op.drop_column("evaluation", "selection")
