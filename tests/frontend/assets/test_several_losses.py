"""Losses of several networks in the browser against `backend.analysis.overlaps`, on drawn cases."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from backend.analysis.outcomes import Outcomes
from backend.analysis.overlaps import SeveralLosses, count_losses, join_several
from backend.analysis.pairing import Pair
from tests.analysis.fabrication import INF, make
from tests.frontend.assets.pairs import columns_of
from tests.frontend.assets.scripts import call, call_all

CLOSE = {"rel": 1e-9, "abs": 1e-300}
STEPS = [0.0, 0.01, 0.02, 0.02 * (1 + 1e-7), 0.1, INF]


def draw(n: int, networks: int, seed: int) -> list[Pair]:
    """Margins on a few steps, so that many lie on eps."""
    generator = np.random.default_rng(seed)

    def one() -> Outcomes:
        return make(generator.choice(STEPS, n))

    return join_several(one(), [one() for _ in range(networks)])


def sent_of(pairs: list[Pair]) -> dict[str, Any]:
    """What REST sends of them."""
    each = [columns_of(one) for one in pairs]
    return {**each[0], "pruned": [one["pruned"] for one in each]}


def masks_at(pairs: list[Pair], eps: float | None) -> dict[str, Any]:
    decoded = {"call": ["severalLosses.decode", [sent_of(pairs)]]}
    return {"call": ["severalLosses.masks", [decoded, eps]]}


CASES = [
    (draw(n, networks, seed), eps)
    for seed, (n, networks) in enumerate(((1, 1), (5, 2), (60, 3), (400, 8), (500, 5)))
    for eps in (None, 0.01, 0.02, 0.0200000001, 0.5)
]


def tally_of(pairs: list[Pair], eps: float | None, expected: SeveralLosses) -> list[Any]:
    return [masks_at(pairs, eps), len(pairs), expected.held]


def test_tally_is_that_of_analysis_on_every_edge() -> None:
    expected = [count_losses(pairs, eps) for pairs, eps in CASES]
    asked = [
        ("severalLosses.tally", tally_of(pairs, eps, each)) for (pairs, eps), each in zip(CASES, expected, strict=True)
    ]
    for found, each in zip(call_all(asked), expected, strict=True):
        assert (found["n"], found["held"], found["lost"], found["only"]) == (each.n, each.held, each.lost, each.only)
        assert found["lostBy"] == each.lost_by
        for share, known in zip(found["atLeast"], each.at_least, strict=True):
            assert share["count"] == known.count
            assert (share["low"], share["high"]) == pytest.approx((known.low, known.high), **CLOSE)


def test_overlap_is_that_of_analysis_for_every_two_networks() -> None:
    asked, expected = [], []
    for pairs, eps in CASES:
        counted = count_losses(pairs, eps)
        tally = {"call": ["severalLosses.tally", tally_of(pairs, eps, counted)]}
        for (first, second), known in zip(combinations(range(len(pairs)), 2), counted.overlaps, strict=True):
            asked.append(("severalLosses.overlap", [tally, first, second]))
            expected.append(known)
    assert len(expected) > 100
    for found, known in zip(call_all(asked), expected, strict=True):
        assert (found["both"], found["onlyFirst"], found["onlySecond"]) == (
            known.both,
            known.only_first,
            known.only_second,
        )
        for value, other in (
            (found["jaccard"]["value"], known.jaccard.value),
            (found["jaccard"]["low"], known.jaccard.low),
            (found["byChance"], known.by_chance),
            (found["mcnemarP"], known.mcnemar_p),
        ):
            assert value == (None if other is None else pytest.approx(other, **CLOSE))


@pytest.mark.parametrize(
    ("text", "kind", "numbers"),
    [
        ("least-2", "least", [2]),
        ("by-3", "by", [3]),
        ("only-1", "only", [1]),
        ("both-3-1", "both", [3, 1]),
        (None, "least", [3]),
        ("by-4", "least", [3]),
        ("both-1-1", "least", [3]),
        ("both-1", "least", [3]),
        ("all", "least", [3]),
    ],
)
def test_read_choice_falls_back_to_what_all_share(text: str | None, kind: str, numbers: list[int]) -> None:
    assert call("severalLosses.readChoice", text, 3) == {"kind": kind, "numbers": numbers}
    if kind != "least" or text == "least-2":
        assert call("severalLosses.writeChoice", {"kind": kind, "numbers": numbers}) == text


def test_choose_gives_the_samples_of_a_choice_thinnest_first() -> None:
    pairs = draw(300, 4, seed=9)
    lost = np.array(
        [((one.dense.margin > 0.02 * (1 + 2e-7)) & (one.pruned.margin <= 0.02 * (1 + 2e-7))) for one in pairs]
    )
    times = lost.sum(axis=0)
    wanted = {
        "least-2": times >= 2,
        "by-3": lost[2],
        "only-4": lost[3] & (times == 1),
        "both-1-3": lost[0] & lost[2],
    }
    columns = {"call": ["outcomes.decode", [columns_of(pairs[0])]]}
    for text, is_meant in wanted.items():
        choice = {"call": ["severalLosses.readChoice", [text, 4]]}
        places = call("severalLosses.choose", columns, masks_at(pairs, 0.02), choice)
        assert sorted(places) == np.flatnonzero(is_meant).tolist() and len(places) > 3
        margins = pairs[0].dense.margin[places]
        assert (np.diff(margins[np.isfinite(margins)]) >= 0).all()
