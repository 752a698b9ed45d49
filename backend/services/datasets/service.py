"""Data sets: list, take an upload, look at a sample."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.counts import count_words
from backend.datasets import catalogue
from backend.datasets.child import take_dataset
from backend.datasets.downloads import OnBytes, find_files, ignore_bytes, take_files
from backend.datasets.imported import ImportedDataset
from backend.datasets.published import ARCHIVES, CANONICAL, PUBLISHED, find_published
from backend.datasets.readers import read_idx
from backend.datasets.samples import SampleArrays, load
from backend.eps import eps_text, parse_eps
from backend.errors import Conflict, InvalidRequest, NotFound
from backend.sandbox import Limits
from backend.schemas import Page, Split
from backend.schemas.datasets import DatasetOut, DatasetPatch
from backend.services.datasets.views import show_dataset
from backend.services.shared.arguments import check_page
from backend.services.shared.pixels import encode_png
from backend.settings import get_settings
from backend.store import datasets as store
from backend.store.artefacts import artefact_path
from backend.store.database import reading, writing
from backend.store.tables import Dataset, now

NORMS = ("Linf", "L2")
MAX_NAME = 120
ARRIVAL_TIME = timedelta(hours=6)  # far more than writing any data set down takes


@dataclass(frozen=True)
class IncomingDataset:
    """Where a stored data set lies."""

    path: Path


def pack_idx(images_path: Path, labels_path: Path, packed: Path) -> None:
    """Write a pair of idx files (plain or .gz), as MNIST and its kin come, as the .npz that `add_dataset` takes.

    Raises:
        UnreadableDataset: a file is damaged, or of another format.
    """
    images, labels = read_idx(images_path), read_idx(labels_path)
    np.savez(packed, x=images, y=labels.astype(np.int64))


def find_published_files(name: str, split: Split, place: Path | None, on_bytes: OnBytes = ignore_bytes) -> list[Path]:
    """The files of a split of a published data set: images, then labels where they are two.

    Args:
        place: the folder that has them, or one of them; None takes those that are installed, else those of an earlier
            download, else downloads them into the user's cache folder.

    Raises:
        UnknownName: no such data set; lists what exists.
        NotFound, UnreadableDataset, TooLarge: see `backend.datasets.downloads`.
    """
    entry = find_published(name)
    if place is None:
        return take_files(entry, split, mirror=get_settings().datasets_url, on_bytes=on_bytes)
    if place.is_file() and len(entry.downloads[split]) == 1:
        return [place]  # the server says where it is another archive than the published one
    return find_files(entry, split, place)


def list_datasets(limit: int = 50, offset: int = 0) -> Page[DatasetOut]:
    """A page of data sets, newest first."""
    check_page(limit, offset)
    with reading() as session:
        rows, total = store.page_of_datasets(session, limit, offset)
    return Page(items=[show_dataset(row) for row in rows], total=total, limit=limit, offset=offset)


def get_dataset(id_or_slug: str | UUID) -> DatasetOut:
    """One data set by id or slug; NotFound names those there are."""
    return show_dataset(find_dataset(id_or_slug))


def find_dataset(id_or_slug: str | UUID) -> Dataset:
    """The row of a data set.

    Raises:
        NotFound: none has that id or slug.
    """
    with reading() as session:
        return store.need_dataset(session, id_or_slug)


def load_samples(dataset: Dataset) -> SampleArrays:
    """Images and labels of a data set: shipped with the product, or in the artefact store."""
    path = catalogue.find_dataset(dataset.file).path if dataset.builtin else artefact_path(dataset.file)
    return load(IncomingDataset(path))


def add_dataset(
    path: Path,
    *,
    name: str,
    default_norm: str = "Linf",
    default_eps: str | float = "8/255",
    classes: list[str] | None = None,
    split: Split | None = None,
) -> DatasetOut:
    """Take an uploaded .npz, or an archive of CIFAR or SVHN, and keep it; the file at `path` stays where it is.

    Raises:
        InvalidRequest: a field is out of range, or there are fewer class names than labels.
        Conflict: a data set has this name already.
        UnreadableDataset, TooLarge: see `backend.datasets.child`.
    """
    slug = make_slug(name)
    if default_norm not in NORMS:
        raise InvalidRequest(f"The norm must be {' or '.join(NORMS)}; got {default_norm!r}.", norm=default_norm)
    eps = eps_text(parse_eps(default_eps), default_norm)
    _refuse_taken_slug(slug)
    settings = get_settings()
    imported = take_dataset(path, out_dir=settings.artefacts, limits=Limits.from_settings(settings), split=split)
    return keep_imported(imported, name, default_norm=default_norm, default_eps=eps, classes=classes)


def keep_imported(
    imported: ImportedDataset, name: str, *, default_norm: str, default_eps: str, classes: list[str] | None
) -> DatasetOut:
    """Write a data set down whose file is kept; `default_eps` is exact text, and errors are those of `add_dataset`."""
    row = Dataset(
        slug=make_slug(name),
        name=name.strip(),
        split=imported.split or "upload",
        size=imported.size,
        classes=_name_classes(classes, imported),
        shape=list(imported.shape),
        default_norm=default_norm,
        default_eps=default_eps,
        source=_describe_source(imported),
        builtin=False,
        file=imported.file_name,
    )
    _write_down(row, load_samples(row))
    return show_dataset(row)


def _write_down(row: Dataset, samples: SampleArrays) -> None:
    """Insert a data set slice by slice, so that no other writer waits for a large one; it is seen once it is whole."""
    slug, size, labels = row.slug, row.size, samples.labels.tolist()
    _forget_lost()
    with writing() as session:
        store.add_arriving(session, row)
    try:
        for start in range(0, size, store.SLICE):
            part = samples.ids[start : start + store.SLICE]
            numbers = _number_samples(part)
            with writing() as session:
                store.add_rows(session, row.id, start, numbers, labels[start : start + store.SLICE])
        with writing() as session:
            _refuse_taken(store.find_dataset(session, slug))
            store.show_arrived(session, row.id, slug, size)
    except BaseException:
        with writing() as session:
            store.forget_arriving(session, row.id)
        raise
    row.slug, row.size = slug, size


def _number_samples(content_ids: Sequence[str]) -> list[int]:
    """The store's number of each sample; those that it does not know yet get one."""
    with reading() as session:
        known = store.sample_numbers(session, content_ids)
    fresh = [content for content in content_ids if content not in known]
    if fresh:
        with writing() as session:
            store.add_samples(session, fresh)
        with reading() as session:
            known |= store.sample_numbers(session, fresh)
    return [known[content] for content in content_ids]


def _forget_lost() -> None:
    """Delete what a writer left that was killed half-way."""
    with reading() as session:
        lost = store.lost_arrivals(session, now() - ARRIVAL_TIME)
    for dataset_id in lost:
        with writing() as session:
            store.forget_arriving(session, dataset_id)


def patch_dataset(id_or_slug: str | UUID, patch: DatasetPatch) -> DatasetOut:
    """Give a data set another name.

    Raises:
        NotFound: none has that id or slug.
        Conflict: it is shipped.
    """
    with writing() as session:
        row = store.need_dataset(session, id_or_slug)
        if row.builtin:
            raise Conflict(f"{row.slug} is shipped with Thin Ice, so its name stays.", slug=row.slug)
        row.name = patch.name
        session.flush()
        return show_dataset(row)


def delete_dataset(id_or_slug: str | UUID) -> None:
    """Forget a data set and, where no other has the same one, its file.

    Raises:
        NotFound: none has that id or slug.
        Conflict: it is shipped, or checkpoints, evaluations or prunings need it; says how many.
    """
    with writing() as session:
        row = store.need_dataset(session, id_or_slug)
        if row.builtin:
            raise Conflict(f"{row.slug} is shipped with Thin Ice, so it cannot be deleted.", slug=row.slug)
        found = {noun: count for noun, count in store.count_dependants(session, row.id).items() if count}
        if found:
            words = ", ".join(f"{noun} ({count:,})" for noun, count in found.items())
            raise Conflict(f"{row.slug} cannot be deleted; needed by: {words}. Delete those first.", **found)
        file = row.file
        session.delete(row)
    with writing() as session:  # nothing is written: it keeps an import of the same file waiting (SQLite)
        if not store.is_file_used(session, file):
            (get_settings().artefacts / file).unlink(missing_ok=True)


def sample_pixels(dataset_id: str | UUID, index: int) -> NDArray[np.uint8]:
    """The pixels of one sample, uint8 (H, W, C), 0..255.

    Raises:
        NotFound: no such data set, or the index is outside it.
    """
    dataset = find_dataset(dataset_id)
    if not 0 <= index < dataset.size:
        raise NotFound(
            f"{dataset.name} has {count_words(dataset.size, 'sample')}, index 0 to {dataset.size - 1:,}; got {index}.",
            index=index,
            size=dataset.size,
        )
    pixels: NDArray[np.uint8] = load_samples(dataset).images[index]
    return pixels


def sample_png(dataset_id: str | UUID, index: int, scale: int = 1) -> bytes:
    """One sample as a PNG, every pixel `scale` x `scale` times, without smoothing."""
    return encode_png(sample_pixels(dataset_id, index), scale)


def make_slug(name: str) -> str:
    """The name for programs: lower case, digits and letters, joined by dashes."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or len(name) > MAX_NAME:
        raise InvalidRequest(
            f"A name must have 1 to {MAX_NAME} characters, with at least one letter or digit; got {name[:200]!r}."
        )
    return slug


def _refuse_taken_slug(slug: str) -> None:
    """Say early, before the file is read, that the name is taken."""
    with reading() as session:
        _refuse_taken(store.find_dataset(session, slug))


def _refuse_taken(found: Dataset | None) -> None:
    if found is not None:
        raise Conflict(
            f"A data set {found.slug!r} exists already (id {found.id}). Choose another name, or use that one.",
            dataset_id=str(found.id),
            slug=found.slug,
        )


def _describe_source(imported: ImportedDataset) -> str:
    """Where the file comes from, as far as its hash tells."""
    if imported.sha256 in CANONICAL:
        return f"{PUBLISHED[CANONICAL[imported.sha256][0]].title}, {imported.split} split, as published"
    if imported.source_sha256 in ARCHIVES:
        return f"{ARCHIVES[imported.source_sha256].file_name} as published, SHA-256 {imported.source_sha256}"
    kind = f"an archive of {PUBLISHED[imported.published].title}, not the published one" if imported.published else ""
    return ", ".join(part for part in ("uploaded", kind, f"SHA-256 {imported.source_sha256}") if part)


def _name_classes(names: list[str] | None, imported: ImportedDataset) -> list[str]:
    """The class names, by default their numbers."""
    if names is None and imported.published is not None:
        return list(PUBLISHED[imported.published].classes)
    if names is None:
        return [str(label) for label in range(imported.classes)]
    cleaned = [name.strip() for name in names]
    if len(cleaned) < imported.classes or not all(cleaned):
        raise InvalidRequest(
            f"The labels go up to {imported.classes - 1}, so {imported.classes} class names are needed; "
            f"got {len(cleaned)}.",
            expected=imported.classes,
            got=len(cleaned),
        )
    return cleaned
