"""The buttons of jobs: each kind has those that its state allows, and they do what they say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.errors import NotFound
from backend.schemas.evidence import HarderIn
from backend.schemas.prunings import PruningIn
from backend.services import evaluations, evidence, prunings
from frontend import jobs
from frontend.jobs import KINDS, VERBS, button_id, buttons, progress_cell
from tests.frontend.words import by_id, text_of
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure
from tests.services.fabrication import queue as queue_one

Ask = Callable[[Path], Any]


def ask_evaluation(folder: Path) -> Any:
    dataset = add_dataset(folder, "digits")
    return queue_one(add_checkpoint(dataset.id, "net"), dataset, 20)


def ask_evidence(folder: Path) -> Any:
    dataset = add_dataset(folder, "digits")
    measured = measure(make_pixels(60)[1], 1)
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured)
    right = next(row for row in range(60) if measured.margin[row] > 0)
    return evidence.queue_harder(done.id, HarderIn(samples=[right], budget=10))


def ask_pruning(folder: Path) -> Any:
    parent = add_checkpoint(add_dataset(folder, "digits").id, "net")
    add_dataset(folder, "training", 200, seed=5)
    wish: dict[str, Any] = {"training_dataset_id": "training", "method": "lwm", "sparsity": 0.9}
    return prunings.queue_pruning(PruningIn(parent_id=parent.id, **wish))


@pytest.mark.parametrize(
    ("kind", "ask"), [("evaluation", ask_evaluation), ("evidence", ask_evidence), ("pruning", ask_pruning)]
)
def test_buttons_of_a_job_follow_its_state_and_act(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, ask: Ask
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(jobs, "notify", lambda *words: told.append(words))  # needs a browser's callback
    of, row = KINDS[kind], ask(tmp_path)
    assert text_of(buttons(kind, row)) == "Cancel"
    assert "waiting for a worker" in text_of(progress_cell(row, "it"))
    by_id(buttons(kind, row), button_id("cancel", kind, row.id))
    VERBS["cancel"].act(of, str(row.id))
    cancelled = of.jobs.get(row.id)
    assert text_of(buttons(kind, cancelled)) == f"ResumeDelete{of.loses}"
    note = by_id(buttons(kind, cancelled), f"delete-note-{row.id}")
    asks = by_id(buttons(kind, cancelled), button_id("delete", kind, row.id)).to_plotly_json()["props"]
    assert (asks["data-confirm"], asks["aria-describedby"]) == ("Really delete?", note.id)
    assert text_of(buttons(kind, cancelled, deletes=False)) == "Resume"
    assert "cancelled after 0 of" in text_of(progress_cell(cancelled, "it"))
    VERBS["resume"].act(of, str(row.id))
    assert of.jobs.get(row.id).state == "queued"
    VERBS["cancel"].act(of, str(row.id))
    VERBS["delete"].act(of, str(row.id))
    with pytest.raises(NotFound):
        of.jobs.get(row.id)
    assert [title for title, _ in told] == ["Cancelled", "Queued again", "Cancelled", "Deleted"]
    assert all("net" in words for _, words in told)


def test_buttons_of_a_succeeded_evaluation_delete_it_with_its_margins(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "notify", lambda *words: None)
    dataset = add_dataset(tmp_path, "digits")
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measure(make_pixels(60)[1], 1))
    row = evaluations.get_evaluation(done.id)
    assert text_of(buttons("evaluation", row)).startswith("DeleteThis also deletes the margins")
    VERBS["delete"].act(KINDS["evaluation"], str(row.id))
    with pytest.raises(NotFound):
        evaluations.margins(row.id)


def test_buttons_of_a_pruning_delete_it_once_its_checkpoint_is_gone(ready: Path, tmp_path: Path) -> None:
    row = prunings.get_pruning(ask_pruning(tmp_path).id)
    done = row.model_copy(update={"state": "succeeded", "checkpoint_id": row.parent_id})
    assert text_of(buttons("pruning", done)) == ""
    assert text_of(buttons("pruning", done.model_copy(update={"checkpoint_id": None}))).startswith("Delete")
