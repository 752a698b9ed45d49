"""Learning-rate schedules: plain functions from a step to a factor of the base rate."""

import math
from collections.abc import Sequence

DROP = 0.1


def cosine_factor(step: int, steps: int, warmup_share: float = 0.0) -> float:
    """Give the factor at `step` (0..steps - 1): a linear rise over the warm-up, then half a cosine towards 0.

    The first step after the warm-up has factor 1 and the last one stays above 0.

    Raises:
        ValueError: a step outside 0..steps - 1.
    """
    _check_step(step, steps)
    warmup_steps = int(warmup_share * steps)
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - warmup_steps) / (steps - warmup_steps)))


def drop_factor(step: int, steps: int, drops: Sequence[float]) -> float:
    """Give 0.1 to the number of `drops` (shares of the run, 0..1) that lie at or before `step`; errors as above."""
    _check_step(step, steps)
    factor: float = DROP ** sum(step >= round(drop * steps) for drop in drops)
    return factor


def cycle_factor(step: int, steps: int, cycles: int) -> float:
    """Give the factor of a run of equal cycles, each of which begins at 1 and drops after each third; errors as above.

    The schedule of R-ADMM's search, whose cycles are its rounds.
    """
    _check_step(step, steps)
    position = step * cycles % steps / steps
    factor: float = DROP ** int(position * 3)
    return factor


def _check_step(step: int, steps: int) -> None:
    if not 0 <= step < steps:
        raise ValueError(f"step must be within 0..{steps - 1}; got {step}")
