"""What the command line sends as a data set, and what it says where that cannot be told."""

from pathlib import Path
from typing import Any

import pytest
import typer

from backend.cli.datasets import choose_eps, file_to_send, report_bytes
from backend.datasets.published import PUBLISHED
from backend.datasets.readers import read_npz
from tests.datasets.published_archives import N, small_fashion, write_idx_pair

NOTHING: dict[str, Any] = {"path": None, "split": None, "name": None, "labels": None}


def test_file_to_send_of_a_published_one_is_its_archive_under_its_own_name(tmp_path: Path) -> None:
    archive = tmp_path / "mine.tar.gz"
    archive.touch()
    with file_to_send("cifar100", **NOTHING | {"path": archive}) as sent:
        assert sent == (archive, "cifar100-test", "test")
    with file_to_send("svhn", **NOTHING | {"path": archive, "split": "train", "name": "digits"}) as sent:
        assert sent == (archive, "digits", "train")


def test_file_to_send_of_idx_files_is_one_npz_whose_split_the_server_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PUBLISHED, "fashion-mnist", small_fashion("http://authors.invalid"))
    images, _ = write_idx_pair(tmp_path)
    for place in (tmp_path, tmp_path / images):
        with file_to_send("fashion-mnist", **NOTHING | {"path": place, "split": "train"}) as (path, name, split):
            assert (name, split) == ("fashion-mnist-train", None)
            assert read_npz(path)[0].shape == (N, 28, 28, 1)


def test_choose_eps_is_what_was_typed_or_the_data_sets_own() -> None:
    assert choose_eps("fashion-mnist", None) == "25.5/255"
    assert choose_eps("fashion-mnist", "4/255") == "4/255"
    assert choose_eps("mine.npz", None) == choose_eps("cifar10", None) == "8/255"


def test_report_bytes_speaks_every_ten_megabytes(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_bytes("CIFAR-10")
    for received in (1_000_000, 11_000_000, 12_000_000, 25_000_000):
        report(received)
    assert capsys.readouterr().err.split("\n")[:-1] == ["Downloading CIFAR-10: 11 MB", "Downloading CIFAR-10: 25 MB"]


def test_file_to_send_of_a_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"x")
    with file_to_send(str(tmp_path / "a.npz"), **NOTHING | {"name": "mine"}) as sent:
        assert sent == (tmp_path / "a.npz", "mine", None)


@pytest.mark.parametrize(
    ("what", "options", "sentence"),
    [
        ("imagenet", {}, "no file or data set 'imagenet'. Known data sets: fashion-mnist, cifar10, cifar100, svhn"),
        ("cifar10", {"split": "extra"}, "train or test"),
        (__file__, {}, "needs a --name"),
        (__file__, {"path": Path(__file__), "name": "x"}, "--path works only with the name"),
    ],
    ids=["unknown", "split", "nameless", "path"],
)
def test_file_to_send_wrong_words_say_what_is_wrong(what: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(typer.BadParameter, match=sentence), file_to_send(what, **NOTHING | options):
        pass
