"""Overview on the real services: groups, verdicts, the sentence, and what is made anew."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import no_update

from backend.schemas.datasets import DatasetOut
from backend.services import families
from backend.services.claims.service import list_claims
from backend.store.tables import Checkpoint
from frontend.figures.dumbbell import Dumbbell, DumbbellGroup, dumbbells, figure_height, shown_range
from frontend.pages import overview
from frontend.pages.overview.callbacks import fill, recolour
from frontend.pages.overview.holdings import Holdings, read_holdings
from frontend.pages.overview.layout import dumbbell_groups, headline
from frontend.pages.overview.table import best_ids, checkpoint_table
from frontend.rows import live_cells
from frontend.theme import DARK, LIGHT
from tests.frontend.words import hrefs, text_of
from tests.services.fabrication import (
    Measured,
    add_checkpoint,
    add_dataset,
    compare_weights,
    evaluate,
    make_pixels,
    measure,
    queue,
)

N = 120
CLAIM = {
    "robust_accuracy": 0.9,
    "attack": "PGD-10",
    "norm": "Linf",
    "eps_text": "25.5/255",
    "n": 100,
    "source": "a card",
}


@pytest.fixture
def family(ready: Path, tmp_path: Path) -> tuple[DatasetOut, dict[str, Checkpoint], Measured]:
    """A dense checkpoint, its control, another seed and two pruned ones; nothing evaluated."""
    dataset = add_dataset(tmp_path, "digits", n=N)
    dense = add_checkpoint(dataset.id, "parent", claim=CLAIM)
    rows = {
        "parent": dense,
        "child-99": add_checkpoint(
            dataset.id, "child-99", role="pruned", parent_id=dense.id, declared_sparsity=0.99, measured_sparsity=0.5
        ),
        "child-90": add_checkpoint(
            dataset.id, "child-90", role="pruned", parent_id=dense.id, declared_sparsity=0.9, claim=CLAIM
        ),
        "other-seed": add_checkpoint(dataset.id, "other-seed", inspection=compare_weights(dense)),
        "control": add_checkpoint(dataset.id, "control", method="control", parent_id=dense.id),
    }
    _, labels = make_pixels(N)
    return dataset, rows, measure(labels, 1)


def standing_of(holdings: Holdings, name: str) -> Any:
    return next(row for row in holdings.standings if row.checkpoint.name == name)


def test_layout_of_an_empty_home_says_how_to_fill_it(ready: Path) -> None:
    page = overview.layout()
    assert "no checkpoints yet" in text_of(page)
    assert "/upload" in hrefs(page)


def test_holdings_put_dense_then_controls_then_pruned_by_sparsity(family: Any) -> None:
    (only,) = read_holdings().families
    assert [row.checkpoint.name for row in only.members] == [
        "parent",
        "control",
        "other-seed",
        "child-99",
        "child-90",
    ], "child-99 has half of its weights, whatever was declared"
    assert [row.place for row in only.members] == ["dense", "control", "control", "pruned", "pruned"]


def test_holdings_count_as_controls_what_methods_calls_controls(family: Any) -> None:
    dataset, rows, _ = family
    noisy = add_checkpoint(dataset.id, "noisy", inspection=compare_weights(rows["parent"], answer="yes"))
    holdings = read_holdings()
    shown = {row.name: row.place for row in families.get_family(rows["parent"].id).rows}
    assert {row.checkpoint.name: row.kind for row in holdings.families[0].members} == shown
    assert standing_of(holdings, "noisy").kind == "dense" and noisy.name not in shown
    assert "2 dense checkpoints, 2 controls and 2 pruned checkpoints" in text_of(headline(holdings))


def test_verdict_prefers_the_larger_n_then_autoattack(family: Any) -> None:
    dataset, rows, measured = family
    evaluate(rows["parent"], dataset, measured, samples=40)
    large = evaluate(rows["parent"], dataset, measured, samples=100)
    assert standing_of(read_holdings(), "parent").verdict.id == large.id
    witnesses = Measured(measured.predictions, measured.margin, measured.logit_gap, kind="witness", attack="apgd-ce")
    evaluate(rows["parent"], dataset, witnesses, samples=40, preset="autoattack")
    assert standing_of(read_holdings(), "parent").verdict.id == large.id
    official = evaluate(rows["parent"], dataset, witnesses, samples=100, preset="autoattack")
    standing = standing_of(read_holdings(), "parent")
    assert standing.verdict.id == official.id
    assert standing.margins.id == large.id


def test_verdict_at_another_eps_does_not_stand_next_to_the_claim(family: Any) -> None:
    dataset, rows, measured = family
    evaluate(rows["parent"], dataset, measured, eps="8/255")
    assert standing_of(read_holdings(), "parent").verdict is None


def test_claim_at_another_eps_is_not_drawn(family: Any) -> None:
    dataset, _, _ = family
    add_checkpoint(dataset.id, "elsewhere", role="pruned", claim=CLAIM | {"eps_text": "8/255"})
    assert standing_of(read_holdings(), "elsewhere").claim is None


def test_headline_counts_claims_that_are_too_high_beyond_chance_as_the_claims_page_does(family: Any) -> None:
    dataset, rows, measured = family
    done = evaluate(rows["child-90"], dataset, measured)
    assert done.summary is not None
    fair = {"role": "pruned", "claim": CLAIM | {"robust_accuracy": done.summary.robust_accuracy}}
    evaluate(add_checkpoint(dataset.id, "fair", **fair), dataset, measured)
    holdings = read_holdings()
    answers = {one.checkpoint_name: one.gap.answer for one in list_claims().items if one.gap is not None}
    marked = {row.name: row.is_too_high for group in dumbbell_groups(holdings) for row in group.rows}
    assert {name: marked[name] for name in answers} == {name: answer == "yes" for name, answer in answers.items()}
    assert set(answers.values()) == {"yes", "cannot tell"}
    assert "Is the claim too high? yes for 1 of 2; cannot tell for 1." in text_of(headline(holdings))


def test_headline_before_any_evaluation_promises_no_number(family: Any) -> None:
    assert "2 claims, none re-evaluated at its ε yet." in text_of(headline(read_holdings()))


def test_table_shows_numbers_with_their_effort_and_links(family: Any) -> None:
    dataset, rows, measured = family
    dense = evaluate(rows["parent"], dataset, measured)
    pruned = evaluate(rows["child-90"], dataset, measured)
    table = checkpoint_table(read_holdings())
    words, links = text_of(table), hrefs(table)
    assert f"margin, n {N}" in words
    assert f"/compare?dense={dense.id}&pruned={pruned.id}" in links
    assert f"/jobs?evaluation={pruned.id}" in links
    assert f"/jobs?new={rows['control'].id}" in links
    assert "99.00 / 50.00" in words


def test_best_values_are_named_only_where_all_were_attacked_alike(family: Any) -> None:
    dataset, rows, measured = family
    evaluate(rows["parent"], dataset, measured)
    evaluate(rows["child-90"], dataset, measured, samples=40)
    assert best_ids(read_holdings().families[0]) == {"clean": set(), "robust": set()}
    evaluate(rows["child-90"], dataset, measured)
    assert str(rows["parent"].id) in best_ids(read_holdings().families[0])["robust"]


def test_fingerprint_changes_with_a_job_and_not_with_its_absence(family: Any) -> None:
    dataset, rows, _ = family
    before = read_holdings().fingerprint()
    assert read_holdings().fingerprint() == before
    waiting = queue(rows["parent"], dataset)
    after = read_holdings()
    assert after.fingerprint() != before
    assert live_cells(standing_of(after, "parent").active)[f"{waiting.id}:left"] == {"text": "next in line"}


def test_fill_gives_every_part(family: Any) -> None:
    parts = fill(read_holdings(), DARK, "state")
    assert all(part is not no_update for part in parts.values())
    assert "not re-evaluated yet" in str(parts["figure"].to_dict())
    assert parts["style"] == {"height": f"{figure_height(dumbbell_groups(read_holdings()))}px"}


def test_recolour_gives_the_figure_alone_in_the_colours_of_the_theme(family: Any) -> None:
    parts = recolour(read_holdings(), LIGHT, "state")
    assert set(parts) == {"figure", "state"}
    assert parts["figure"] == fill(read_holdings(), LIGHT, "state")["figure"]
    assert parts["figure"] != fill(read_holdings(), DARK, "state")["figure"]


def bell(**changes: Any) -> Dumbbell:
    values: dict[str, Any] = {"claimed": 0.62, "measured": 0.57, "low": 0.56, "high": 0.58}
    words = {"name": "m", "place": "pruned", "claim": "claimed", "effort": "AutoAttack, n 200", "evaluation_id": "id"}
    return Dumbbell(**(words | values | changes))


def read_words(figure: Any) -> list[str]:
    return [text for trace in figure.data if trace.mode == "text" for text in trace.text]


def test_dumbbell_of_a_claim_that_is_too_high_is_marked_by_shape_and_words() -> None:
    figure = dumbbells([DumbbellGroup("", [bell(is_too_high=True), bell(claimed=0.575)])], LIGHT, x_title="x")
    texts = read_words(figure)
    assert sum("▼ +5.00" in text for text in texts) == 1
    assert sum("▼" in text for text in texts) == 1
    assert any("+0.50" in text for text in texts)


def test_dumbbell_that_is_not_measured_has_a_claim_only() -> None:
    nothing: dict[str, Any] = {"measured": None, "low": None, "high": None}
    figure = dumbbells([DumbbellGroup("", [bell(**nothing)])], LIGHT, x_title="x")
    assert [trace.marker.symbol for trace in figure.data if trace.mode == "markers"] == ["diamond"]
    assert not [trace for trace in figure.data if trace.mode == "lines"]


def test_dumbbells_of_many_have_as_many_traces_as_of_few_and_no_annotations() -> None:
    few, many = (
        dumbbells([DumbbellGroup("a", [bell(name=f"m{i}") for i in range(n)])], LIGHT, x_title="x") for n in (2, 200)
    )
    assert len(few.data) == len(many.data) < 10
    assert len(read_words(many)) == 2 * 200 + 1 and not many.layout.annotations
    opened = [trace.customdata for trace in many.data if trace.customdata is not None]
    assert [len(ids) for ids in opened] == [200]


def test_dumbbells_of_controls_are_rings_and_of_dense_ones_not() -> None:
    rows = [bell(place="control"), bell(place="dense"), bell(place="pruned")]
    (dots,) = [trace for trace in dumbbells([DumbbellGroup("", rows)], LIGHT, x_title="x").data if trace.customdata]
    assert dots.marker.color == (LIGHT.card, LIGHT.dense, LIGHT.pruned[0])
    assert dots.marker.line.color == (LIGHT.dense, LIGHT.dense, LIGHT.pruned[0])


def test_shown_range_holds_every_mark_and_never_blows_noise_up() -> None:
    low, high = shown_range([DumbbellGroup("", [bell(claimed=0.5701, low=0.5699, high=0.5702)])])
    assert low < 56.99 < 57.02 < high
    assert high - low >= 9.9
    assert shown_range([]) == [0.0, 100.0]
    assert np.all(np.array(shown_range([DumbbellGroup("", [bell(claimed=1.0, low=0.0)])])) == [0.0, 100.0])
