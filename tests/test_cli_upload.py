"""What `thinice upload` sends for an architecture and prints about weights."""

from pathlib import Path
from typing import Any

import pytest

from backend.cli import read_architecture
from backend.cli_report import describe_inspection
from backend.errors import InvalidRequest


def test_read_architecture_is_a_name_a_list_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "layers.json").write_text('["ReLU"]')
    assert [read_architecture(given) for given in (None, "resnet18", '["ReLU"]')] == [None, "resnet18", '["ReLU"]']
    assert read_architecture(f"@{tmp_path / 'layers.json'}") == '["ReLU"]'
    with pytest.raises(InvalidRequest, match="cannot be read from"):
        read_architecture(f"@{tmp_path / 'none.json'}")


@pytest.mark.parametrize(
    ("structure", "descent", "words"),
    [
        ({}, None, "no zeros"),
        ({"kind": "weight", "zero_filters": 5}, None, "zeros by weight, 5 of 208 filters dead"),
        (
            {"kind": "n:m", "pattern": "2:4"},
            {"answer": "yes", "correlation": 0.931, "survivors": 5084, "changed": 0},
            "zeros by 2:4; made from its parent by the weights: yes (correlation 0.93 over 5,084 surviving weights, "
            "only masked)",
        ),
        (
            {"kind": "weight"},
            {"answer": "unclear", "correlation": 0.3, "survivors": 10, "changed": 1},
            "zeros by weight; made from its parent by the weights: cannot tell (correlation 0.30 over 10 surviving "
            "weights, 100.00 % of them changed)",
        ),
        (
            {"kind": "weight"},
            {"answer": "unclear", "correlation": None, "survivors": 3, "changed": 1},
            "zeros by weight; made from its parent by the weights: cannot tell",
        ),
    ],
    ids=["dense", "dead", "masked", "unclear", "few"],
)
def test_describe_inspection_is_one_line(structure: dict[str, Any], descent: dict[str, Any] | None, words: str) -> None:
    whole = {"kind": "dense", "pattern": None, "zero_filters": 0, "filters": 208} | structure
    assert describe_inspection({"structure": whole, "descent": descent}) == words
