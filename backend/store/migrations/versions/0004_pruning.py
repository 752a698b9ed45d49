"""Prunings made here, and which of them a checkpoint comes from"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pruning",
        sa.Column("name", sa.String(length=120), nullable=False, comment="of the checkpoint that it makes"),
        sa.Column("parent_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False, comment="the parent's, of the claim"),
        sa.Column("training_dataset_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(length=80), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False, comment="share of what the granularity names that goes away"),
        sa.Column("granularity", sa.String(length=10), nullable=False),
        sa.Column("schedule", sa.String(length=10), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("evaluate", sa.String(length=40), nullable=True, comment="preset of the evaluation that follows"),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False, comment="optimiser steps, as total"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("eta_seconds", sa.Double(), nullable=True),
        sa.Column(
            "attempt_number", sa.Integer(), nullable=False, comment="how often it was queued; part of the job's id"
        ),
        sa.Column("worker_id", sa.String(length=80), nullable=True, comment="who works on it; another writes nothing"),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["checkpoint.id"], name=op.f("fk_pruning_parent_id_checkpoint")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_pruning_dataset_id_dataset")),
        sa.ForeignKeyConstraint(
            ["training_dataset_id"], ["dataset.id"], name=op.f("fk_pruning_training_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"],
            ["checkpoint.id"],
            name=op.f("fk_pruning_checkpoint_id_checkpoint"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pruning")),
    )
    op.create_index(op.f("ix_pruning_parent_id"), "pruning", ["parent_id"])
    op.create_index(op.f("ix_pruning_state"), "pruning", ["state"])
    # It may be null, so that SQLite adds it in place; a copy of the table would lose its children's references.
    op.add_column(
        "checkpoint",
        sa.Column("pruning_id", sa.Uuid(), nullable=True, comment="the run that made it, of origin pruned"),
    )


def downgrade() -> None:
    op.drop_column("checkpoint", "pruning_id")
    op.drop_table("pruning")
