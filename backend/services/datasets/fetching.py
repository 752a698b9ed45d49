"""Published data sets by name: which fit a checkpoint, and getting one onto this server while its page follows.

A child process downloads and reads; a thread of this process waits for it and writes the data set down. A start of the
server forgets what was on its way, and the next try takes the files that had come whole.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from threading import Lock, Thread
from typing import Literal
from uuid import UUID

from backend.datasets.child import fetch_dataset
from backend.datasets.downloads import LONGEST_SECONDS, is_installed
from backend.datasets.published import PUBLISHED, PublishedDataset, find_published, name_split
from backend.errors import ThinIceError
from backend.sandbox import Limits
from backend.schemas import Split
from backend.services.datasets.service import keep_imported
from backend.settings import get_settings
from backend.store import datasets as store
from backend.store.database import reading

LOG = logging.getLogger(__name__)
FetchState = Literal["absent", "fetching", "failed", "here"]

_failures: dict[tuple[str, Split], str] = {}
_running: set[tuple[str, Split]] = set()
_lock = Lock()


@dataclass(frozen=True)
class Fetch:
    """A split of a published data set: whether it is here, and how far a download is.

    `received_bytes` of about `total_bytes` have come; `is_installed` where a package of the system has the files, so
    that nothing is downloaded; `dataset_id` is set once it is here, `error` says why the last try failed.
    """

    name: str
    split: Split
    title: str
    state: FetchState
    received_bytes: int
    total_bytes: int
    is_installed: bool
    dataset_id: UUID | None = None
    error: str | None = None


def suggest_published(shape: Sequence[int], classes: int, slug: str) -> list[PublishedDataset]:
    """The published data sets of that shape (H, W, C) and number of classes; only that of the slug's name if one has
    it.
    """
    fitting = [entry for entry in PUBLISHED.values() if entry.shape == tuple(shape) and len(entry.classes) == classes]
    return [entry for entry in fitting if slug.startswith(entry.name)] or fitting


def tell_fetch(name: str, split: Split) -> Fetch:
    """Where a split of a published data set stands; UnknownName lists what exists."""
    entry = find_published(name)
    key = name, split
    with reading() as session:
        found = store.find_dataset(session, name_split(name, split))
    fetch = Fetch(
        name,
        split,
        entry.title,
        "absent",
        count_received(name, split),
        sum(archive.size_bytes for archive in entry.downloads[split]),
        is_installed(entry, split),
    )
    with _lock:
        if found is not None:
            return replace(fetch, state="here", dataset_id=found.id)
        if key in _running:
            return replace(fetch, state="fetching")
        if key in _failures:
            return replace(fetch, state="failed", error=_failures[key])
    return fetch


def start_fetch(name: str, split: Split) -> Fetch:
    """Begin to get a split unless it is here or on its way; returns at once."""
    if tell_fetch(name, split).state in ("absent", "failed"):
        key = name, split
        with _lock:
            is_new = key not in _running
            _running.add(key)
            _failures.pop(key, None)
        if is_new:
            Thread(target=_fetch, args=(name, split), daemon=True).start()
    return tell_fetch(name, split)


def _fetch(name: str, split: Split) -> None:
    failure = None
    try:
        fetch_now(name, split)
    except ThinIceError as error:
        failure = error.message
        LOG.warning("%s could not be fetched: %s", name_split(name, split), error.message)
    except Exception:  # a thread of its own: whatever it is, the page has to say that nothing will come
        failure = "It failed unexpectedly; the server's log says why."
        LOG.exception("%s could not be fetched", name_split(name, split))
    with _lock:
        _running.discard((name, split))
        if failure is not None:
            _failures[name, split] = failure


def fetch_now(name: str, split: Split) -> UUID:
    """Get a split and keep it under its own slug; gives the data set's id.

    Raises:
        Conflict: it is here. NotFound, UnreadableDataset, TooLarge: see `backend.datasets.child.fetch_dataset`.
    """
    entry, settings, folder = find_published(name), get_settings(), downloads_folder(name, split)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    imported = fetch_dataset(
        name,
        split,
        folder=folder,
        mirror=settings.datasets_url,
        out_dir=settings.artefacts,
        limits=replace(Limits.from_settings(settings), wall_seconds=float(2 * LONGEST_SECONDS)),
    )
    row = keep_imported(
        imported, name_split(name, split), default_norm=entry.default_norm, default_eps=entry.default_eps, classes=None
    )
    rmtree(folder, ignore_errors=True)
    return row.id


def downloads_folder(name: str, split: Split) -> Path:
    return get_settings().home / "downloads" / name_split(name, split)


def count_received(name: str, split: Split) -> int:
    """Bytes that lie in the folder of a download, the unfinished file's too."""
    folder, total = downloads_folder(name, split), 0
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # renamed or removed meanwhile
            continue
    return total
