"""The table of margins, on one network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.contestants import MARGIN, Contestant
from tests.benchmarks.measuring import Ledger, Run
from tests.benchmarks.networks import Problem
from tests.benchmarks.tables import Table, fill_rows, show_costs, show_range

OURS = "Thin Ice"
NEAR = 1.01  # a margin counts as reached within one per cent of the best known
HEADINGS = (
    "attack",
    "runs",
    "median margin",
    "mean ratio to best",
    "to best of others",
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
    """Next to the best known margins (N,); `near` counts samples without an example as missed."""
    known = np.isfinite(best)
    found = run.held & known
    ratios = run.distance[found] / best[found]
    return Quality(
        float(np.median(run.distance)),
        float(ratios.mean()) if found.any() else np.nan,
        float((ratios <= NEAR).sum() / max(known.sum(), 1)),
        float(run.held.mean()),
    )


def find_best_of_others(ledger: Ledger, problem: Problem, norm: str, contestant: str) -> NDArray[np.float64]:
    """The nearest examples (N,) that tools other than this one found, verdicts included; inf where none did.

    All rows of Thin Ice are one tool, so that a best known that is mostly its own does not flatter it.
    """

    def name_tool(name: str) -> str:
        return OURS if name.startswith(OURS) else name

    tool = name_tool(contestant)
    found = [
        run.distance
        for run in ledger.runs
        if (run.problem, run.norm) == (problem.name, norm) and not run.error and name_tool(run.contestant) != tool
    ]
    nearest: NDArray[np.float64] = np.min([np.full(len(problem.ids), np.inf), *found], axis=0)
    return nearest


def tabulate_margins(ledger: Ledger, problem: Problem, norm: str, contestants: Sequence[Contestant]) -> Table:
    """Margins on one network; the best known is the nearest example that held, of everything run here."""
    table = Table(f"Margins, {norm}: {problem.name}, {len(problem.ids)} samples", HEADINGS)
    best = ledger.nearest.get((problem.name, norm), np.full(len(problem.ids), np.inf))
    table.notes.append(f"Best known of everything run here: median {np.median(best):.4f}.")

    def describe(runs: list[Run]) -> tuple[list[str], dict[str, Any]]:
        rated = [rate_margins(run, best) for run in runs]
        others = find_best_of_others(ledger, problem, norm, runs[0].contestant)
        ratios = [rate_margins(run, others).ratio for run in runs]
        cells = show_costs(runs) | {
            "attack": runs[0].contestant,
            "runs": str(len(runs)),
            "median margin": show_range((quality.median for quality in rated), 4),
            "mean ratio to best": show_range((quality.ratio for quality in rated), 3),
            "to best of others": show_range(ratios, 3),
            "within 1 %": show_range((100 * quality.near for quality in rated), 0),
            "found %": show_range((100 * quality.found for quality in rated), 1),
        }
        record = {name: [getattr(quality, name) for quality in rated] for name in Quality.__dataclass_fields__}
        return [cells[heading] for heading in HEADINGS], record | {"ratio_to_others": ratios}

    fill_rows(table, ledger, (problem.name, MARGIN, norm), contestants, describe)
    return table
