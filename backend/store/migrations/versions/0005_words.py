"""One word, one meaning: a job's stage and run number, the series of attempts, and the keys of records"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# (table, old name, new name), in an order in which no name is taken. Columns are renamed in place: a copy of `attempt`
# or `result` would get row ids, and a copy of `evaluation` would lose its children.
COLUMNS = (
    ("evidence", "stage", "series"),
    ("evidence", "step", "stage"),
    ("pruning", "step", "stage"),
    ("evaluation", "attempt_number", "run_number"),
    ("evidence", "attempt_number", "run_number"),
    ("pruning", "attempt_number", "run_number"),
    ("attempt", "stage", "series"),
    ("result", "best_known_stage", "best_known_series"),
)

COMMENTS = (
    ("attempt", "shard_row", "null in the primary run, whose result knows it"),
    ("result", "best_known_source", "attack, or an evidence's source"),
    ("evaluation", "done", "samples, rounds of an attack, or optimiser steps"),
    ("evidence", "done", "samples, rounds of an attack, or optimiser steps"),
    ("pruning", "done", "samples, rounds of an attack, or optimiser steps"),
)

Change = Callable[[dict[str, Any]], None]
"""Changes a JSON object in place."""


def rename_key(old: str, new: str, *path: str) -> Change:
    """Rename a key of the object at `path`, where both are there."""

    def change(value: dict[str, Any]) -> None:
        for name in path:
            found = value.get(name)
            if not isinstance(found, dict):
                return
            value = found
        if old in value:
            value[new] = value.pop(old)

    return change


def rename_answer(old: str, new: str) -> Change:
    """Rename an answer to whether a checkpoint was made from its parent."""

    def change(value: dict[str, Any]) -> None:
        descent = value.get("descent")
        if isinstance(descent, dict) and descent.get("answer") == old:
            descent["answer"] = new

    return change


def list_changes(*, is_back: bool) -> list[tuple[str, str, list[Change]]]:
    """(table, column, changes to its JSON), forth or back."""

    def key(old: str, new: str, *path: str) -> Change:
        return rename_key(new, old, *path) if is_back else rename_key(old, new, *path)

    answers = ("cannot tell", "unclear") if is_back else ("unclear", "cannot tell")
    return [
        ("evaluation", "record", [key("doubts", "early_flags"), key("remedies", "fallbacks", "settings")]),
        ("evaluation", "summary", [key("broken_by_remedies", "broken_by_fallbacks")]),
        ("checkpoint", "inspection", [rename_answer(*answers)]),
    ]


def rewrite(table_name: str, column_name: str, changes: list[Change]) -> None:
    """Apply the changes to a JSON column of every row; what stays as it is is not written."""
    table = sa.table(table_name, sa.column("id", sa.Uuid()), sa.column(column_name, sa.JSON()))
    column = table.c[column_name]
    connection = op.get_bind()
    for row_id, value in connection.execute(sa.select(table.c.id, column)).all():
        if not isinstance(value, dict):
            continue
        before = json.dumps(value)
        for change in changes:
            change(value)
        if json.dumps(value) != before:
            connection.execute(sa.update(table).where(table.c.id == row_id).values({column_name: value}))


def rename_constraint(old: str, new: str) -> None:
    """Name the unique constraint of `evidence` after its columns. SQLite copies the table, to which nothing refers."""
    with op.batch_alter_table("evidence") as batch:
        batch.drop_constraint(f"uq_evidence_evaluation_id_{old}", type_="unique")
        batch.create_unique_constraint(f"uq_evidence_evaluation_id_{new}", ["evaluation_id", new])


def upgrade() -> None:
    for table, old, new in COLUMNS:
        op.alter_column(table, old, new_column_name=new)
    rename_constraint("stage", "series")
    if op.get_bind().dialect.supports_comments:  # SQLite has none, and would copy the tables
        for table, column, comment in COMMENTS:
            op.alter_column(table, column, comment=comment)
    for table, column, changes in list_changes(is_back=False):
        rewrite(table, column, changes)


def downgrade() -> None:
    for table, column, changes in list_changes(is_back=True):
        rewrite(table, column, changes)
    for table, old, new in reversed(COLUMNS):
        op.alter_column(table, new, new_column_name=old)
    rename_constraint("series", "stage")
