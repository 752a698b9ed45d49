"""Fetches published files from where their authors keep them, or takes those that are installed; each is checked
against its known hash.
"""

import gzip
import hashlib
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.datasets.published import Archive, PublishedDataset
from backend.errors import NotFound, TooLarge, UnreadableDataset
from backend.sandbox import MB, hash_file
from backend.schemas import Split

TIMEOUT_SECONDS = 30  # without a byte
LONGEST_SECONDS = 1800  # of one file
LARGEST_BYTES = 512 * MB
PART_BYTES = 1024 * 1024

OnBytes = Callable[[int], None]
"""Is told how many bytes of a file have come."""


def ignore_bytes(_received: int) -> None:
    """Nobody is told."""


def fetch(url: str, output_file: Any, _pooch: object, *, on_bytes: OnBytes = ignore_bytes) -> None:
    """What pooch calls to download: its own leaves the connection open where the server refuses."""
    import requests

    began, received = time.monotonic(), 0
    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response:
        response.raise_for_status()
        with open(output_file, "wb") as file:
            for part in response.iter_content(PART_BYTES):
                file.write(part)
                received += len(part)
                on_bytes(received)
                if received > LARGEST_BYTES:
                    raise TooLarge(f"{url} is larger than {LARGEST_BYTES // MB:,} MB; the download was stopped.")
                if time.monotonic() - began > LONGEST_SECONDS:
                    raise NotFound(f"{url} took longer than {LONGEST_SECONDS // 60} minutes; the download was stopped.")


def download(
    archive: Archive, folder: Path | None = None, *, mirror: str | None = None, on_bytes: OnBytes = ignore_bytes
) -> Path:
    """The archive on this machine: from an earlier download, or fetched now and kept.

    Args:
        archive: what to fetch.
        folder: where it is kept, by default the user's cache folder.
        mirror: address of a folder that has the file, in place of its authors' server.

    Raises:
        NotFound: the server does not respond or does not have it (without a network, for example).
        UnreadableDataset: what came has another hash; it is not kept.
        TooLarge: what came is larger than any published file.
    """
    # Imported where they are used: only a download needs them.
    import pooch
    from requests import RequestException

    folder = folder or Path(pooch.os_cache("thinice"))
    kept = folder / archive.file_name
    if is_archive(kept, archive):
        return kept
    kept.unlink(missing_ok=True)
    url = f"{mirror.rstrip('/')}/{archive.file_name}" if mirror else archive.url
    elsewhere = f"Download {archive.url} on another machine and pass it with --path; its SHA-256 is {archive.sha256}."
    if archive.is_packed:
        elsewhere = elsewhere.replace("its SHA-256", "the SHA-256 of what it unpacks to")
    pooch.get_logger().setLevel("ERROR")  # it would print the hash, which is checked below

    def take(address: str, output_file: Any, caller: object) -> None:
        fetch(address, output_file, caller, on_bytes=on_bytes)

    try:
        pooch.retrieve(url, None, fname=archive.file_name, path=folder, downloader=take)
    except (RequestException, OSError) as error:
        raise NotFound(f"{archive.file_name} could not be downloaded. {elsewhere}", url=url) from error
    if not is_archive(kept, archive):
        kept.unlink()
        raise UnreadableDataset(f"{url} returned a file that is not the published one. {elsewhere}")
    return kept


def is_archive(path: Path, archive: Archive) -> bool:
    """Whether a file is there and is the published one."""
    if not path.is_file():
        return False
    return (hash_unpacked(path) if archive.is_packed else hash_file(path)) == archive.sha256


def hash_unpacked(path: Path) -> str | None:
    """SHA-256 (hex) of what a gzip file unpacks to, or of the bytes of a plain file; None where it is damaged."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    if not is_gzip:
        return hash_file(path)
    found, left = hashlib.sha256(), LARGEST_BYTES
    try:
        with gzip.open(path, "rb") as stream:
            while left > 0 and (part := stream.read(PART_BYTES)):
                found.update(part)
                left -= len(part)
    except (OSError, EOFError, zlib.error):
        return None
    return found.hexdigest()


def find_files(entry: PublishedDataset, split: Split, place: Path) -> list[Path]:
    """The files of a split in a folder, or next to a file of it, plain or as .gz.

    Raises:
        NotFound: one is missing; says which. UnreadableDataset: one is another file than the published one.
    """
    folder = place if place.is_dir() else place.parent
    found = []
    for archive in entry.downloads[split]:
        names = archive.file_name, archive.file_name.removesuffix(".gz")
        path = next((folder / name for name in names if (folder / name).is_file()), None)
        if path is None:
            raise NotFound(f"{folder} has no {archive.file_name}, which holds the {split} split of {entry.title}.")
        if not is_archive(path, archive):
            raise UnreadableDataset(f"{path} is not the published file: its content has another SHA-256.")
        found.append(path)
    return found


def is_installed(entry: PublishedDataset, split: Split) -> bool:
    """Whether a package of Debian left files of these names; their content is checked when they are taken."""
    folder = entry.installed
    return folder is not None and all((folder / archive.file_name).is_file() for archive in entry.downloads[split])


def find_installed(entry: PublishedDataset, split: Split) -> list[Path] | None:
    """The files of a split as a package of Debian installed them; None where there is none."""
    if entry.installed is None:
        return None
    try:
        return find_files(entry, split, entry.installed)
    except (NotFound, UnreadableDataset):
        return None


def take_files(
    entry: PublishedDataset,
    split: Split,
    folder: Path | None = None,
    *,
    mirror: str | None = None,
    on_bytes: OnBytes = ignore_bytes,
) -> list[Path]:
    """The files of a split: installed ones, else downloaded; arguments and errors as of `download`."""
    installed = find_installed(entry, split)
    if installed is not None:
        return installed
    return [download(archive, folder, mirror=mirror, on_bytes=on_bytes) for archive in entry.downloads[split]]
