"""Fetches a published archive from where its authors keep it, checked against its known hash."""

from pathlib import Path
from typing import Any

from backend.datasets.published import Archive
from backend.errors import NotFound, UnreadableDataset
from backend.sandbox import hash_file

TIMEOUT_SECONDS = 30
PART_BYTES = 1024 * 1024


def fetch(url: str, output_file: Any, _pooch: object) -> None:
    """What pooch calls to download: its own leaves the connection open where the server refuses."""
    import requests

    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response:
        response.raise_for_status()
        with open(output_file, "wb") as file:
            for part in response.iter_content(PART_BYTES):
                file.write(part)


def download(archive: Archive, folder: Path | None = None) -> Path:
    """The archive on this machine: from an earlier download, or fetched now and kept.

    Args:
        archive: what to fetch.
        folder: where it is kept, by default the user's cache folder.

    Raises:
        NotFound: the server does not respond or does not have it (without a network, for example).
        UnreadableDataset: what came has another hash; it is not kept.
    """
    # Imported where they are used: only a download needs them.
    import pooch
    from requests import RequestException

    folder = folder or Path(pooch.os_cache("thinice"))
    kept = folder / archive.file_name
    if kept.is_file() and hash_file(kept) == archive.sha256:
        return kept
    elsewhere = f"Download {archive.url} on another machine and pass it with --path; its SHA-256 is {archive.sha256}."
    try:
        pooch.retrieve(
            archive.url,
            f"sha256:{archive.sha256}",
            fname=archive.file_name,
            path=folder,
            downloader=fetch,
        )
    except ValueError as error:
        raise UnreadableDataset(f"{archive.url} returned a file that is not the published one. {elsewhere}") from error
    except (RequestException, OSError) as error:
        raise NotFound(f"{archive.file_name} could not be downloaded. {elsewhere}", url=archive.url) from error
    return kept
