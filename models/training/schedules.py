"""Learning-rate schedules: plain functions from a step to a factor of the base rate."""

import math


def cosine_factor(step: int, steps: int, warmup_share: float = 0.0) -> float:
    """Give the factor at `step` (0..steps - 1): a linear rise over the warm-up, then half a cosine towards 0.

    The first step after the warm-up has factor 1 and the last one stays above 0.

    Raises:
        ValueError: a step outside 0..steps - 1.
    """
    if not 0 <= step < steps:
        raise ValueError(f"step {step} lies outside 0..{steps - 1}")
    warmup_steps = int(warmup_share * steps)
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - warmup_steps) / (steps - warmup_steps)))
