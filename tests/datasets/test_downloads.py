"""Downloads over real HTTP from a server of this test: checked by hash, kept, and plain words without a network."""

import gzip
import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from backend.datasets import downloads
from backend.datasets.downloads import download, find_files, is_archive, is_installed, take_files
from backend.datasets.published import Archive
from backend.errors import NotFound, TooLarge, UnreadableDataset
from tests.datasets.published_archives import N, small_fashion, write_idx_pair, write_published_in

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
    write_idx_pair(folder)
    Quiet.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_download_fetches_once_and_keeps(address: str, tmp_path: Path) -> None:
    archive = Archive("a.tar.gz", f"{address}/a.tar.gz", SHA256, 10)
    first = download(archive, tmp_path / "kept")
    assert first.read_bytes() == CONTENT and first.parent == tmp_path / "kept"
    assert download(archive, tmp_path / "kept") == first
    assert Quiet.asked == ["/a.tar.gz"]


def test_download_damaged_copy_is_fetched_again(address: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"half")
    kept = download(Archive("a.tar.gz", f"{address}/a.tar.gz", SHA256, 10), tmp_path)
    assert kept.read_bytes() == CONTENT


def test_download_of_another_file_is_refused_and_not_kept(address: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDataset, match=f"not the published one.*--path.*{'0' * 64}"):
        download(Archive("a.tar.gz", f"{address}/a.tar.gz", "0" * 64, 10), tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_download_of_a_file_that_is_gone_says_where_to_get_it(address: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.tar\.gz could not be downloaded.*--path") as refused:
        download(Archive("gone.tar.gz", f"{address}/gone.tar.gz", SHA256, 10), tmp_path)
    assert refused.value.details == {"url": f"{address}/gone.tar.gz"}


def test_download_without_a_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a.tar.gz"
    with pytest.raises(NotFound, match=f"on another machine and pass it with --path; its SHA-256 is {SHA256}"):
        download(Archive("a.tar.gz", url, SHA256, 10), tmp_path)


def test_download_says_how_much_came_and_takes_the_mirror(address: str, tmp_path: Path) -> None:
    told: list[int] = []
    archive = Archive("a.tar.gz", "http://authors.invalid/a.tar.gz", SHA256, 10)
    assert download(archive, tmp_path, mirror=f"{address}/", on_bytes=told.append).read_bytes() == CONTENT
    assert told == [len(CONTENT)]


def test_download_of_more_than_any_published_file_is_stopped_and_not_kept(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LARGEST_BYTES", 3)
    with pytest.raises(TooLarge, match="the download was stopped"):
        download(Archive("a.tar.gz", f"{address}/a.tar.gz", SHA256, 10), tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_download_that_never_ends_is_stopped(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "LONGEST_SECONDS", -1)
    with pytest.raises(NotFound, match="took longer"):
        download(Archive("a.tar.gz", f"{address}/a.tar.gz", SHA256, 10), tmp_path)


# --- idx files, which others may have packed anew ---------------------------------------------------------------------
def test_take_files_downloads_a_pair_whose_content_is_the_published_one(address: str, tmp_path: Path) -> None:
    entry = small_fashion(address)
    paths = take_files(entry, "train", tmp_path)
    assert [path.name for path in paths] == [archive.file_name for archive in entry.downloads["train"]]
    Quiet.asked.clear()
    assert take_files(entry, "train", tmp_path) == paths and Quiet.asked == []
    told = write_published_in(tmp_path, address)
    assert (told["size"], told["shape"], told["published"], told["split"]) == (N, (28, 28, 1), "fashion-mnist", "train")


def test_take_files_prefers_what_a_package_installed_if_it_is_the_published_one(address: str, tmp_path: Path) -> None:
    installed = tmp_path / "debian"
    installed.mkdir()
    write_idx_pair(installed, level=1)
    entry = replace(small_fashion(address), installed=installed)
    assert is_installed(entry, "train") and not is_installed(replace(entry, installed=tmp_path), "train")
    assert {path.parent for path in take_files(entry, "train", tmp_path / "kept")} == {installed}
    assert Quiet.asked == []
    write_idx_pair(installed, seed=9)
    assert {path.parent for path in take_files(entry, "train", tmp_path / "kept")} == {tmp_path / "kept"}


def test_find_files_takes_a_folder_or_a_file_of_it_packed_or_not(tmp_path: Path) -> None:
    entry = small_fashion("http://authors.invalid")
    names = write_idx_pair(tmp_path)
    assert [path.name for path in find_files(entry, "train", tmp_path / names[0])] == names
    plain = tmp_path / names[0].removesuffix(".gz")
    plain.write_bytes(gzip.decompress((tmp_path / names[0]).read_bytes()))
    (tmp_path / names[0]).unlink()
    assert find_files(entry, "train", tmp_path)[0] == plain
    plain.write_bytes(b"other")
    with pytest.raises(UnreadableDataset, match="not the published file"):
        find_files(entry, "train", tmp_path)
    with pytest.raises(NotFound, match=r"train-images-idx3-ubyte\.gz, which holds the train split of Fashion-MNIST"):
        find_files(entry, "train", tmp_path / "nowhere" / "x")
    (tmp_path / names[1]).write_bytes((tmp_path / names[1]).read_bytes()[:-9])
    assert not is_archive(tmp_path / names[1], entry.downloads["train"][1]), "a damaged file is none"
