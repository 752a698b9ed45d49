"""Rows and builders belong together, one to one."""

import pytest

from models.architectures.builders import BUILDERS, build_architecture
from models.architectures.rows import ARCHITECTURES, ROWS


def test_every_row_has_a_builder_and_every_builder_a_row() -> None:
    assert list(BUILDERS) == list(ARCHITECTURES)
    assert len(ROWS) == len(ARCHITECTURES) == len({row.title for row in ROWS})


def test_build_architecture_with_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ValueError, match=r"'lenet'.*resnet18, .*wrn-28-4"):
        build_architecture("lenet", 10, 3)
