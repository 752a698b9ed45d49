"""What all tables of the bench share: headings, rows of words, notes, and the records behind them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.measuring import Ledger, Run

NOT_INSTALLED = "not installed (make bench installs it)"


@dataclass(frozen=True)
class Table:
    """`rows` are what is shown; `records` are the same as numbers, for the file."""

    title: str
    headings: tuple[str, ...]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)


def show_range(values: Iterable[float], digits: int) -> str:
    """The median, with the extremes behind it where runs differ."""
    numbers = [value for value in values if not np.isnan(value)]
    if not numbers:
        return "–"
    middle, low, high = float(np.median(numbers)), min(numbers), max(numbers)
    shown = [f"{value:.{digits}f}" for value in (middle, low, high)]
    return shown[0] if shown[1] == shown[2] else f"{shown[0]} ({shown[1]} to {shown[2]})"


def show_ratio(reference: Sequence[float], values: Sequence[float]) -> tuple[str, float, float]:
    """How many times less than the reference: the median and the least that any pair of runs gives."""
    if not reference or not values:
        return "–", np.nan, np.nan
    middle = float(np.median(reference) / np.median(values))
    least = min(reference) / max(values)
    return f"{middle:.1f} (≥ {least:.1f})", middle, least


def explain_absence(contestant: Contestant, runs: list[Run]) -> str:
    """Why a row has no figures; empty where it has some."""
    if not contestant.is_installed():
        return NOT_INSTALLED
    errors = [run.error for run in runs if run.error]
    if errors:
        return f"failed: {errors[0]}"
    return "" if runs else "not run"


Describe = Callable[[list[Run]], tuple[list[str], dict[str, Any]]]


def fill_rows(
    table: Table, ledger: Ledger, key: tuple[str, str, str], contestants: Sequence[Contestant], describe: Describe
) -> None:
    """A row per contestant for `key` (problem, task, norm): what `describe` makes of its runs, or why it has none."""
    problem, task, norm = key
    for contestant in contestants:
        if contestant.task != task or norm not in contestant.norms:
            continue
        runs = ledger.select(problem, task, norm, contestant.name)
        reason = explain_absence(contestant, runs)
        if reason:
            table.rows.append([contestant.name, reason, *[""] * (len(table.headings) - 2)])
            table.records.append({"attack": contestant.name, "absent": reason})
            continue
        row, record = describe(runs)
        table.rows.append(row)
        table.records.append(
            {"attack": contestant.name, "seeds": [run.seed for run in runs], **record, **list_costs(runs)}
        )


def show_costs(runs: Sequence[Run]) -> dict[str, str]:
    """The cells that every table of attacks has."""
    return {
        "false claims": str(sum(run.false_claims for run in runs)),
        "gradients": show_range((run.gradients for run in runs), 0),
        "extra forwards": show_range((run.forwards for run in runs), 0),
        "work": show_range((run.work for run in runs), 0),
        "ms": show_range((1000 * run.seconds / run.samples for run in runs), 1),
        "x floor": show_range((run.overhead for run in runs), 2),
    }


def list_costs(runs: Sequence[Run]) -> dict[str, Any]:
    """The same as numbers, one per run."""
    names = ("false_claims", "gradients", "forwards", "work", "width", "seconds", "overhead", "lean_overhead")
    return {name: [getattr(run, name) for run in runs] for name in names}
