"""The threshold of thin ice in the browser: its cut and its figures, against `backend.analysis` and scikit-learn."""

import re

import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from backend.analysis.flips import find_held, find_lost
from backend.analysis.outcomes import is_broken
from backend.analysis.pairing import Pair
from backend.services import comparisons
from frontend.figures.units import L2, LINF, Unit
from frontend.review.walk import load_pair
from frontend.words import percent
from tests.analysis.fabrication import draw_pair, make_pair
from tests.frontend.assets.pairs import decoded
from tests.frontend.assets.scripts import call_all
from tests.frontend.assets.test_distances import state_of
from tests.frontend.pairs import MadePair

UNITS = pytest.mark.parametrize("unit", [LINF, L2], ids=["1/255", "plain numbers"])


def count(pair: Pair, delta: float) -> dict[str, int]:
    """The same by analysis: `delta` in the norm's unit."""
    is_held, is_lost = find_held(pair)[0], find_lost(pair)
    is_flagged = is_held & is_broken(pair.dense.margin, delta)
    masks = {"held": is_held, "lost": is_lost, "flagged": is_flagged, "caught": is_flagged & is_lost}
    return {name: int(mask.sum()) for name, mask in masks.items()}


def draw_cases(unit: Unit, *, pairs: int, n: int) -> list[tuple[Pair, float]]:
    """Pairs with thresholds in shown units: steps of the slider, and margins themselves with what lies next to them."""
    drawn = [(draw_pair(n, seed), seed) for seed in range(pairs)]
    return [(pair, delta) for pair, seed in drawn for delta in draw_deltas(pair, unit, seed)]


def draw_deltas(pair: Pair, unit: Unit, seed: int) -> list[float]:
    generator = np.random.default_rng(seed)
    steps = generator.integers(1, 100, 10) * (0.5 if unit.counts_steps else 0.005)
    margins = pair.dense.margin[np.isfinite(pair.dense.margin) & (pair.dense.margin > 0)][:10]
    nearby = [unit.shown(float(margin)) * factor for margin in margins for factor in (1 - 1e-6, 1.0, 1 + 1e-6)]
    return [*steps.tolist(), *nearby]


@UNITS
def test_count_flags_the_samples_that_analysis_flags(unit: Unit) -> None:
    cases = draw_cases(unit, pairs=12, n=150)
    counted = call_all([("ice.count", [decoded(pair), delta / unit.scale]) for pair, delta in cases])
    assert counted == [count(pair, delta / unit.scale) for pair, delta in cases]
    assert len({answer["flagged"] for answer in counted}) > 20


@UNITS
def test_count_at_a_margin_of_single_precision_flags_it_on_its_own_step(unit: Unit) -> None:
    steps = (np.arange(1, 120) * (0.5 if unit.counts_steps else 0.005)).tolist()
    margins = [float(np.float32(step / unit.scale)) for step in steps]
    pair = make_pair(margins, margins)
    counted = call_all([("ice.count", [decoded(pair), step / unit.scale]) for step in steps])
    assert [answer["flagged"] for answer in counted] == list(range(1, 120))
    assert counted == [count(pair, step / unit.scale) for step in steps]


@UNITS
def test_sentence_says_the_counts_recall_and_precision_of_analysis(unit: Unit) -> None:
    state = {**state_of(unit), "has_margins": True}
    cases = draw_cases(unit, pairs=3, n=1500)
    said = call_all([("ice.sentence", [decoded(pair), delta, state]) for pair, delta in cases])
    names = call_all([("distances.asText", [delta, state]) for _, delta in cases])
    for (pair, delta), sentence, name in zip(cases, said, names, strict=True):
        counts = count(pair, delta / unit.scale)
        is_held = find_held(pair)[0]
        is_lost = find_lost(pair)[is_held]
        is_flagged = is_broken(pair.dense.margin[is_held], delta / unit.scale)
        recall = recall_score(is_lost, is_flagged, zero_division=np.nan)
        precision = precision_score(is_lost, is_flagged, zero_division=np.nan)
        shares = [is_flagged.mean(), recall, precision]
        shown = ["none" if np.isnan(share) else percent(float(share), digits=1) for share in shares]
        numbers = [f"{counts[key]:,}" for key in ("flagged", "held", "caught", "lost")]
        found = re.findall(r"[\d.]+ %|none|\d[\d,]*(?:\.\d+)?(?:/255)?", sentence)
        assert sorted(found) == sorted([*numbers, name, *shown]), sentence
        assert f"recall {shown[1]}" in sentence
        assert f"{shown[2]} of the samples on thin ice are lost (precision)" in sentence


def test_sentence_without_margins_or_without_held_samples_has_no_figures() -> None:
    state = {**state_of(LINF), "has_margins": True}
    columns = decoded(make_pair([0.0, 0.0], [0.0, 0.1]))
    hidden, none_held = call_all(
        [
            ("ice.sentence", [columns, 13, state | {"has_margins": False}]),
            ("ice.sentence", [columns, 13, state]),
        ]
    )
    assert hidden == ""
    assert none_held and not re.search(r"\d", none_held)


def test_compare_and_samples_count_the_same_samples_on_thin_ice(made_pair: MadePair) -> None:
    sent = comparisons.pair_columns(made_pair.dense.id, made_pair.pruned.id).model_dump(mode="json")
    columns = {"call": ["outcomes.decode", [sent]]}
    deltas = [0.5 * step for step in range(1, 60)]
    in_browser = call_all([("ice.count", [columns, delta / 255]) for delta in deltas])
    on_server = [len(load_pair(made_pair.query(delta=f"{delta}/255", thin="1")).listed()) for delta in deltas]
    assert [answer["flagged"] for answer in in_browser] == on_server
    assert len(set(on_server)) > 10
