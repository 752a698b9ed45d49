"""The rule of yes, no or cannot tell: by hand, by its properties, and how often it errs where nothing differs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.analysis.claims import answer_of
from backend.analysis.statistics import Estimate, paired_difference, wilson
from backend.analysis.verdicts import joint_confidence, require_all, settle, widen
from backend.errors import InvalidRequest
from backend.schemas import Answer

ANSWERS = st.sampled_from(["yes", "no", "cannot tell"])


@pytest.mark.parametrize(("asked", "confidence"), [(0, 0.95), (1, 0.95), (10, 0.995), (50, 0.999)])
def test_joint_confidence_is_bonferronis(asked: int, confidence: float) -> None:
    assert joint_confidence(asked) == pytest.approx(confidence)


def test_joint_confidence_of_fewer_than_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least 0"):
        joint_confidence(-1)


def test_widen_a_normal_interval_gives_the_normal_one_of_the_joint_confidence() -> None:
    """1.959964 standard errors at 95 %, 2.807034 at 99.5 %."""
    wide = widen(Estimate(0.1, 0.1 - 1.959964, 0.1 + 1.959964, 50), 10)
    assert (wide.value, wide.n) == (0.1, 50)
    assert (wide.low, wide.high) == pytest.approx((0.1 - 2.807034, 0.1 + 2.807034), abs=1e-5)


def test_widen_one_alone_changes_nothing_and_keeps_what_is_missing() -> None:
    assert widen(Estimate(0.2, 0.1, None, 9), 1) == Estimate(0.2, pytest.approx(0.1), None, 9)
    nothing = Estimate(None, None, None, 0, "No samples.")
    assert widen(nothing, 20) == nothing


def test_widen_wilson_is_near_wilson_at_that_confidence() -> None:
    """The bound on what the one rule for all intervals costs: under 2 points at 60 of 200, asked 20 times."""
    share, exact = wilson(60, 200), wilson(60, 200, joint_confidence(20))
    wide = widen(Estimate(share.value, share.low, share.high, 200), 20)
    assert (wide.low, wide.high) == pytest.approx((exact.low, exact.high), abs=0.02)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 200), st.integers(1, 200))
def test_widen_only_grows_with_what_is_asked(value: float, below: float, above: float, few: int, more: int) -> None:
    estimate = Estimate(value, value - below, value + above, 10)
    narrow, wide = widen(estimate, few), widen(estimate, few + more)
    assert wide.low <= narrow.low <= value - below + 1e-12
    assert wide.high >= narrow.high >= value + above - 1e-12
    answers = answer_of(narrow), answer_of(wide)
    assert answers[0] == answers[1] or answers[1] == "cannot tell", "asking more can only take an answer back"


@pytest.mark.parametrize(
    ("answers", "all_needed", "settled"),
    [
        ([], "cannot tell", "cannot tell"),
        (["yes"], "yes", "yes"),
        (["yes", "yes"], "yes", "yes"),
        (["yes", "cannot tell"], "cannot tell", "cannot tell"),
        (["yes", "yes", "cannot tell"], "cannot tell", "yes"),
        (["yes", "yes", "no"], "no", "cannot tell"),
        (["no", "no", "cannot tell"], "no", "no"),
        (["no", "cannot tell", "cannot tell"], "no", "cannot tell"),
        (["cannot tell"], "cannot tell", "cannot tell"),
    ],
)
def test_answers_of_several(answers: list[Answer], all_needed: str, settled: str) -> None:
    assert require_all(answers) == all_needed
    assert settle(answers) == settled


@given(st.lists(ANSWERS, max_size=12), st.randoms())
def test_settle_has_no_order_and_mirrors(answers: list[Answer], random: object) -> None:
    mirror: dict[Answer, Answer] = {"yes": "no", "no": "yes", "cannot tell": "cannot tell"}
    turned = [mirror[answer] for answer in reversed(answers)]
    assert settle(turned) == mirror[settle(answers)]
    if settle(answers) == "yes":
        assert "no" not in answers and answers.count("yes") > len(answers) / 2


def test_a_family_without_any_difference_rarely_gets_a_yes() -> None:
    """Twenty pairs of networks that lose 5 % each by chance: one yes among all in at most 5 of 100 families."""
    generator = np.random.default_rng(0)
    false = 0
    for _ in range(200):
        counts = generator.multinomial(1000, [0.02, 0.03, 0.03, 0.92], size=20)
        answers = [answer_of(widen(paired_difference(*map(int, row)), 20)) for row in counts]
        false += "yes" in answers
    assert false / 200 <= 0.05
