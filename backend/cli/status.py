"""What `thinice status` prints: the server, its workers, and every job that runs or waits."""

from collections.abc import Callable
from typing import Any

from backend.cli.output import out

Row = dict[str, Any]

JOB_NAMES: dict[str, Callable[[Row], str]] = {
    "evaluations": lambda row: f"{row['checkpoint_name']}, {row['preset']}",
    "evidence": lambda row: f"{row['checkpoint_name']}, evidence ({row['kind']}, {row['source']})",
    "prunings": lambda row: f"{row['name']}, pruning",
}
"""How a line calls a job, for each kind by its path."""


def print_status(url: str, health: dict[str, Any], jobs: dict[str, list[Row]]) -> None:
    """Server and workers, then the jobs of each kind of `JOB_NAMES`."""
    out.print(f"{url}: {health['status']}, version {health['version']}, {health['database']}", markup=False)
    for worker in health["workers"]:
        out.print(f"worker {worker['id']} on {worker['device']}", markup=False)
    if not health["workers"]:
        out.print("no worker is running: start one with `thinice worker`, or all with `thinice serve`", markup=False)
    for noun, rows in jobs.items():
        for row in rows:
            out.print(describe_job(JOB_NAMES[noun](row), row), markup=False, soft_wrap=True)


def describe_job(name: str, row: Row) -> str:
    """`cnn-dense, margin: queued 0/20 waiting queue position 2`."""
    progress = row["progress"]
    place = f" queue position {row['queue_position']}" if row.get("queue_position") else ""
    return f"{name}: {row['state']} {progress['done']:.0f}/{progress['total']:.0f} {progress['stage']}{place}"
