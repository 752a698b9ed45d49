"""What `thinice status` prints: the server, its workers, every job that runs or waits, and the time left."""

from collections.abc import Callable
from typing import Any

from backend.cli.output import duration, out
from backend.counts import count_words

Row = dict[str, Any]

JOB_NAMES: dict[str, Callable[[Row], str]] = {
    "evaluations": lambda row: f"{row['checkpoint_name']}, {row['preset']}",
    "evidence": lambda row: f"{row['checkpoint_name']}, evidence ({row['kind']}, {row['source']})",
    "prunings": lambda row: f"{row['name']}, pruning",
}
"""How a line calls a job, for each kind by its path."""


def print_status(url: str, health: dict[str, Any], jobs: dict[str, list[Row]]) -> None:
    """Server and workers, the jobs of each kind of `JOB_NAMES`, and when all of them are done."""
    out.print(f"{url}: {health['status']}, version {health['version']}, {health['database']}", markup=False)
    for worker in health["workers"]:
        out.print(f"worker {worker['id']} on {worker['device']}", markup=False)
    if not health["workers"]:
        out.print("no worker is running: start one with `thinice worker`, or all with `thinice serve`", markup=False)
    for noun, rows in jobs.items():
        for row in sorted(rows, key=lambda row: (row["state"] != "running", row.get("queue_position") or 0)):
            out.print(describe_job(JOB_NAMES[noun](row), row), markup=False, soft_wrap=True)
    out.print(describe_all([row for rows in jobs.values() for row in rows]), markup=False)


def describe_job(name: str, row: Row) -> str:
    """`cnn-dense, margin: running 100/300 attack in chunk 2 of 3, about 5 min left`."""
    progress = row["progress"]
    text = f"{name}: {row['state']} {progress['done']:.0f}/{progress['total']:.0f} {progress['stage']}"
    if row.get("queue_position"):
        text += f", queue position {row['queue_position']}"
    if row["starts_in_seconds"] is not None:
        text += f", starts in about {duration(row['starts_in_seconds'])}"
    if progress["eta_seconds"] is not None:
        words = "left" if row["state"] == "running" else "until it is done"
        text += f", about {duration(progress['eta_seconds'])} {words}"
    return text


def describe_all(rows: list[Row]) -> str:
    """`3 jobs, all done in about 12 min`: as long as the last of them takes."""
    if not rows:
        return "no job runs or waits"
    ends = [row["progress"]["eta_seconds"] for row in rows]
    known = [seconds for seconds in ends if seconds is not None]
    if len(known) == len(ends):
        return f"{count_words(len(rows), 'job')}, all done in about {duration(max(known))}"
    unknown = len(ends) - len(known)
    sentence = f"{count_words(len(rows), 'job')}; how long {count_words(unknown, 'job')} will take is not known yet"
    return sentence + (f", the others are done in about {duration(max(known))}" if known else "")
