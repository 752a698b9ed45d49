"""The cut of a pair in the browser against `backend.analysis`: sets, counts, intervals, tests and ranking."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.analysis import flips, thin_ice
from backend.analysis.outcomes import tolerance_of
from backend.analysis.pairing import Pair, judge_at, pair
from backend.analysis.statistics import mcnemar, wilson
from tests.analysis.fabrication import INF, draw_pair, make, make_pair, pairs
from tests.frontend.assets.pairs import STEPS, decoded, draw_tied_pair
from tests.frontend.assets.scripts import call, call_all

CLOSE = {"rel": 1e-9, "abs": 1e-300}
EDGES = [8 / 255, 0.1 * (1 - 1e-7), 0.1, 0.1 * (1 + 1e-7), *STEPS[1:]]


def cases() -> list[tuple[Pair, float | None]]:
    """Pairs with an eps, on the margins themselves and between them; None: clean."""
    drawn = [draw_pair(n, seed) for seed, n in enumerate((1, 2, 40, 300, 900))]
    drawn += [draw_tied_pair(n, seed) for seed, n in enumerate((1, 1, 1, 2, 3, 60, 500))]
    found = []
    for one in drawn:
        margins = one.dense.margin[np.isfinite(one.dense.margin) & (one.dense.margin > 0)][:6]
        near = [
            float(margin) * factor for margin in margins for factor in (1 - 1e-6, 1 - 1e-7, 1.0, 1 + 1e-7, 1 + 1e-6)
        ]
        found += [(one, eps) for eps in (None, *EDGES, *near)]
    return found


def near(expected: dict[str, Any]) -> dict[str, Any]:
    """The same to nine digits; what is None stays None."""
    return {name: None if value is None else pytest.approx(value, **CLOSE) for name, value in expected.items()}


def test_tolerances_are_those_of_analysis() -> None:
    assert call("outcomes.TOLERANCE") == {kind: tolerance_of(kind) for kind in ("minimum", "witness")}
    assert call("outcomes.SETS") == list(flips.SETS)


def test_decode_gives_back_every_double_exactly() -> None:
    one = make_pair([0.0, 0.1, INF, 5e-324, np.nextafter(0.1, 1)], [INF, 0.0, 1 / 3, 1e-9, 0.2])
    answer = call("outcomes.decode", call_columns(one))
    for side, outcomes in (("dense", one.dense), ("pruned", one.pruned)):
        expected = [None if np.isinf(margin) else margin for margin in outcomes.margin.tolist()]
        assert answer[side]["margin"] == expected
        assert answer[side]["prediction"] == outcomes.predictions.tolist()
    assert answer["label"] == one.dense.labels.tolist()


def call_columns(one: Pair) -> Any:
    return decoded(one)["call"][1][0]


def test_sets_are_those_of_analysis_on_every_edge() -> None:
    drawn = cases()
    found = call_all([("outcomes.sets", [decoded(one), eps]) for one, eps in drawn])
    for (one, eps), codes in zip(drawn, found, strict=True):
        assert [flips.SETS[code] for code in codes] == flips.name_sets(one, eps).tolist()


@given(one=pairs(), eps=st.sampled_from([None, 0.01, 0.02, 8 / 255]))
@settings(max_examples=25, deadline=None)
def test_sets_of_any_pair_are_those_of_analysis(one: Pair, eps: float | None) -> None:
    codes = call("outcomes.sets", decoded(one), eps)
    assert [flips.SETS[code] for code in codes] == flips.name_sets(one, eps).tolist()


def test_summarise_agrees_with_analysis_to_nine_digits() -> None:
    drawn = cases()
    found = call_all([("outcomes.summarise", [decoded(one), eps]) for one, eps in drawn])
    for (one, eps), answer in zip(drawn, found, strict=True):
        expected = asdict(flips.summarise(one, eps))
        assert answer["counts"] == expected["counts"]
        assert answer["net"] == expected["net"]
        assert answer["mcnemar_p"] == pytest.approx(expected["mcnemar_p"], **CLOSE)
        for name in ("negative_flip_rate", "positive_flip_rate", "lost_share", "churn"):
            assert answer[name] == near(expected[name]), name


def test_wilson_of_any_share_is_that_of_analysis() -> None:
    drawn = [(part, n) for n in (0, 1, 2, 7, 2000, 10_000) for part in sorted({0, 1, n // 3, n}) if part <= n]
    found = call_all([("outcomes.wilson", case) for case in drawn])
    for case, answer in zip(drawn, found, strict=True):
        assert answer == near(asdict(wilson(*case))), case


def test_mcnemar_is_exact_for_any_two_counts() -> None:
    generator = np.random.default_rng(0)
    drawn = [(a, b) for a in range(9) for b in range(9)]
    drawn += [tuple(generator.integers(0, most, 2).tolist()) for most in (60, 400, 3000, 10_000) for _ in range(60)]
    drawn += [(100, 101), (101, 100), (500, 500), (0, 1000), (4000, 4100), (4999, 5001)]
    found = call_all([("outcomes.mcnemar", case) for case in drawn])
    for case, answer in zip(drawn, found, strict=True):
        assert answer == pytest.approx(mcnemar(*case), **CLOSE), case


def test_rank_lost_is_the_auroc_of_analysis_with_ties_and_missing_margins() -> None:
    drawn = [(one, eps) for one, eps in cases() if one.n > 40]
    found = call_all([("outcomes.rankLost", [decoded(one), eps]) for one, eps in drawn])
    expected = [
        thin_ice.predictive(one, population="clean" if eps is None else "robust", eps=eps, bootstrap=2).value
        for one, eps in drawn
    ]
    assert found == [None if value is None else pytest.approx(value, **CLOSE) for value in expected]
    assert sum(value is not None for value in expected) > 20 and None in expected


@pytest.mark.parametrize("eps", [8 / 255, 0.1], ids=["own of the pruned", "own of the dense"])
def test_sets_of_witnesses_at_two_eps_are_judged_at_their_own(eps: float) -> None:
    generator = np.random.default_rng(3)
    sides = []
    for own in (0.1, 8 / 255):
        margin = generator.choice([0.0, own, own * (1 - 1e-3), own * (1 + 6e-8), INF], 200)
        sides.append(make(margin, kind="witness", eps=own))
    one = pair(*sides)
    codes = call("outcomes.sets", decoded(one), eps)
    assert [flips.SETS[code] for code in codes] == flips.name_sets(judge_at(one, eps), eps).tolist()


def test_sets_of_witnesses_at_one_eps_admit_the_rounding_of_a_pixel() -> None:
    margin = [0.0, 0.1, 0.1 * (1 + 6e-8), 0.05, INF]
    one = pair(make(margin, kind="witness", eps=0.1), make(margin[::-1], kind="witness", eps=0.1))
    codes = call("outcomes.sets", decoded(one), 0.1)
    assert [flips.SETS[code] for code in codes] == flips.name_sets(one, 0.1).tolist()
