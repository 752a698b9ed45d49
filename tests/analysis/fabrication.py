"""Outcomes made to measure, and hypothesis strategies for them. Imports nothing that it helps to judge but the type."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from backend.analysis.outcomes import Outcomes
from backend.analysis.pairing import Pair, pair

INF = float("inf")


def make(margins: Sequence[float], *, ids: Sequence[str] | None = None, classes: int = 10, **changes: Any) -> Outcomes:
    """Outcomes with these margins: 0 is wrong (prediction = label + 1), inf is not found; label = index mod classes."""
    margin = np.array(margins, dtype=np.float64)
    n = len(margin)
    labels = np.arange(n) % classes
    columns: dict[str, Any] = {
        "sample_ids": [f"s{i:05d}" for i in range(n)] if ids is None else list(ids),
        "labels": labels,
        "predictions": np.where(margin > 0, labels, (labels + 1) % classes),
        "correct": margin > 0,
        "margin": margin,
        "found": np.isfinite(margin),
        "margin_pred": np.where(margin > 0, margin, 0.5),
        "logit_gap": np.where(margin > 0, np.minimum(margin, 9.0) * 3, -1.0),
        "max_probability": np.where(margin > 0, np.minimum(margin, 9.0) / 10, 0.5),
        "loss": np.where(margin > 0, 1 / (1 + np.minimum(margin, 9.0)), 3.0),
        "kind": "minimum",
    }
    columns.update(changes)
    return Outcomes(**columns)


def make_pair(dense: Sequence[float], pruned: Sequence[float], **changes: Any) -> Pair:
    """A pair from two lists of margins of the same samples."""
    return pair(make(dense, **changes), make(pruned, **changes))


def draw_pair(n: int, seed: int, *, noise: float = 0.02, shift: float = 0.01) -> Pair:
    """A pair like a real one: pruned margins are the dense ones, smaller and noisy; some wrong, some not found."""
    generator = np.random.default_rng(seed)
    base = generator.exponential(0.06, n) - 0.004
    sides = []
    for loss, spread in ((0.0, 0.0), (shift, noise)):
        margin = base - loss + generator.normal(0, 1, n) * spread
        margin = np.where(margin > 0.3, INF, np.maximum(margin, 0.0))
        sides.append(margin)
    return make_pair(*sides)


margin_values = st.one_of(
    st.just(0.0), st.just(INF), st.sampled_from([0.01, 0.02, 8 / 255]), st.floats(1e-4, 1.0, allow_subnormal=False)
)


@st.composite
def pairs(draw: st.DrawFn, least: int = 1, most: int = 40) -> Pair:
    """Pairs with wrong, tied, ordinary and not-found margins on both sides."""
    n = draw(st.integers(least, most))
    sides = [draw(st.lists(margin_values, min_size=n, max_size=n)) for _ in range(2)]
    return make_pair(*sides)
