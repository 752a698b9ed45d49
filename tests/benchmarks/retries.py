"""What Thin Ice missed, tried again with seeds that no run had: is it luck of the seed, or out of reach?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.checking import judge
from tests.benchmarks.contestants import VERDICT, Contestant, Terms
from tests.benchmarks.measuring import Ledger
from tests.benchmarks.networks import Problem
from tests.benchmarks.verdict_tables import find_missed

FIRST_SEED, SEEDS = 1000, 5


def pick(problem: Problem, places: NDArray[np.int64]) -> Problem:
    """The problem on some of its samples."""
    ids = [problem.ids[place] for place in places]
    return replace(problem, images=problem.images[places], labels=problem.labels[places], ids=ids)


def try_again(ledger: Ledger, problem: Problem, norm: str, contestants: Sequence[Contestant], batch: int) -> list[str]:
    """Give the sentences of `retry_missed`; an error or Ctrl-C is a sentence too, because hours of tables follow."""
    try:
        return retry_missed(ledger, problem, norm, contestants, batch)
    except (Exception, KeyboardInterrupt) as error:
        return [f"What was missed was not tried again: {type(error).__name__} {error}".strip()]


def retry_missed(
    ledger: Ledger, problem: Problem, norm: str, contestants: Sequence[Contestant], batch: int
) -> list[str]:
    """Try again what the first of our verdicts missed in any run; a sentence on each sample.

    Whatever it finds changes no figure of the runs.
    """
    ours = next((row for row in contestants if row.is_ours and row.task == VERDICT), None)
    if ours is None:
        return []
    broken = ledger.get_broken(problem, norm)
    runs = [run for run in ledger.select(problem.name, VERDICT, norm, ours.name) if not run.error]
    places = np.unique(np.concatenate([find_missed(run, broken) for run in runs] or [np.empty(0, dtype=np.int64)]))
    if not len(places):
        return []
    part, eps = pick(problem, places), problem.eps[norm]
    found = np.zeros(len(places), dtype=np.int64)
    early_flags = tuple(sorted({flag for run in runs for flag in run.flags}))  # a few samples would not raise them
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        terms = Terms(norm, eps, seed, batch, part.classes, early_flags)
        answer = ours.attack(problem.network, part.images, part.labels, terms)
        judged = judge(problem.network, part.images, part.labels, answer.points, norm, eps)
        found += judged.holds
    missed = [sum(place in find_missed(run, broken) for run in runs) for place in places]
    return [
        f"{ours.name}, sample {name}: missed in {times} of {len(runs)} runs, found in {count} of {SEEDS} more seeds."
        for name, times, count in zip(part.ids, missed, found, strict=True)
    ]
