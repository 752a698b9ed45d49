"""The door: what may come in, and what "held at eps" means."""

from dataclasses import fields

import numpy as np
import pytest

from backend.analysis.outcomes import is_broken, is_held, make_outcomes
from backend.errors import InvalidRequest
from tests.analysis.fabrication import INF, make


def test_outcomes_with_valid_columns_are_kept_read_only() -> None:
    given = np.array([0.0, 0.1, INF])
    outcomes = make(given)
    given[1] = 7.0
    assert outcomes.n == 3
    assert outcomes.margin.tolist() == [0.0, 0.1, INF]
    with pytest.raises(ValueError, match="read-only"):
        outcomes.margin[0] = 1.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"loss": [0.1, float("nan"), 0.2]}, "loss must not be NaN (not found is inf); 1 of 3"),
        ({"margin": [0.0, float("nan"), INF]}, "margin must not be NaN"),
        ({"margin_pred": [0.1, -0.1, 0.2]}, "margins must not be negative; 1 of 3"),
        ({"margin": [0.2, 0.1, INF]}, "margin must be 0 exactly where the clean sample is wrong; 1 of 3"),
        ({"margin": [0.0, 0.0, INF]}, "margin must be 0 exactly where the clean sample is wrong; 1 of 3"),
        ({"found": [True, True, True]}, "margin must be inf exactly where nothing was found; 1 of 3"),
        ({"found": [True, False, False]}, "margin must be inf exactly where nothing was found; 1 of 3"),
        ({"correct": [True, True, True]}, "correct must equal label == prediction; 1 of 3"),
        ({"max_probability": [0.1, 1.2, 0.3]}, "max_probability must lie in [0, 1]; 1 of 3"),
        ({"labels": [0, 1]}, "Every column needs one entry per sample"),
        ({"labels": [[0], [1], [2]]}, "Every column needs one entry per sample"),
        ({"labels": ["cat", "dog", "owl"]}, "The column labels cannot be read as int64"),
        ({"kind": "guess"}, "The kind must be one of minimum, witness; got 'guess'"),
        ({"sample_ids": ["a", "b", "a"]}, "Sample ids must be unique; 1 repeat an earlier one"),
        ({"eps": -0.1}, "eps must be a finite number >= 0; got -0.1"),
    ],
)
def test_outcomes_with_a_broken_rule_are_refused_with_a_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make([0.0, 0.1, INF], **changes)
    assert sentence in caught.value.message


def test_make_outcomes_with_other_columns_names_them() -> None:
    with pytest.raises(InvalidRequest) as caught:
        make_outcomes({"labels": [1], "colour": [2]}, kind="minimum")
    assert caught.value.details["unknown"] == ["colour"]
    assert "margin" in caught.value.details["missing"]


def test_make_outcomes_with_plain_lists_equals_outcomes() -> None:
    made = make([0.0, 0.25, INF])
    columns = {
        name: getattr(made, name).tolist()
        for name in (field.name for field in fields(made) if field.name not in ("kind", "eps"))
    }
    again = make_outcomes(columns, kind="witness", eps=0.25)
    assert again.margin.tolist() == [0.0, 0.25, INF]
    assert (again.kind, again.eps) == ("witness", 0.25)
    assert again.sample_ids.dtype.kind == "U"


def test_is_broken_with_a_float32_witness_on_the_ball_counts_as_broken() -> None:
    for numerator in (1, 2, 4, 8, 16):
        eps = numerator / 255
        clean = np.linspace(0, 1 - eps, 4001, dtype=np.float32)
        witness = clean + np.float32(eps)
        distance = np.abs(witness - clean).astype(np.float64)
        assert (distance > eps).any(), "the rounding that the tolerance is for"
        assert is_broken(distance, eps, "witness").all()
        assert not is_broken(np.array([eps * 1.001]), eps, "witness").any()


def test_is_broken_with_a_minimum_above_eps_is_not() -> None:
    eps = 0.1
    margins = np.array([eps, np.float64(np.float32(eps)), eps * 1.00005, eps * (1 + 5e-7)])
    assert is_broken(margins, eps).tolist() == [True, True, False, False]
    assert is_held(make(margins.tolist()), eps).tolist() == [False, False, True, True]


def test_is_held_at_eps_zero_is_clean_correctness() -> None:
    outcomes = make([0.0, 1e-12, 0.1, INF])
    assert is_held(outcomes, 0.0).tolist() == is_held(outcomes, None).tolist() == [False, True, True, True]


def test_is_held_at_eps_needs_a_larger_margin() -> None:
    assert is_held(make([0.0, 0.09, 0.1, 0.11, INF]), 0.1).tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("eps", [-0.1, INF, float("nan")])
def test_is_held_at_no_perturbation_size_is_refused(eps: float) -> None:
    with pytest.raises(InvalidRequest, match="eps must be a finite number >= 0"):
        is_held(make([0.1]), eps)


def test_is_held_witnesses_decide_at_their_own_eps_only() -> None:
    witnesses = make([0.0, 8 / 255, INF], kind="witness", eps=8 / 255)
    assert is_held(witnesses, 8 / 255).tolist() == [False, False, True]
    assert is_held(witnesses, 0.0).tolist() == [False, True, True]
    for other in (4 / 255, 16 / 255):
        with pytest.raises(InvalidRequest, match=r"are witnesses at eps 0\.0313725 and say nothing about eps"):
            is_held(witnesses, other)


def test_take_with_rows_keeps_order_and_kind() -> None:
    taken = make([0.0, 0.1, INF], kind="witness", eps=0.1).take([2, 0])
    assert taken.sample_ids.tolist() == ["s00002", "s00000"]
    assert (taken.kind, taken.eps) == ("witness", 0.1)
