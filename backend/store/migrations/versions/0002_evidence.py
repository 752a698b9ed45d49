"""Evidence beside the cold core, the best-known bound of a sample, and repeats of an evaluation"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stage", sa.Integer(), nullable=False, comment="of its attempts; smaller ones are the evaluation's own run"
        ),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="whom its bounds are credited to"),
        sa.Column("source_evaluation_id", sa.Uuid(), nullable=True),
        sa.Column("indices", sa.JSON(), nullable=False, comment="rows of the data set, in the order of the work"),
        sa.Column("file", sa.String(length=80), nullable=True, comment="artefact of the uploaded adversarials"),
        sa.Column("preset", sa.String(length=40), nullable=True),
        sa.Column("budget", sa.Double(), nullable=True, comment="per sample: gradients; in all: seconds"),
        sa.Column("budget_unit", sa.String(length=10), nullable=True),
        sa.Column("spent", sa.Double(), nullable=False, comment="of the budget, in its unit"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False, comment="samples checked, or rounds of an attack made"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="of work so far"),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column(
            "attempt_number", sa.Integer(), nullable=False, comment="how often it was queued; part of the job's id"
        ),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("improved", sa.Integer(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False, comment="how many adversarials, by reason"),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_evidence_evaluation_id_evaluation"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_evaluation_id"], ["evaluation.id"], name=op.f("fk_evidence_source_evaluation_id_evaluation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("evaluation_id", "stage", name=op.f("uq_evidence_evaluation_id_stage")),
    )
    op.create_index(op.f("ix_evidence_evaluation_id"), "evidence", ["evaluation_id"])
    op.create_index(op.f("ix_evidence_source_evaluation_id"), "evidence", ["source_evaluation_id"])
    op.create_index(op.f("ix_evidence_state"), "evidence", ["state"])
    op.add_column(
        "evaluation",
        sa.Column("repeat_of", sa.Uuid(), comment="first of the evaluations that differ in the seed alone"),
    )
    op.add_column(
        "attempt", sa.Column("shard_row", sa.Integer(), comment="null in the cold core, whose result knows it")
    )
    add_bounds()


def add_bounds() -> None:
    """The best-known bound starts as the cold core's own; added in place, because a copied table would get row ids."""
    op.add_column("result", sa.Column("best_known", sa.Double(), comment="null where not found; at most the margin"))
    op.add_column("result", sa.Column("best_known_found", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("result", sa.Column("best_known_stage", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "result",
        sa.Column(
            "best_known_source",
            sa.String(length=200),
            server_default="",
            nullable=False,
            comment="attack, or who claims it",
        ),
    )
    op.execute("UPDATE result SET best_known = margin, best_known_found = found, best_known_source = attack")


def downgrade() -> None:
    for column in ("best_known_source", "best_known_stage", "best_known_found", "best_known"):
        op.drop_column("result", column)
    op.drop_column("attempt", "shard_row")
    op.drop_column("evaluation", "repeat_of")
    op.drop_table("evidence")
