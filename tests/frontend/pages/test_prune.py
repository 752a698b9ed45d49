"""The Prune page on the real services: the form and its hints, what it queues, and a run as people read it."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import dash_mantine_components as dmc
import pytest
from dash import no_update

from backend.errors import InvalidRequest
from backend.schemas.prunings import PruningOut
from backend.schemas.records import MeasuredMargins, PruningRecord
from backend.services import datasets, prunings, zoo
from backend.services.datasets.fetching import Fetch
from backend.store.database import writing
from backend.store.jobs import move_state
from backend.store.tables import Checkpoint, Pruning
from frontend.jobs import fingerprint
from frontend.pages import jobs, prune
from frontend.pages.jobs import ids as jobs_names
from frontend.pages.overview.holdings import read_holdings
from frontend.pages.overview.table import checkpoint_table
from frontend.pages.prune import ids
from frontend.pages.prune.callbacks import fit_method, pair_settings, send_form
from frontend.pages.prune.images import fetch_words, follow_fetch, missing_words
from frontend.pages.prune.request import cost_words, million, read_form
from tests.frontend.words import by_id, hrefs, text_of, walk
from tests.services.fabrication import add_checkpoint, add_dataset

VALUES: dict[str, Any] = {
    "method": "hydra", "sparsity": 92.5, "granularity": "weight", "schedule": "short", "epochs": None, "eps": "",
    "loss": None, "seed": 3, "name": "", "evaluate": "fast", "settings": {},
}  # fmt: skip
MADE: dict[str, Any] = {
    "measured_sparsity": 0.925, "clean_accuracy": 0.8, "claimed_robust_accuracy": 0.7, "claimed_n": 60,
    "best_epoch": 3, "validation_robust_accuracy": 0.71, "train_seconds": 12.0, "device": "cpu", "torch": "2.13.0",
}  # fmt: skip


@pytest.fixture
def parent(ready: Path, tmp_path: Path) -> Checkpoint:
    judging = add_dataset(tmp_path, "judging", 60)
    return add_checkpoint(judging.id, "dense-net")


@pytest.fixture
def values(parent: Checkpoint, tmp_path: Path) -> dict[str, Any]:
    """A form filled in."""
    training = add_dataset(tmp_path, "training", 200, seed=5)
    return {**VALUES, "parent": str(parent.id), "data": str(training.id)}


def queue_one(values: dict[str, Any]) -> PruningOut:
    return prunings.queue_pruning(read_form(values))


def test_page_without_a_dense_checkpoint_leads_to_the_upload(ready: Path) -> None:
    assert "/upload" in hrefs(prune.layout())


def test_form_sends_the_settings_that_are_filled_in(values: dict[str, Any]) -> None:
    pair = pair_settings([ids.setting("gamma"), ids.setting("rounds")], [0.5, None])
    row = queue_one({**values, "method": "harp", "settings": pair})
    assert row.record.recipe["settings"] == {"gamma": 0.5, "rounds": 20}
    with pytest.raises(InvalidRequest, match=r"rounds must be within 1\.\.1000"):
        queue_one({**values, "method": "harp", "settings": {"rounds": 0}})
    with pytest.raises(InvalidRequest, match="check the settings"):
        queue_one({**values, "method": "harp", "settings": {"rounds": "many"}})


def test_page_without_training_images_says_in_one_sentence_what_to_do(parent: Checkpoint) -> None:
    page = prune.layout()
    words = text_of(by_id(page, ids.DATA_HINT))
    assert "None of the data sets known by name fits" in words and "upload an .npz" in words
    assert by_id(page, ids.GO).disabled
    assert by_id(page, ids.DATA).value is None


def test_page_of_a_grey_network_offers_fashion_mnist_and_no_cifar(ready: Path) -> None:
    zoo.load_datasets()
    parent = add_checkpoint(datasets.get_dataset("fashion-mnist-test").id, "dense-net")
    hint = by_id(prune.layout(), ids.DATA_HINT)
    assert "thinice dataset fashion-mnist --split train" in text_of(hint) and "cifar" not in text_of(hint)
    assert by_id(hint, ids.fetch("fashion-mnist")).children.startswith("Get Fashion-MNIST (")
    assert missing_words(str(parent.id)) == "Pruning needs training images of Fashion-MNIST: get them above first."


def test_fetch_words_say_how_far_it_is_and_why_it_failed(ready: Path) -> None:
    fetch = Fetch("fashion-mnist", "train", "Fashion-MNIST", "fetching", 5_000_000, 20_000_000, False)
    assert "5.0 MB of about 20.0 MB" in text_of(fetch_words(fetch))
    assert fetch_words(replace(fetch, received_bytes=19_999_000)) == "Reading the training images of Fashion-MNIST ..."
    failed = fetch_words(replace(fetch, state="failed", error="No network."))
    assert "No network. (code not_fetched)" in text_of(failed)
    assert follow_fetch(None) == (no_update, True, no_update)
    assert follow_fetch("fashion-mnist")[1:] == (True, no_update), "nothing is on its way"


def test_page_offers_what_fits_and_takes_the_parent_of_the_address(values: dict[str, Any], parent: Checkpoint) -> None:
    add_checkpoint(parent.dataset_id, "other-net")
    page = prune.layout(parent=str(parent.id))
    assert by_id(page, ids.PARENT).value == str(parent.id)
    assert by_id(page, ids.DATA).value == values["data"]
    assert text_of(by_id(page, ids.DATA_HINT)) == ""
    assert [row["value"] for row in by_id(page, ids.METHOD).data][-1] == "control"


def test_method_brings_its_own_choices_and_takes_back_those_it_lacks(ready: Path) -> None:
    summary, shapes, shape, schedules, schedule, losses, loss, is_fixed, is_hidden, own = fit_method(
        "thin-ice", "channel", "paper", "MART"
    )
    assert "dense boundary" in summary and [row["value"] for row in shapes] == [shape] == ["weight"]
    assert [row["value"] for row in schedules] == [schedule] == ["short"]
    assert (losses, loss, is_fixed, is_hidden) == (["PGD-AT"], None, True, False)
    assert fit_method("harp", "channel", "paper", "MART")[2] == "channel"
    fields = [part for part in walk(own) if isinstance(part, dmc.NumberInput)]
    assert [part.label for part in fields][-2:] == ["learned rates", "measured margins"]
    assert (fields[0].placeholder, fields[0].max) == ("1", 100)
    assert [part.allowDecimal for part in fields] == [True] * (len(fields) - 2) + [False] * 2
    assert fit_method("control", "weight", "short", None)[-2:] == (True, [])


def test_estimate_names_passes_and_a_free_name_and_why_not(values: dict[str, Any]) -> None:
    words, name = cost_words(values)
    assert name == "dense-net-hydra-92.5" and "passes" in words and "4 epochs" in words
    assert "at least 2 epochs" in cost_words({**values, "epochs": 1})[0]
    assert cost_words({**values, "data": None}) == ("", "automatic")
    assert [million(number) for number in (12, 2_784_000, 3_100_000_000)] == ["12", "2.78 million", "3.1 billion"]


def test_form_is_queued_as_it_was_filled_in(values: dict[str, Any]) -> None:
    made = send_form({**values, "eps": "8/255", "epochs": 6})
    (row,) = prunings.list_prunings().items
    assert f"/prune?pruning={row.id}" in hrefs(made)
    assert (row.method, row.sparsity, row.eps_text, row.epochs) == ("hydra", 0.925, "8/255", 6)
    assert (row.seed, row.evaluate, row.name) == (3, "fast", "dense-net-hydra-92.5")


def test_form_that_cannot_be_run_says_so_in_place(values: dict[str, Any]) -> None:
    assert "trains_on_test" in text_of(send_form({**values, "data": "judging"}))
    assert "the seed" in text_of(send_form({**values, "seed": ""}))
    with pytest.raises(InvalidRequest, match="training images first"):
        read_form({**values, "data": None})
    assert prunings.list_prunings().total == 0


def test_run_stands_on_jobs_with_progress_and_its_buttons(values: dict[str, Any]) -> None:
    assert text_of(by_id(jobs.layout(), jobs_names.PRUNINGS)) == ""
    row = queue_one(values)
    assert "waiting for a worker" in text_of(by_id(jobs.layout(), jobs_names.PRUNINGS))
    with writing() as session:
        running: dict[str, Any] = {"state": "running", "stage": "search: epoch 1 of 4", "done": 1, "eta_seconds": 600.0}
        move_state(session, Pruning, row.id, ["queued"], **running)
    words = text_of(by_id(jobs.layout(), jobs_names.PRUNINGS))
    assert "1 of 8 steps" in words and "about 10 minutes left" in words and "Cancel" in words
    prunings.cancel_pruning(row.id)
    page = jobs.layout()
    assert "Resume" in text_of(by_id(page, jobs_names.PRUNINGS)) and f"/prune?pruning={row.id}" in hrefs(page)


def test_record_of_a_finished_run_leads_to_its_checkpoint_and_its_file(values: dict[str, Any]) -> None:
    row = queue_one(values)
    made = add_checkpoint(row.dataset_id, row.name, role="pruned", parent_id=row.parent_id, origin="pruned")
    with writing() as session:
        source = MeasuredMargins(evaluation_id=UUID(int=11), forwards=30_000, backwards=9000)
        ended = {
            "state": "succeeded",
            "checkpoint_id": made.id,
            "record": row.record.merge(PruningRecord(**MADE, dense_margins=source)),
        }
        move_state(session, Pruning, row.id, ["queued"], **ended)
    page = prune.layout(pruning=str(row.id))
    assert f"/jobs?evaluation={UUID(int=11)}" in hrefs(page) and "measured, 39,000 passes in addition" in text_of(page)
    assert {f"/upload?checkpoint={made.id}", f"/api/v1/prunings/{row.id}"} <= set(hrefs(page))
    words = text_of(page)
    assert "92.50 %" in words and "70.00 %" in words and "n 60" in words and "TRADES" in words
    assert fingerprint([row]) != fingerprint([prunings.get_pruning(row.id)])


def test_overview_leads_from_a_dense_checkpoint_to_its_pruning(parent: Checkpoint) -> None:
    assert f"/prune?parent={parent.id}" in hrefs(checkpoint_table(read_holdings()))
