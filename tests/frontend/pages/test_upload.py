"""Upload: the form agrees with REST and the catalogues, and the sheet says what a checkpoint is and lacks."""

from pathlib import Path
from typing import Any, get_args

import pytest
from dash import no_update

from backend.attacks.catalogue import PRESETS
from backend.errors import NotFound
from backend.schemas import Norm
from backend.schemas.checkpoints import CheckpointIn
from backend.schemas.datasets import DatasetForm, DatasetOut
from backend.store import checkpoints as store
from backend.store.database import writing
from backend.store.tables import Checkpoint
from frontend.pages import upload
from frontend.pages.upload import ids, sheet
from frontend.pages.upload.callbacks import follow_sheet
from frontend.pages.upload.form import parent_choices
from models.architectures.normalizations import NORMALIZATIONS
from models.pruning.plans import METHODS
from tests.frontend.assets.scripts import call
from tests.frontend.words import by_id, hrefs, live_keys, text_of
from tests.services.fabrication import add_checkpoint, add_dataset, begin, evaluate, make_pixels, measure, queue

N = 60


@pytest.fixture
def dataset(ready: Path, tmp_path: Path) -> DatasetOut:
    return add_dataset(tmp_path, "digits", n=N)


def script_fields(name: str) -> list[str]:
    """A list of names in upload_form.js."""
    fields: list[str] = call(f"uploadForm.{name}")
    return fields


def set_preflight(row: Checkpoint, **report: Any) -> None:
    with writing() as session:
        store.set_preflight(session, row.id, report)


def test_script_sends_fields_that_rest_knows_one_for_each_state() -> None:
    sent = script_fields("CHECKPOINT_FIELDS")
    assert set(sent) == set(CheckpointIn.model_fields)
    assert len(sent) == len(ids.CHECKPOINT_FORM)
    assert set(script_fields("DATASET_FIELDS")) == set(DatasetForm.model_fields)
    assert len(script_fields("DATASET_FIELDS")) == len(ids.DATASET_FORM)


def test_script_fields_stand_in_the_order_of_the_form() -> None:
    pairs = dict(zip(script_fields("CHECKPOINT_FIELDS"), ids.CHECKPOINT_FORM, strict=True))
    assert pairs["parent_id"] == ids.PARENT
    assert pairs["keep_rate"] == ids.KEEP_RATE
    assert pairs["claimed_robust_accuracy"] == ids.CLAIM
    assert (pairs["claimed_norm"], pairs["claimed_eps"]) == (ids.CLAIM_NORM, ids.CLAIM_EPS)
    assert (pairs["evaluate"], pairs["evaluate_samples"]) == (ids.EVALUATE, ids.SAMPLES)


def test_form_offers_what_the_catalogues_have(dataset: DatasetOut) -> None:
    page = upload.layout()
    assert by_id(page, ids.NORMALIZATION).data == list(NORMALIZATIONS)
    assert by_id(page, ids.METHOD).data == list(METHODS)
    assert [row["value"] for row in by_id(page, ids.EVALUATE).data] == list(PRESETS)


def test_form_offers_dense_checkpoints_of_the_data_set_as_parents(dataset: DatasetOut, tmp_path: Path) -> None:
    other = add_dataset(tmp_path, "letters", n=N, seed=5)
    dense = add_checkpoint(dataset.id, "parent")
    add_checkpoint(dataset.id, "child", role="pruned", parent_id=dense.id)
    add_checkpoint(other.id, "elsewhere")
    page = upload.layout(**{"for": "digits"})
    assert [row["label"] for row in by_id(page, ids.PARENT).data] == ["parent (small-cnn)"]
    assert by_id(page, ids.PARENT).value == str(dense.id)
    assert {row["label"] for row in parent_choices()} == {"parent (small-cnn)", "elsewhere (small-cnn)"}


def test_form_knows_how_many_samples_the_parents_have(dataset: DatasetOut) -> None:
    _, labels = make_pixels(N)
    parent = add_checkpoint(dataset.id, "parent")
    evaluate(parent, dataset, measure(labels, 1), samples=40)
    evaluate(parent, dataset, measure(labels, 1), samples=30, seed=5)
    (choice,) = by_id(upload.layout(), ids.SETUP).data["parents"]
    assert (choice["name"], choice["samples"]) == ("parent", {"margin": 40})


def test_form_starts_with_the_data_set_of_the_newest_checkpoint(dataset: DatasetOut, tmp_path: Path) -> None:
    add_checkpoint(dataset.id, "parent")
    newest = add_dataset(tmp_path, "letters", n=N, seed=5)
    assert by_id(upload.layout(), ids.DATASET).value == str(dataset.id)
    assert by_id(upload.layout(**{"for": "letters"}), ids.DATASET).value == str(newest.id)


def test_form_of_an_empty_home_asks_for_a_data_set(ready: Path) -> None:
    page = upload.layout()
    assert "Add a data set first" in text_of(page)
    assert by_id(page, ids.DATASET).value is None


def test_form_says_what_an_empty_norm_and_eps_of_a_claim_mean(dataset: DatasetOut) -> None:
    page = upload.layout()
    norm, eps = by_id(page, ids.CLAIM_NORM), by_id(page, ids.CLAIM_EPS)
    assert norm.data == list(get_args(Norm))
    assert all(field.placeholder.startswith("data set default") for field in (norm, eps))


def test_layout_has_every_field_that_the_browser_sends(dataset: DatasetOut) -> None:
    for page, form in ((upload.layout(), ids.CHECKPOINT_FORM), (upload.layout(kind="dataset"), ids.DATASET_FORM)):
        for name in (*form, ids.DROP, ids.FILE, ids.REFUSAL, ids.STATUS, ids.SETUP):
            by_id(page, name)


# --- the sheet -------------------------------------------------------------------------------------------------------
def test_sheet_says_what_was_declared_and_what_was_measured(dataset: DatasetOut) -> None:
    parent = add_checkpoint(dataset.id, "parent")
    row = add_checkpoint(
        dataset.id,
        "child",
        role="pruned",
        parent_id=parent.id,
        declared_sparsity=0.95,
        measured_sparsity=0.5,
        warnings=["Declared sparsity 95.00%, measured 50.00%."],
    )
    words = text_of(upload.layout(checkpoint=str(row.id)))
    assert "50.00 % of its 80 prunable weights are zero, but 95.00 % were declared" in words
    assert "Declared sparsity 95.00%, measured 50.00%." in words
    assert "8 × 1 × 3 × 3" in words


def test_sheet_says_at_which_norm_and_eps_a_claim_is(dataset: DatasetOut) -> None:
    claim = {"robust_accuracy": 0.6, "attack": "PGD-10", "norm": "Linf", "eps_text": "4/255", "n": 100, "source": None}
    row = add_checkpoint(dataset.id, "parent", claim=claim)
    words = text_of(upload.layout(checkpoint=str(row.id)))
    assert "Claimed: 60.00 % robust accuracy, PGD-10, n 100, Linf 4/255." in words


def test_sheet_shows_the_preflight_as_soon_as_it_is_through(dataset: DatasetOut) -> None:
    row = add_checkpoint(dataset.id, "parent")
    page = upload.layout(checkpoint=str(row.id))
    assert "waiting for a worker" in text_of(page)
    state = by_id(page, ids.SHEET_STATE).data
    assert follow_sheet(str(row.id), state, {})[:3] == (no_update, no_update, no_update)
    check = {"code": "accuracy", "title": "Clean accuracy", "outcome": "warn", "sentence": "Close to chance."}
    set_preflight(row, state="warned", checks=[check], clean_accuracy=0.11, n=300)
    body, now, _, pace = follow_sheet(str(row.id), state, {})
    assert "Close to chance." in text_of(body) and "11.00 %" in text_of(body)
    assert now != state and pace > sheet.POLL_MILLISECONDS


def test_sheet_leads_to_what_is_missing_for_a_comparison(dataset: DatasetOut) -> None:
    _, labels = make_pixels(N)
    parent = add_checkpoint(dataset.id, "parent")
    row = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    address = {"checkpoint": str(row.id)}
    assert f"/jobs?new={parent.id}" in hrefs(upload.layout(**address))
    dense = evaluate(parent, dataset, measure(labels, 1), samples=40)
    assert f"/jobs?new={row.id}&preset=margin&n=40" in hrefs(upload.layout(**address))
    waiting = queue(row, dataset, samples=40)
    assert "as soon as its evaluation has finished" in text_of(upload.layout(**address))
    begin(waiting.id)
    assert f"{waiting.id}:left" in live_keys(upload.layout(**address))
    assert "Can be compared with parent once child is evaluated" in text_of(upload.layout(**address))
    pruned = evaluate(row, dataset, measure(labels, 2), samples=40)
    assert f"/compare?dense={dense.id}&pruned={pruned.id}" in hrefs(upload.layout(**address))
    assert "Compare with parent (40 shared)" in text_of(upload.layout(**address))


def test_sheet_follows_the_evaluation_of_the_parent_too(dataset: DatasetOut) -> None:
    _, labels = make_pixels(N)
    parent = add_checkpoint(dataset.id, "parent")
    row = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    set_preflight(row, state="passed", checks=[])
    evaluate(row, dataset, measure(labels, 2), samples=40)
    waiting = queue(parent, dataset, samples=40)
    page = upload.layout(checkpoint=str(row.id))
    assert "Can be compared with parent once parent is evaluated" in text_of(page)
    state = by_id(page, ids.SHEET_STATE).data
    assert follow_sheet(str(row.id), state, None)[3] == sheet.POLL_MILLISECONDS
    evaluate(parent, dataset, measure(labels, 1), samples=40)
    body = follow_sheet(str(row.id), state, None)[0]
    assert "Compare with parent (40 shared)" in text_of(body)
    assert waiting.id


def test_sheet_offers_the_effort_that_gives_margins(dataset: DatasetOut) -> None:
    _, labels = make_pixels(N)
    parent = add_checkpoint(dataset.id, "parent")
    row = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    evaluate(parent, dataset, measure(labels, 1), samples=40)
    verdicts = measure(labels, 1)
    verdicts.kind = "witness"
    evaluate(parent, dataset, verdicts, preset="autoattack")
    assert f"/jobs?new={row.id}&preset=margin&n=40" in hrefs(upload.layout(checkpoint=str(row.id)))


def test_sheet_of_an_orphan_says_that_nothing_is_compared_with_it(dataset: DatasetOut) -> None:
    row = add_checkpoint(dataset.id, "orphan", role="pruned")
    assert "has no parent" in text_of(upload.layout(checkpoint=str(row.id)))


def test_sheet_of_an_unknown_checkpoint_is_not_found(dataset: DatasetOut) -> None:
    with pytest.raises(NotFound):
        upload.layout(checkpoint="no-such-id")


def test_dataset_sheet_shows_size_classes_and_samples(dataset: DatasetOut) -> None:
    page = upload.layout(kind="dataset", dataset="digits")
    words = text_of(page)
    assert "6 × 6" in words and "25.5/255" in words and str(N) in words
    assert "/upload?for=digits" in hrefs(page)
