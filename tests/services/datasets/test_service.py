"""Data sets: import, lists, samples, and the code of every refusal."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from backend.datasets.samples import sample_ids
from backend.errors import Conflict, InvalidRequest, NotFound, UnreadableDataset
from backend.schemas.datasets import DatasetOut, DatasetPatch
from backend.services import datasets
from backend.services.datasets import service
from backend.store import datasets as store
from backend.store.database import reading
from backend.store.tables import Dataset, DatasetSample
from tests.datasets.published_archives import draw, write_cifar10
from tests.services.fabrication import add_checkpoint, add_dataset, make_pixels, queue, write_npz


def upload(folder: Path, name: str, n: int = 8, seed: int = 0, **fields: Any) -> DatasetOut:
    """A data set through the real import, child process included."""
    path = write_npz(folder / "upload.npz", *make_pixels(n, seed))
    return datasets.add_dataset(path, name=name, **fields)


def test_add_dataset_npz_comes_back_by_id_and_slug(ready: Path, tmp_path: Path) -> None:
    added = upload(tmp_path, "My Digits", n=12, default_eps=0.1, classes=["a", "b", "c", "d"])
    assert (added.slug, added.size, added.shape, added.split) == ("my-digits", 12, [6, 6, 1], "upload")
    assert (added.default_eps_text, added.default_norm) == ("25.5/255", "Linf")
    assert added.default_eps == pytest.approx(0.1)
    assert datasets.get_dataset("my-digits") == datasets.get_dataset(added.id) == added


def test_add_dataset_of_a_cifar_archive_knows_its_classes_and_split(ready: Path, tmp_path: Path) -> None:
    train, test = draw(12, seed=1), draw(7, seed=2)
    path = write_cifar10(tmp_path / "cifar-10-python.tar.gz", train, test)
    added = datasets.add_dataset(path, name="cifar10-train", split="train")
    assert (added.size, added.shape, added.split) == (12, [32, 32, 3], "train")
    assert added.classes[3] == "cat" and len(added.classes) == 10
    assert "an archive of CIFAR-10, not the published one" in added.source
    assert np.array_equal(datasets.sample_pixels("cifar10-train", 5), train[0][5])
    assert datasets.add_dataset(path, name="cifar10-test").size == 7
    with pytest.raises(InvalidRequest, match="have splits"):
        upload(tmp_path, "digits", split="test")


def stored_counts() -> tuple[int, int]:
    """(rows of all data sets, rows of all samples)."""
    with reading() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Dataset, DatasetSample)]
    return counts[0] or 0, counts[1] or 0


def test_add_dataset_in_slices_is_unseen_until_whole_and_lets_others_write(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SLICE", 5)
    plain, seen = store.add_rows, []

    def look_before(*given: Any) -> None:
        with pytest.raises(NotFound):
            datasets.get_dataset("digits")
        seen.append(datasets.list_datasets().total)
        plain(*given)

    monkeypatch.setattr(store, "add_rows", look_before)
    added = upload(tmp_path, "digits", n=12)
    assert seen == [0, 0, 0], "three transactions, none of which shows the data set"
    with reading() as session:
        rows = store.dataset_rows(session, added.id)
    images, labels = make_pixels(12)
    assert [(index, content, label) for index, _, content, label in rows] == list(
        zip(range(12), sample_ids(images), labels.tolist(), strict=True)
    )


def test_add_dataset_cut_off_half_way_leaves_the_name_free(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, forget = store.add_rows, store.forget_arriving

    def break_later(session: Any, dataset_id: Any, start: int, *rest: Any) -> None:
        if start:
            raise RuntimeError("the disk is full")
        plain(session, dataset_id, start, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(store, "SLICE", 5)
        broken.setattr(store, "add_rows", break_later)
        with pytest.raises(RuntimeError, match="disk is full"):
            upload(tmp_path, "digits", n=12)
        assert stored_counts() == (0, 0)
        broken.setattr(store, "forget_arriving", lambda *_: None)  # as after a kill: nobody tidies up
        with pytest.raises(RuntimeError, match="disk is full"):
            upload(tmp_path, "digits", n=12)
    assert store.forget_arriving is forget
    assert stored_counts() == (1, 5) and datasets.list_datasets().total == 0
    upload(tmp_path, "digits", n=12)
    assert stored_counts() == (2, 17), "a writer that may still be at work is left alone"
    monkeypatch.setattr(service, "ARRIVAL_TIME", timedelta(0))
    upload(tmp_path, "other", n=8, seed=1)
    assert stored_counts() == (2, 20)
    assert {item.slug for item in datasets.list_datasets().items} == {"digits", "other"}


def test_add_dataset_without_names_numbers_its_classes(ready: Path, tmp_path: Path) -> None:
    assert upload(tmp_path, "digits", n=8).classes == ["0", "1", "2", "3"]


def test_add_dataset_taken_name_names_the_existing(ready: Path, tmp_path: Path) -> None:
    added = upload(tmp_path, "digits", n=8)
    with pytest.raises(Conflict) as refused:
        upload(tmp_path, "Digits", n=8, seed=1)
    assert refused.value.code == "conflict"
    assert refused.value.details == {"dataset_id": str(added.id), "slug": "digits"}


@pytest.mark.parametrize(
    "fields",
    [
        {"classes": ["a", "b", "c"]},
        {"classes": ["a", "b", "c", " "]},
        {"default_norm": "L1"},
        {"default_eps": "0"},
        {"default_eps": "eight"},
    ],
    ids=["too-few-classes", "blank-class", "unknown-norm", "zero-eps", "eps-in-words"],
)
def test_add_dataset_bad_field_is_an_invalid_request(ready: Path, tmp_path: Path, fields: dict) -> None:
    with pytest.raises(InvalidRequest) as refused:
        upload(tmp_path, "digits", n=8, **fields)
    assert refused.value.code == "invalid_request"
    assert datasets.list_datasets().total == 0


@pytest.mark.parametrize("name", ["", "!!!", "a" * 121], ids=["empty", "no-letters", "too-long"])
def test_make_slug_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        datasets.make_slug(name)


def test_add_dataset_float_images_are_unreadable(ready: Path, tmp_path: Path) -> None:
    images, labels = make_pixels(4)
    path = write_npz(tmp_path / "floats.npz", images / 255, labels)
    with pytest.raises(UnreadableDataset) as refused:
        datasets.add_dataset(path, name="floats")
    assert refused.value.code == "unreadable_dataset"


def test_list_datasets_pages_newest_first(ready: Path, tmp_path: Path) -> None:
    names = [add_dataset(tmp_path, name, n=4, seed=seed).slug for seed, name in enumerate(["one", "two", "three"])]
    page = datasets.list_datasets(limit=2, offset=1)
    assert [item.slug for item in page.items] == [names[1], names[0]]
    assert (page.total, page.limit, page.offset) == (3, 2, 1)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (201, 0), (10, -1)])
def test_list_datasets_page_out_of_range_is_refused(ready: Path, limit: int, offset: int) -> None:
    with pytest.raises(InvalidRequest):
        datasets.list_datasets(limit, offset)


def test_get_dataset_unknown_lists_what_exists(ready: Path, tmp_path: Path) -> None:
    add_dataset(tmp_path, "digits", n=4)
    with pytest.raises(NotFound) as refused:
        datasets.get_dataset("letters")
    assert refused.value.details == {"known": ["digits"]}


def test_sample_png_scaled_repeats_every_pixel(ready: Path, tmp_path: Path) -> None:
    images, _ = make_pixels(4)
    add_dataset(tmp_path, "digits", n=4)
    with Image.open(io.BytesIO(datasets.sample_png("digits", 2, scale=3))) as image:
        shown = np.asarray(image)
    assert shown.shape == (18, 18)
    assert np.array_equal(shown[1::3, 2::3], images[2, :, :, 0])
    assert np.array_equal(datasets.sample_pixels("digits", 2), images[2])


def test_sample_png_colour_stays_colour(ready: Path, tmp_path: Path) -> None:
    images, labels = make_pixels(4, channels=3)
    datasets.add_dataset(write_npz(tmp_path / "colour.npz", images, labels), name="colour")
    with Image.open(io.BytesIO(datasets.sample_png("colour", 0))) as image:
        assert np.array_equal(np.asarray(image), images[0])


@pytest.mark.parametrize("index", [-1, 4])
def test_sample_pixels_outside_is_not_found(ready: Path, tmp_path: Path, index: int) -> None:
    add_dataset(tmp_path, "digits", n=4)
    with pytest.raises(NotFound) as refused:
        datasets.sample_pixels("digits", index)
    assert refused.value.details == {"index": index, "size": 4}


@pytest.mark.parametrize("scale", [0, 33])
def test_sample_png_scale_out_of_range_is_refused(ready: Path, tmp_path: Path, scale: int) -> None:
    add_dataset(tmp_path, "digits", n=4)
    with pytest.raises(InvalidRequest):
        datasets.sample_png("digits", 0, scale)


def test_patch_dataset_changes_the_name_and_keeps_the_slug(ready: Path, tmp_path: Path) -> None:
    add_dataset(tmp_path, "digits", n=4)
    changed = datasets.patch_dataset("digits", DatasetPatch(name="Digits of March"))
    assert (changed.name, changed.slug) == ("Digits of March", "digits")
    assert datasets.get_dataset("digits").name == "Digits of March"
    shipped = add_dataset(tmp_path, "shipped", builtin=True)
    with pytest.raises(Conflict, match="so its name stays"):
        datasets.patch_dataset(shipped.id, DatasetPatch(name="mine"))


def test_delete_dataset_forgets_rows_and_file_and_frees_the_name(ready: Path, tmp_path: Path) -> None:
    first, twin = upload(tmp_path, "digits", n=12), upload(tmp_path, "twin", n=12)
    file = datasets.find_dataset("digits").file
    rows = stored_counts()
    datasets.delete_dataset("digits")
    assert stored_counts() == (rows[0] - 1, rows[1] - 12)
    assert (ready / "artefacts" / file).exists(), "the other data set holds the same images"
    datasets.delete_dataset(twin.id)
    assert not (ready / "artefacts" / file).exists()
    with pytest.raises(NotFound):
        datasets.delete_dataset(first.id)
    assert upload(tmp_path, "digits", n=12).size == 12


def test_delete_dataset_that_is_needed_or_shipped_is_refused(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    queue(checkpoint, dataset, 5)
    with pytest.raises(Conflict, match=r"checkpoints \(1\), evaluations \(1\)") as refused:
        datasets.delete_dataset("digits")
    assert refused.value.details == {"checkpoints": 1, "evaluations": 1}
    shipped = add_dataset(tmp_path, "shipped", builtin=True)
    with pytest.raises(Conflict, match="shipped with Thin Ice"):
        datasets.delete_dataset(shipped.id)
