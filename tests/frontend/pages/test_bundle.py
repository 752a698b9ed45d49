"""Results from another server on the Upload page: what the file holds, what is refused, and what came of it."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from dash import no_update

from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.services import bundles, evaluations
from backend.services.uploads import IncomingFile
from frontend.pages import upload
from frontend.pages.upload import ids
from frontend.pages.upload.bundle import follow_import, preview_upload
from tests.frontend.words import by_id, hrefs, text_of
from tests.jobs.test_importing import rewrite
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure

N = 40


@pytest.fixture
def dataset(ready: Path, tmp_path: Path) -> DatasetOut:
    return add_dataset(tmp_path, "digits", n=N)


@pytest.fixture
def pair(dataset: DatasetOut) -> list[EvaluationOut]:
    _, labels = make_pixels(N)
    dense = add_checkpoint(dataset.id, "dense")
    thin = add_checkpoint(dataset.id, "thin", role="pruned", parent_id=dense.id)
    return [evaluate(row, dataset, measure(labels, seed)) for row, seed in ((dense, 1), (thin, 2))]


@pytest.fixture
def file(pair: list[EvaluationOut], tmp_path: Path) -> Path:
    path = tmp_path / "two.thinice"
    bundles.export_bundle([row.id for row in pair], path)
    return path


def arrive(path: Path) -> dict[str, Any]:
    """What the browser holds of a file that it has sent."""
    incoming = IncomingFile(path.name)
    incoming.append(path.read_bytes())
    return incoming.finish().model_dump(mode="json")


def test_page_says_what_a_bundle_is_and_has_what_the_browser_fills(dataset: DatasetOut) -> None:
    page = upload.layout(kind="bundle")
    for name in (ids.DROP, ids.FILE, ids.REFUSAL, ids.STATUS, ids.BUNDLE_GO, ids.BUNDLE_CAME, ids.BUNDLE_POLL):
        by_id(page, name)
    assert by_id(page, ids.SETUP).data["kind"] == "bundle"
    assert "count once a worker has verified them" in text_of(page)
    assert "Choose a file" in text_of(by_id(page, ids.BUNDLE_PREVIEW))
    assert {"/upload", "/upload?kind=dataset", "/upload?kind=bundle"} <= set(hrefs(page))


def test_preview_says_what_will_be_verified_and_what_is_here(
    pair: list[EvaluationOut], file: Path, tmp_path: Path
) -> None:
    shown = preview_upload(arrive(file))
    assert "2 evaluations" in text_of(shown) and "There is nothing to import" in text_of(shown)
    assert f"/jobs?evaluation={pair[0].id}" in hrefs(shown)
    new = rewrite(file, tmp_path / "new.thinice", id=uuid4())
    assert f"To verify: {N} predictions with the scores" in text_of(preview_upload(arrive(new)))


def test_preview_says_why_something_is_refused(file: Path, tmp_path: Path) -> None:
    stranger = {
        "name": "theirs", "weights_sha256": "0" * 64, "source_sha256": "0" * 64, "architecture": "resnet18",
        "normalization": "none",
    }  # fmt: skip
    words = text_of(preview_upload(arrive(rewrite(file, tmp_path / "f.thinice", id=uuid4(), checkpoint=stranger))))
    assert "refused: Upload the checkpoint theirs first" in words
    broken = tmp_path / "broken.thinice"
    broken.write_bytes(b"no archive")
    assert "not a bundle of Thin Ice" in text_of(preview_upload(arrive(broken)))
    assert "Choose a file" in text_of(preview_upload(None))


def test_follow_import_shows_progress_and_ends_with_the_way_to_the_comparison(
    pair: list[EvaluationOut], file: Path, tmp_path: Path
) -> None:
    new_id = uuid4()
    both = [bundles.import_bundle(one) for one in (rewrite(file, tmp_path / "new.thinice", id=new_id), file)]
    came = {"evaluations": [row.model_dump(mode="json") for out in both for row in out.evaluations]}
    shown, state, live, has_ended = follow_import(came, None)
    assert "1 new and 2 here already." in text_of(shown) and not has_ended
    assert f"{new_id}:fill" in live and f"/jobs?evaluation={new_id}" in hrefs(shown)
    assert follow_import(came, state)[0] is no_update
    evaluations.cancel_evaluation(new_id)
    shown, _, _, has_ended = follow_import(came, state)
    assert has_ended and "cancelled" in text_of(shown)
    evaluations.delete_evaluation(new_id)
    shown, _, _, _ = follow_import(came, state)
    assert "It was deleted." in text_of(shown)
    known = {"evaluations": [row for row in came["evaluations"] if row["outcome"] == "known"]}
    shown, _, _, has_ended = follow_import(known, None)
    assert has_ended and f"/compare?dense={pair[0].id}&pruned={pair[1].id}" in hrefs(shown)
    assert "measured here" in text_of(shown)


def test_follow_import_before_anything_came_changes_nothing(ready: Path) -> None:
    assert follow_import(None, None) == (no_update, no_update, no_update, True)
