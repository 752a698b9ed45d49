"""What `thinice upload` sends for an architecture and a claim, and prints about weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.cli import main
from backend.cli.main import read_architecture
from backend.cli.output import describe_inspection
from backend.errors import InvalidRequest


def test_read_architecture_is_a_name_a_list_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "layers.json").write_text('["ReLU"]')
    assert [read_architecture(given) for given in (None, "resnet18", '["ReLU"]')] == [None, "resnet18", '["ReLU"]']
    assert read_architecture(f"@{tmp_path / 'layers.json'}") == '["ReLU"]'
    with pytest.raises(InvalidRequest, match="cannot be read from"):
        read_architecture(f"@{tmp_path / 'none.json'}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [((), (None, None)), (("--claimed-eps", "4/255", "--claimed-norm", "L2"), ("4/255", "L2"))],
    ids=["left-out", "given"],
)
def test_upload_sends_eps_and_norm_of_the_claim_as_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: tuple[str | None, str | None]
) -> None:
    sent: dict[str, Any] = {}

    def take(_reader: object, _name: str, fields: dict[str, Any]) -> SimpleNamespace:
        sent.update(fields)
        return SimpleNamespace(text="{}")

    @contextmanager
    def connect(_url: str | None) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(upload=take)

    monkeypatch.setattr(main, "connected", connect)
    (tmp_path / "a.pt").write_bytes(b"weights")
    fields = ("--name", "a", "--role", "dense", "--dataset", "digits", "--claimed-robust-accuracy", "0.6")
    answer = CliRunner().invoke(main.app, ["upload", str(tmp_path / "a.pt"), *fields, *words, "--json"])
    assert answer.exit_code == 0, answer.output
    assert (sent["claimed_robust_accuracy"], sent["claimed_eps"], sent["claimed_norm"]) == (0.6, *expected)


@pytest.mark.parametrize(
    ("structure", "descent", "words"),
    [
        ({}, None, "no zeros"),
        ({"kind": "weight", "zero_filters": 5}, None, "zeros by weight, 5 of 208 filters dead"),
        (
            {"kind": "n:m", "pattern": "2:4"},
            {"answer": "yes", "correlation": 0.931, "survivors": 5084, "changed": 0},
            "zeros by 2:4; made from its parent, by its weights: yes (correlation 0.93 over 5,084 surviving weights, "
            "only masked)",
        ),
        (
            {"kind": "weight"},
            {"answer": "cannot tell", "correlation": 0.3, "survivors": 10, "changed": 1},
            "zeros by weight; made from its parent, by its weights: cannot tell (correlation 0.30 over 10 surviving "
            "weights, 100.00 % of them changed)",
        ),
        (
            {"kind": "weight"},
            {"answer": "cannot tell", "correlation": None, "survivors": 3, "changed": 1},
            "zeros by weight; made from its parent, by its weights: cannot tell",
        ),
    ],
    ids=["dense", "dead", "masked", "cannot tell", "few"],
)
def test_describe_inspection_is_one_line(structure: dict[str, Any], descent: dict[str, Any] | None, words: str) -> None:
    whole = {"kind": "dense", "pattern": None, "zero_filters": 0, "filters": 208} | structure
    assert describe_inspection({"structure": whole, "descent": descent}) == words
