"""What Sample adds below its images: the margin along sparsity, the slice's request, and restored layers."""

import json
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from backend.schemas import Interval
from backend.schemas.comparisons import Rate
from backend.schemas.layers import LayersIn, LayersOut, RestoredLayerOut
from backend.services import layers
from frontend.figures.units import LINF
from frontend.pages import sample as page
from frontend.pages.sample.layers import layer_table, read, sample_words
from frontend.pages.sample.layout import find_sample
from frontend.pages.sample.versions import find_versions
from frontend.review.walk import load_pair
from tests.frontend.pairs import EPS, KEPT, LOST, MISSED, MadePair, make_pair
from tests.frontend.words import by_id, text_of, walk
from tests.services.fabrication import add_checkpoint, evaluate, make_pixels, measure


@pytest.fixture(scope="module")
def pair(made_pair: MadePair) -> MadePair:
    return made_pair


def found_data(content: Any, name: str) -> Any:
    """What a script gets in data-<name>."""
    parts = [part.to_plotly_json()["props"] for part in walk(content) if isinstance(part, Component)]
    (one,) = [props[f"data-{name}"] for props in parts if f"data-{name}" in props]
    return json.loads(one)


# --- the margin along sparsity ---------------------------------------------------------------------------------------
def test_trajectory_has_every_version_with_its_margin_and_leads_to_it(pair: MadePair) -> None:
    drawn = found_data(page.layout(**pair.query(index=KEPT)), "trajectory")
    assert [mark["state"] for mark in drawn["marks"]].count("margin") >= 1
    shown = next(mark for mark in drawn["marks"] if mark["current"])
    assert (shown["value"], shown["state"]) == (pytest.approx(25.5), "margin")
    other = next(mark for mark in drawn["marks"] if not mark["current"])
    assert json.loads(other["step"]) == {"pruned": str(pair.milder.id)} and f"index={KEPT}" in other["href"]
    assert other["x"] < shown["x"] and "n 200" in shown["words"]
    assert (drawn["dense"], drawn["dense_state"], drawn["unit"]) == (pytest.approx(25.5), "margin", "1/255")


def test_trajectory_keeps_wrong_and_missed_apart_from_margins(pair: MadePair) -> None:
    lost = found_data(page.layout(**pair.query(index=LOST)), "trajectory")
    assert next(mark for mark in lost["marks"] if mark["current"])["state"] == "wrong"
    missed = found_data(page.layout(**pair.query(index=MISSED)), "trajectory")
    assert (missed["dense"], missed["dense_state"]) == (None, "none")


def test_versions_of_fewer_samples_are_shown_where_they_hold_the_sample_and_named_where_not(
    ready: Path, tmp_path: Path
) -> None:
    made = make_pair(tmp_path)
    few = add_version(made, "child-99", samples=50)
    add_version(made, "child-50", evaluated=False)
    query = made.query(index=150)
    versions = find_versions(load_pair(query), find_sample(load_pair(query), "150"))
    assert [one.row is None for one in versions.shown if one.evaluation.id == few] == [True]
    words = text_of(page.layout(**query))
    assert "2 of 4 versions hold this sample" in words
    assert "child-99 (n 50)" in words and "Not evaluated like this pair in Linf: child-50" in words
    inside = page.layout(**made.query(index=KEPT))
    assert "3 of 4 versions hold this sample" in text_of(inside)
    assert len(found_data(inside, "trajectory")["marks"]) == 3


def add_version(made: MadePair, name: str, samples: int = 50, *, evaluated: bool = True) -> Any:
    """Another pruned version of the pair's parent; gives its evaluation, of the first samples."""
    row = add_checkpoint(
        made.dataset.id, name, role="pruned", parent_id=made.dense.checkpoint_id, method="lwm", declared_sparsity=0.99
    )
    return evaluate(row, made.dataset, measure(make_pixels(200)[1], 5), samples=samples).id if evaluated else None


# --- the slice -------------------------------------------------------------------------------------------------------
def test_slice_card_asks_for_the_slice_of_the_shown_pair_and_sample(pair: MadePair) -> None:
    asked = found_data(page.layout(**pair.query(index=LOST, eps="20/255")), "slice")
    assert (asked["dense"], asked["pruned"], asked["index"]) == (str(pair.dense.id), str(pair.pruned.id), LOST)
    assert asked["names"] == ["parent", "child-95"] and asked["classes"] == ["zero", "one", "two", "three"]
    assert asked["eps"] == pytest.approx(20 / 255) and asked["eps_text"] == "20/255"


# --- restored layers -------------------------------------------------------------------------------------------------
def test_layers_card_says_what_was_measured_and_what_runs(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path)
    content = page.layout(**made.query(index=LOST))
    assert "Not measured at 25.5/255 yet" in text_of(by_id(content, "sample-layers"))
    of = {"dense": str(made.dense.id), "pruned": str(made.pruned.id), "eps": "25.5/255", "norm": "Linf", "index": LOST}
    layers.queue_layers(LayersIn(dense=made.dense.id, pruned=made.pruned.id, index=LOST))
    shown, is_quiet = read(of)
    assert not is_quiet and "waiting for a worker" in text_of(shown) and "Cancel" in text_of(shown)


def make_rate(count: int, n: int) -> Rate:
    return Rate(value=count / n, interval=Interval(low=0.1, high=0.9), count=count, n=n)


def test_layer_table_has_n_everywhere_and_a_column_for_a_sample_that_was_measured(pair: MadePair) -> None:
    layer = RestoredLayerOut(
        name="conv1", parts=["conv1", "bn1"], weights=800, clean_back=make_rate(2, 3), robust_back=make_rate(5, 8),
        kept_held=None, clean_accuracy=make_rate(150, 200), margins=[None, 0.02, 0.0], seconds=1.0,
    )  # fmt: skip
    found = LayersOut(
        evidence_id=pair.dense.id, dense_evaluation_id=pair.dense.id, pruned_evaluation_id=pair.pruned.id,
        state="succeeded", eps=EPS, eps_text="25.5/255", preset="margin", indices=[LOST, 40, 50], lost=2,
        lost_in_all=2, kept=1, layers=[layer], names=["conv1"],
    )  # fmt: skip
    of = {"index": LOST, "norm": "Linf"}
    words = text_of(layer_table(found, of))
    assert "This sample" in words and "back: none found" in words and "with bn1, 800 weights" in words
    assert all(part in words for part in ("2 of 3", "5 of 8", "150 of 200", "no such sample"))
    assert "This sample" not in text_of(layer_table(found, of | {"index": 50})), "that one is kept"


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (0.0, "still wrong"),
        (None, "back: none found"),
        (30 / 255, "back: 30.00/255, holds at 25.5/255"),
        (10 / 255, "right, 10.00/255, broken within 25.5/255"),
    ],
)
def test_sample_words_say_what_became_of_it(margin: float | None, words: str) -> None:
    assert text_of(sample_words(margin, 0.1, "25.5/255", LINF)) == words
