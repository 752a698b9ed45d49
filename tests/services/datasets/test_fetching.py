"""Published data sets by name on the server: what fits, what comes over real HTTP, and what is told meanwhile."""

import http.server
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from backend.datasets import child, downloads
from backend.datasets.published import PUBLISHED
from backend.sandbox import Product, hash_file
from backend.services import datasets
from backend.services.datasets import fetching
from backend.settings import get_settings
from backend.store.artefacts import put_bytes
from tests.datasets.published_archives import N, small_fashion, write_idx_pair
from tests.datasets.test_downloads import Quiet


@pytest.fixture
def mirror(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A web server with the small Fashion-MNIST, as THINICE_DATASETS_URL names it."""
    folder = tmp_path / "served"
    folder.mkdir()
    write_idx_pair(folder)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("THINICE_DATASETS_URL", address)
        get_settings.cache_clear()
        fetching._failures.clear()
        yield address
        server.shutdown()


def wait_for(state: str) -> fetching.Fetch:
    deadline = time.monotonic() + 60
    while (fetch := fetching.tell_fetch("fashion-mnist", "train")).state != state:
        assert time.monotonic() < deadline, fetch
        time.sleep(0.05)
    return fetch


def test_suggest_published_goes_by_shape_and_classes_and_then_by_name() -> None:
    def names(*asked: object) -> list[str]:
        return [entry.name for entry in fetching.suggest_published(*asked)]  # type: ignore[arg-type]

    assert names([28, 28, 1], 10, "fashion-mnist-test") == ["fashion-mnist"]
    assert names([28, 28, 1], 10, "digits") == ["fashion-mnist"], "no CIFAR for grey images"
    assert names([32, 32, 3], 10, "cifar10-test") == ["cifar10"]
    assert names([32, 32, 3], 10, "mine") == ["cifar10", "svhn"]
    assert names([32, 32, 3], 7, "mine") == []


def test_start_fetch_of_another_file_than_the_published_one_says_so_and_keeps_nothing(mirror: str) -> None:
    """The child itself downloads, with the published hashes: what this server has is smaller."""
    if downloads.is_installed(PUBLISHED["fashion-mnist"], "train"):
        return  # with Debian's package nothing is downloaded
    assert fetching.tell_fetch("fashion-mnist", "train").state == "absent"
    assert fetching.start_fetch("fashion-mnist", "train").state == "fetching"
    failed = wait_for("failed")
    assert failed.error is not None and "not the published one" in failed.error and failed.received_bytes == 0
    assert datasets.list_datasets().total == 0


def make_here(function: str, arguments: dict, *, out_dir: Path, suffix: str, **_: object) -> Product:
    """As `make_in_child` in this process, where the small data set stands for the published one."""
    made = out_dir / "made.npz"
    result = getattr(child, function.split(":")[1])(**arguments, out=str(made))
    name = put_bytes(made.read_bytes(), suffix)
    return Product(result, hash_file(made), out_dir / name)


def test_start_fetch_keeps_the_data_set_under_its_own_name_with_classes_and_eps(
    mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PUBLISHED, "fashion-mnist", small_fashion("http://authors.invalid"))
    monkeypatch.setattr(child, "make_in_child", make_here)
    get_settings().artefacts.mkdir(exist_ok=True)
    fetching.start_fetch("fashion-mnist", "train")
    here = wait_for("here")
    row = datasets.get_dataset("fashion-mnist-train")
    assert (row.id, row.size, row.split, row.default_eps_text) == (here.dataset_id, N, "train", "25.5/255")
    assert row.classes[0] == "T-shirt/top"
    assert fetching.start_fetch("fashion-mnist", "train").state == "here"
    assert not fetching.downloads_folder("fashion-mnist", "train").exists()


def test_tell_fetch_counts_what_has_come(ready: Path) -> None:
    folder = fetching.downloads_folder("fashion-mnist", "train")
    folder.mkdir(parents=True)
    (folder / "part").write_bytes(b"x" * 1000)
    told = fetching.tell_fetch("fashion-mnist", "train")
    assert (told.received_bytes, told.total_bytes) == (1000, 26_451_395)
