"""Tables out of runs: plain headings, rows of words, notes, and the records behind them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.contestants import MARGIN, VERDICT, Contestant
from tests.benchmarks.measuring import Ledger, Run
from tests.benchmarks.networks import Problem
from tests.benchmarks.peers.official import STANDARD

NEAR = 1.01  # a margin counts as reached within one per cent of the best known
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


def find_missed(run: Run, broken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places of the samples that are known to break and that this run left standing."""
    return np.flatnonzero(broken & ~run.held)


VERDICT_HEADINGS = (
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


def tabulate_verdicts(ledger: Ledger, problem: Problem, norm: str, contestants: Sequence[Contestant]) -> Table:
    """Verdicts at eps on one network; per sample where nothing else is said, median and extremes over the seeds."""
    eps, count = problem.eps[norm], len(problem.ids)
    broken = ledger.get_broken(problem, norm)
    official = [run for run in ledger.select(problem.name, VERDICT, norm, STANDARD) if not run.error]
    union = np.any([run.held for run in official], axis=0) if official else np.zeros(count, dtype=bool)
    table = Table(
        f"Verdict at {norm} {eps:.4g}: {problem.name}, {count} samples, {problem.classes} classes", VERDICT_HEADINGS
    )
    table.notes.append(
        f"All attacks of this bench together leave {100 * (1 - broken.mean()):.1f} % robust"
        + (f", {len(official)} official runs together {100 * (1 - union.mean()):.1f} %." if official else ".")
    )
    for contestant in contestants:
        if contestant.task != VERDICT or norm not in contestant.norms:
            continue
        runs = ledger.select(problem.name, VERDICT, norm, contestant.name)
        reason = explain_absence(contestant, runs)
        if reason:
            table.rows.append([contestant.name, reason, *[""] * (len(VERDICT_HEADINGS) - 2)])
            table.records.append({"attack": contestant.name, "absent": reason})
            continue
        row, record = describe_verdict(runs, official, broken, union)
        table.rows.append(row)
        table.records.append(record)
        for run in runs:
            missed = find_missed(run, broken)
            if len(missed):
                names = ", ".join(str(problem.ids[place]) for place in missed[:12])
                rest = f" and {len(missed) - 12} more" if len(missed) > 12 else ""
                table.notes.append(f"{run.contestant}, seed {run.seed}, missed {len(missed)}: sample {names}{rest}.")
    return table


def describe_verdict(
    runs: list[Run], official: list[Run], broken: NDArray[np.bool_], union: NDArray[np.bool_]
) -> tuple[list[str], dict[str, Any]]:
    """One row, and its record."""
    count = runs[0].samples
    work, work_median, work_least = show_ratio([run.work for run in official], [run.work for run in runs])
    speed, time_median, time_least = show_ratio([run.seconds for run in official], [run.seconds for run in runs])
    missed = [len(find_missed(run, broken)) for run in runs]
    missed_official = [len(find_missed(run, union)) for run in runs]
    flags = sorted({flag for run in runs for flag in run.flags})
    row = [
        runs[0].contestant,
        str(len(runs)),
        show_range((100 * run.robust for run in runs), 1),
        show_range(missed, 0),
        show_range(missed_official, 0) if official else "–",
        str(sum(run.false_claims for run in runs)),
        show_range((run.gradients for run in runs), 0),
        show_range((run.forwards for run in runs), 0),
        show_range((run.work for run in runs), 0),
        work,
        show_range((1000 * run.seconds / count for run in runs), 1),
        speed,
        show_range((run.overhead for run in runs), 2),
        ", ".join(flags),
    ]
    record = {
        "attack": runs[0].contestant,
        "seeds": [run.seed for run in runs],
        "robust": [run.robust for run in runs],
        "missed": missed,
        "missed_official": missed_official if official else None,
        "false_claims": [run.false_claims for run in runs],
        "gradients": [run.gradients for run in runs],
        "forwards": [run.forwards for run in runs],
        "work": [run.work for run in runs],
        "width": [run.width for run in runs],
        "seconds": [run.seconds for run in runs],
        "overhead": [run.overhead for run in runs],
        "work_ratio": {"median": work_median, "least": work_least},
        "time_ratio": {"median": time_median, "least": time_least},
        "flags": flags,
    }
    return row, record


MARGIN_HEADINGS = (
    "attack",
    "runs",
    "median margin",
    "mean ratio to best",
    "within 1 %",
    "found %",
    "false claims",
    "gradients",
    "extra forwards",
    "work",
    "ms",
    "x floor",
)


@dataclass(frozen=True)
class Quality:
    """What a margin run is worth: the median counts samples without an example as infinite, the mean ratio cannot."""

    median: float
    ratio: float
    near: float
    found: float


def rate_margins(run: Run, best: NDArray[np.float64]) -> Quality:
    known = np.isfinite(best)
    found = run.held & known
    ratios = run.distance[found] / best[found]
    return Quality(
        float(np.median(run.distance)),
        float(ratios.mean()) if found.any() else np.nan,
        float((ratios <= NEAR).sum() / max(known.sum(), 1)),
        float(run.held.mean()),
    )


def tabulate_margins(ledger: Ledger, problem: Problem, norm: str, contestants: Sequence[Contestant]) -> Table:
    """Margins on one network; the best known is the nearest example that held, of everything run here."""
    table = Table(f"Margins, {norm}: {problem.name}, {len(problem.ids)} samples", MARGIN_HEADINGS)
    best = ledger.nearest.get((problem.name, norm), np.full(len(problem.ids), np.inf))
    table.notes.append(f"Best known of everything run here: median {np.median(best):.4f}.")
    for contestant in contestants:
        if contestant.task != MARGIN or norm not in contestant.norms:
            continue
        runs = ledger.select(problem.name, MARGIN, norm, contestant.name)
        reason = explain_absence(contestant, runs)
        if reason:
            table.rows.append([contestant.name, reason, *[""] * (len(MARGIN_HEADINGS) - 2)])
            table.records.append({"attack": contestant.name, "absent": reason})
            continue
        rated = [rate_margins(run, best) for run in runs]
        table.rows.append(
            [
                contestant.name,
                str(len(runs)),
                show_range((quality.median for quality in rated), 4),
                show_range((quality.ratio for quality in rated), 3),
                show_range((100 * quality.near for quality in rated), 0),
                show_range((100 * quality.found for quality in rated), 1),
                str(sum(run.false_claims for run in runs)),
                show_range((run.gradients for run in runs), 0),
                show_range((run.forwards for run in runs), 0),
                show_range((run.work for run in runs), 0),
                show_range((1000 * run.seconds / run.samples for run in runs), 1),
                show_range((run.overhead for run in runs), 2),
            ]
        )
        table.records.append(
            {
                "attack": contestant.name,
                "seeds": [run.seed for run in runs],
                **{name: [getattr(quality, name) for quality in rated] for name in Quality.__dataclass_fields__},
                "false_claims": [run.false_claims for run in runs],
                "gradients": [run.gradients for run in runs],
                "forwards": [run.forwards for run in runs],
                "work": [run.work for run in runs],
                "seconds": [run.seconds for run in runs],
                "overhead": [run.overhead for run in runs],
            }
        )
    return table
