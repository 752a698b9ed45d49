"""The table of verdicts at eps, on one network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.contestants import VERDICT, Contestant
from tests.benchmarks.measuring import Ledger, Run
from tests.benchmarks.networks import Problem
from tests.benchmarks.peers.official import STANDARD
from tests.benchmarks.tables import Table, fill_rows, show_costs, show_range, show_ratio

HEADINGS = (
    "attack",
    "runs",
    "robust %",
    "missed of all",
    "missed of official",
    "false claims",
    "gradients",
    "extra forwards",
    "work",
    "official: x work",
    "ms",
    "official: x time",
    "x floor",
    "flags",
)
MOST_NAMED = 12


def find_missed(run: Run, broken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places of the samples that are known to break and that this run left standing."""
    return np.flatnonzero(broken & ~run.held)


def name_missed(problem: Problem, runs: Sequence[Run], broken: NDArray[np.bool_]) -> list[str]:
    """A sentence for each run that missed samples, with their ids."""
    notes = []
    for run in runs:
        missed = find_missed(run, broken)
        if len(missed):
            names = ", ".join(str(problem.ids[place]) for place in missed[:MOST_NAMED])
            rest = f" and {len(missed) - MOST_NAMED} more" if len(missed) > MOST_NAMED else ""
            notes.append(f"{run.contestant}, seed {run.seed}, missed {len(missed)}: sample {names}{rest}.")
    return notes


def tabulate_verdicts(ledger: Ledger, problem: Problem, norm: str, contestants: Sequence[Contestant]) -> Table:
    """Verdicts at eps on one network; per sample where nothing else is said, median and extremes over the seeds."""
    eps, count = problem.eps[norm], len(problem.ids)
    broken = ledger.get_broken(problem, norm)
    official = [run for run in ledger.select(problem.name, VERDICT, norm, STANDARD) if not run.error]
    union = np.any([run.held for run in official], axis=0) if official else np.zeros(count, dtype=bool)
    table = Table(f"Verdict at {norm} {eps:.4g}: {problem.name}, {count} samples, {problem.classes} classes", HEADINGS)
    table.notes.append(
        f"All attacks of this bench together leave {100 * (1 - broken.mean()):.1f} % robust"
        + (f", {len(official)} official runs together {100 * (1 - union.mean()):.1f} %." if official else ".")
    )

    def describe(runs: list[Run]) -> tuple[list[str], dict[str, Any]]:
        table.notes.extend(name_missed(problem, runs, broken))
        return describe_verdict(runs, official, broken, union)

    fill_rows(table, ledger, (problem.name, VERDICT, norm), contestants, describe)
    return table


def describe_verdict(
    runs: list[Run], official: list[Run], broken: NDArray[np.bool_], union: NDArray[np.bool_]
) -> tuple[list[str], dict[str, Any]]:
    """One row, and its record."""
    work, *work_ratio = show_ratio([run.work for run in official], [run.work for run in runs])
    speed, *time_ratio = show_ratio([run.seconds for run in official], [run.seconds for run in runs])
    missed = [len(find_missed(run, broken)) for run in runs]
    missed_official = [len(find_missed(run, union)) for run in runs]
    flags = sorted({flag for run in runs for flag in run.flags})
    cells = show_costs(runs) | {
        "attack": runs[0].contestant,
        "runs": str(len(runs)),
        "robust %": show_range((100 * run.robust for run in runs), 1),
        "missed of all": show_range(missed, 0),
        "missed of official": show_range(missed_official, 0) if official else "–",
        "official: x work": work,
        "official: x time": speed,
        "flags": ", ".join(flags),
    }
    record = {
        "robust": [run.robust for run in runs],
        "missed": missed,
        "missed_official": missed_official if official else None,
        "work_ratio": dict(zip(("median", "least"), work_ratio, strict=True)),
        "time_ratio": dict(zip(("median", "least"), time_ratio, strict=True)),
        "flags": flags,
    }
    return [cells[heading] for heading in HEADINGS], record
