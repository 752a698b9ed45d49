"""What pages read of a full database: statements, rows, megabytes and seconds, over 1,000 evaluations of 2,000 samples.

python -m tests.benchmarks.page_reads
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from backend.schemas.records import RunRecord, RunSettings
from backend.services import comparisons
from backend.services.claims.service import list_claims
from backend.services.families.members import read_family
from backend.settings import get_settings
from backend.store import database
from backend.store.tables import Checkpoint, Evaluation, now
from tests.services.fabrication import add_checkpoint, add_dataset

SAMPLES, ROOTS, PRUNED, SEEDS = 2000, 4, 24, 10  # 4 families of 25 checkpoints, 10 evaluations each
# Answered by none of the evaluations, so that no rows of samples are needed.
CLAIM = {"robust_accuracy": 0.5, "norm": "L2", "eps_text": "0.5", "attack": None, "n": None, "source": None}
SUMMARY = {
    "n": SAMPLES,
    "clean_accuracy": 0.8,
    "clean_accuracy_interval": {"low": 0.7, "high": 0.9},
    "robust_accuracy": 0.4,
    "robust_accuracy_interval": {"low": 0.3, "high": 0.5},
    "median_margin": 0.1,
    "zero_margins": 400,
    "not_found": 0,
    "broken_by_fallbacks": 0,
}


def make_evaluation(row: Checkpoint, seed: int) -> Evaluation:
    """A finished evaluation of margins, as long as a worker leaves one, without its samples' rows."""
    settings = RunSettings(versions={"torch": "2.13.0"})
    record = RunRecord(distance_kind="minimum", samples="a" * 64, settings=settings)
    return Evaluation(
        checkpoint_id=row.id,
        dataset_id=row.dataset_id,
        preset="margin",
        norm="Linf",
        eps="8/255",
        indices=list(range(SAMPLES)),
        n=SAMPLES,
        seed=seed,
        priority=0,
        chunk_size=100,
        state="succeeded",
        done=SAMPLES,
        record=record.merge(RunRecord(checkpoint=row.name, attacks=("fmn",), dtype="float32")),
        summary=SUMMARY,
        started_at=now(),
        finished_at=now(),
    )


def fill(folder: Path) -> list[Checkpoint]:
    """The dense checkpoints of the families."""
    database.migrate()
    dataset = add_dataset(folder, "digits", n=SAMPLES)
    roots = []
    for number in range(ROOTS):
        root = add_checkpoint(dataset.id, f"dense-{number}", architecture=f"cnn-{number}")
        roots.append(root)
        fields = {"role": "pruned", "parent_id": root.id, "declared_sparsity": 0.9, "claim": CLAIM, "method": "lwm"}
        family = [root, *(add_checkpoint(dataset.id, f"pruned-{number}-{one}", **fields) for one in range(PRUNED))]
        with database.writing() as session:
            session.add_all(make_evaluation(row, seed) for row in family for seed in range(SEEDS))
    return roots


def measure(read: Callable[[], Any]) -> dict[str, float]:
    """The second of two calls; the rows are counted by asking the same questions again."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    read()
    event.listen(database.get_engine(), "after_cursor_execute", note)
    began = time.perf_counter()
    read()
    seconds = time.perf_counter() - began
    event.remove(database.get_engine(), "after_cursor_execute", note)
    asked = [one for one in asked if one[0].startswith("SELECT")]
    with database.get_engine().connect() as connection:
        rows = [row for statement, values in asked for row in connection.exec_driver_sql(statement, values).all()]
    megabytes = sum(len(str(value)) for row in rows for value in row) / 1e6
    return {"statements": len(asked), "rows": len(rows), "megabytes": megabytes, "seconds": seconds}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["THINICE_HOME"] = folder
        get_settings.cache_clear()
        roots = fill(Path(folder))
        for name, read in {
            "default pairs": comparisons.default_pairs,
            "50 claims": lambda: list_claims(50),
            "a family": lambda: read_family(roots[0].id),
        }.items():
            print(f"{name}:", ", ".join(f"{value:.3g} {unit}" for unit, value in measure(read).items()))


if __name__ == "__main__":
    main()
