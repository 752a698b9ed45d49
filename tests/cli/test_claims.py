"""What the claims verb prints, from answers as the server gives them."""

from typing import Any

import pytest

from backend.cli import claims
from backend.cli.output import out


def difference(value: float, answer: str) -> dict[str, Any]:
    return {"value": value, "interval": {"low": value - 0.01, "high": value + 0.01}, "answer": answer}


CLAIM = {
    "checkpoint_name": "pruned",
    "claim": {"robust_accuracy": 0.736, "n": 2000},
    "norm": "Linf",
    "eps_text": "4/255",
    "is_at_default": True,
    "reevaluation": {"robust_accuracy": 0.7, "preset": "autoattack", "n": 2000},
    "gap": difference(0.036, "yes"),
    "reason": None,
    "notes": ["A note."],
    "against": [
        {
            "relation": "finetuned",
            "checkpoint_name": "control",
            "claim": {"robust_accuracy": 0.75, "n": None},
            "reevaluation": {"robust_accuracy": 0.74, "preset": "autoattack", "n": 2000},
            "gap": difference(0.01, "cannot tell"),
            "excess": difference(0.026, "cannot tell"),
            "reason": None,
        },
        {
            "relation": "parent",
            "checkpoint_name": "dense",
            "claim": None,
            "reevaluation": None,
            "gap": None,
            "excess": None,
            "reason": "dense has no claim.",
        },
    ],
}


def printed(capsys: pytest.CaptureFixture[str], found: list[dict[str, Any]]) -> list[str]:
    out.width = 200
    claims.print_claims(found)
    return capsys.readouterr().out.splitlines()


def test_print_claims_shows_every_number_with_its_n(capsys: pytest.CaptureFixture[str]) -> None:
    _, row, control, parent, note = printed(capsys, [CLAIM])
    expected = "pruned 73.60 % (n 2,000) 70.00 % (autoattack, n 2,000) +3.60 [+2.60, +4.60] yes"
    assert " ".join(row.split()) == expected
    assert control.split()[-5:] == ["+2.60", "[+1.60,", "+3.60]", "cannot", "tell"]
    assert "control control" in control and "(n unknown)" in control
    assert parent.rstrip().endswith("dense has no claim.")
    assert note == "A note."


def test_print_claims_at_another_eps_says_at_which(capsys: pytest.CaptureFixture[str]) -> None:
    row = printed(capsys, [CLAIM | {"is_at_default": False}])[1]
    assert "73.60 % (n 2,000) at Linf 4/255" in " ".join(row.split())


def test_print_claims_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, []) == ["No checkpoint has a claim."]
