"""Pairs as the browser gets them, and pairs with everything that an evaluation can find."""

from typing import Any
from uuid import UUID

import numpy as np

from backend.analysis.outcomes import Outcomes
from backend.analysis.pairing import Pair, pair
from backend.services.comparisons.columns import encode, find_thinness
from tests.analysis.fabrication import make

INF = float("inf")
STEPS = [0.004 * step for step in range(12)]


def columns_of(given: Pair) -> dict[str, Any]:
    """What REST sends of a pair, in the pair's own order."""

    def side(outcomes: Outcomes) -> dict[str, Any]:
        return {
            "kind": outcomes.kind,
            "eps": outcomes.eps,
            "prediction": encode(outcomes.predictions, "<i4"),
            "margin": encode(outcomes.margin, "<f8"),
        }

    dense = given.dense
    return {
        "version": "made",
        "n": given.n,
        "norm": "Linf",
        "dataset_id": str(UUID(int=1)),
        "index": encode(np.arange(given.n), "<i4"),
        "label": encode(dense.labels, "<i4"),
        "dense": side(dense),
        "pruned": side(given.pruned),
        "thinness": encode(find_thinness(dense), "<f8"),
        "logit_gap": encode(dense.logit_gap, "<f8"),
    }


def decoded(given: Pair) -> dict[str, Any]:
    """The argument of a call in Node: the pair's columns as typed arrays."""
    return {"call": ["outcomes.decode", [columns_of(given)]]}


def draw_tied_pair(n: int, seed: int) -> Pair:
    """Margins on a few steps, so that many are equal and many lie on eps; wrong, not found, and other predictions."""
    generator = np.random.default_rng(seed)
    sides = []
    for _ in range(2):
        margin = generator.choice([*STEPS, INF], n)
        wrong = (np.arange(n) + generator.integers(1, 9, n)) % 10
        sides.append(make(margin, predictions=np.where(margin > 0, np.arange(n) % 10, wrong)))
    return pair(*sides)
