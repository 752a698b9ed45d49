"""What the command line sends as a data set, and what it says where that cannot be told."""

from pathlib import Path
from typing import Any

import pytest
import typer

from backend.cli.datasets import file_to_send

NOTHING: dict[str, Any] = {"path": None, "split": None, "name": None, "labels": None}


def test_file_to_send_of_a_published_one_is_its_archive_under_its_own_name(tmp_path: Path) -> None:
    archive = tmp_path / "mine.tar.gz"
    archive.touch()
    with file_to_send("cifar100", **NOTHING | {"path": archive}) as sent:
        assert sent == (archive, "cifar100-test", "test")
    with file_to_send("svhn", **NOTHING | {"path": archive, "split": "train", "name": "digits"}) as sent:
        assert sent == (archive, "digits", "train")


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
