"""Downloads over real HTTP from a server of this test: checked by hash, kept, and plain words without a network."""

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from backend.datasets.downloads import download
from backend.datasets.published import Archive
from backend.errors import NotFound, UnreadableDataset

CONTENT = b"an archive"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Counts what was asked for, says nothing."""

    asked: list[str] = []

    def log_message(self, format: str, *arguments: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.tar.gz").write_bytes(CONTENT)
    Quiet.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_download_fetches_once_and_keeps(address: str, tmp_path: Path) -> None:
    archive = Archive("a.tar.gz", f"{address}/a.tar.gz", SHA256)
    first = download(archive, tmp_path / "kept")
    assert first.read_bytes() == CONTENT and first.parent == tmp_path / "kept"
    assert download(archive, tmp_path / "kept") == first
    assert Quiet.asked == ["/a.tar.gz"]


def test_download_damaged_copy_is_fetched_again(address: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"half")
    kept = download(Archive("a.tar.gz", f"{address}/a.tar.gz", SHA256), tmp_path)
    assert kept.read_bytes() == CONTENT


def test_download_of_another_file_is_refused_and_not_kept(address: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDataset, match=f"not the published one.*--path.*{'0' * 64}"):
        download(Archive("a.tar.gz", f"{address}/a.tar.gz", "0" * 64), tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_download_of_a_file_that_is_gone_says_where_to_get_it(address: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.tar\.gz could not be downloaded.*--path") as refused:
        download(Archive("gone.tar.gz", f"{address}/gone.tar.gz", SHA256), tmp_path)
    assert refused.value.details == {"url": f"{address}/gone.tar.gz"}


def test_download_without_a_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a.tar.gz"
    with pytest.raises(NotFound, match=f"on another machine and pass it with --path; its SHA-256 is {SHA256}"):
        download(Archive("a.tar.gz", url, SHA256), tmp_path)
