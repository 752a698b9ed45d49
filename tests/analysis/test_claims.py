"""Claims against re-evaluations: by hand, by simulation, and at the edges."""

import numpy as np
import pytest

from backend.analysis.claims import Claim, answer_of, independent_difference, measure_excess, measure_gap
from backend.analysis.statistics import Estimate, paired_difference, wilson
from backend.errors import InvalidRequest


def hold(count: int, n: int) -> np.ndarray:
    return np.arange(n) < count


def test_measure_gap_of_the_same_samples_counts_the_images_in_between() -> None:
    """1,472 of 2,000 claimed, 1,400 held: 72 images fell between the two attacks."""
    gap = measure_gap(Claim(0.736, 2000), hold(1400, 2000), is_same_samples=True)
    assert gap.difference == paired_difference(1400, 72, 0, 528)
    assert gap.difference.value == pytest.approx(0.036)
    assert gap.basis == "same samples" and gap.answer == "yes"
    assert gap.held == wilson(1400, 2000)


def test_measure_gap_of_unknown_samples_is_wider_and_says_so() -> None:
    same = measure_gap(Claim(0.736, 2000), hold(1400, 2000), is_same_samples=True)
    gap = measure_gap(Claim(0.736, 2000), hold(1400, 2000), is_same_samples=False)
    assert (gap.basis, gap.difference.n) == ("unpaired", 2000)
    assert gap.difference.value == pytest.approx(same.difference.value)
    assert gap.difference.high - gap.difference.low > 3 * (same.difference.high - same.difference.low)


def test_measure_gap_of_a_bare_number_has_the_re_evaluations_interval_alone() -> None:
    gap = measure_gap(Claim(0.8, None), hold(140, 200), is_same_samples=False)
    share = wilson(140, 200)
    assert (gap.difference.low, gap.difference.high) == pytest.approx((0.8 - share.high, 0.8 - share.low))
    assert gap.basis == "number only"


def test_measure_gap_where_the_re_evaluation_is_weaker_is_negative() -> None:
    gap = measure_gap(Claim(0.5, 100), hold(60, 100), is_same_samples=True)
    assert gap.difference == paired_difference(50, 0, 10, 40)
    assert gap.answer == "no"


def test_independent_difference_is_newcombes_example() -> None:
    """56 of 70 against 48 of 80: 0.2, interval 0.0524 to 0.3339 (Newcombe 1998, Table II, method 10)."""
    difference = independent_difference(wilson(56, 70), wilson(48, 80))
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        (0.001, 0.2, "yes"),
        (-0.02, 0.009, "no"),
        (-0.3, -0.1, "no"),
        (-0.01, 0.02, "cannot tell"),
        (0.0, 0.02, "cannot tell"),
        (None, None, "cannot tell"),
    ],
)
def test_answer_of_an_interval(low: float | None, high: float | None, answer: str) -> None:
    assert answer_of(Estimate(None if low is None else (low + high) / 2, low, high, 10)) == answer


def test_measure_excess_of_the_same_samples_joins_the_two_gaps() -> None:
    dense = (Claim(0.80, 1000), hold(780, 1000))
    pruned = (Claim(0.75, 1000), hold(650, 1000))
    excess = measure_excess(pruned, dense, is_same_samples=True)
    gaps = [measure_gap(*side, is_same_samples=True).difference for side in (pruned, dense)]
    assert excess.difference.value == pytest.approx(0.10 - 0.02)
    below = np.hypot(gaps[0].value - gaps[0].low, gaps[1].high - gaps[1].value)
    assert excess.difference.low == pytest.approx(0.08 - below)
    assert excess.answer == "yes"
    back = measure_excess(dense, pruned, is_same_samples=True)
    assert back.difference.value == pytest.approx(-0.08) and back.answer == "no"


def test_measure_excess_elsewhere_pairs_the_re_evaluations() -> None:
    """Two networks that hold nearly the same images: pairing takes out what the choice of images adds."""
    held = hold(60, 100)
    other = held.copy()
    other[:5] = False
    sides = (Claim(0.7, 10_000), held), (Claim(0.7, 10_000), other)
    paired = measure_excess(*sides, is_same_samples=False)
    assert paired.basis == "unpaired"
    assert paired.difference.value == pytest.approx(-0.05)
    independent = independent_difference(wilson(60, 100), wilson(55, 100))
    assert paired.difference.high - paired.difference.low < 0.6 * (independent.high - independent.low)
    bare = measure_excess((Claim(0.7, None), held), (Claim(0.7, 50), other), is_same_samples=False)
    assert (bare.basis, bare.difference.n, paired.difference.n) == ("number only", 100, 100)


@pytest.mark.parametrize("is_same_samples", [True, False])
def test_intervals_cover_the_truth(is_same_samples: bool) -> None:
    """Two networks with true gaps of 6 and 2 points, drawn again and again: 95 % of the intervals hold the truth."""
    generator = np.random.default_rng(0)
    n, rounds, covered = 400, 400, np.zeros(3)
    for _ in range(rounds):
        # A sample's hardness decides for both networks and both attacks; claims of other samples draw their own.
        hardness = generator.random((2, n))
        drawn = hardness[0] if is_same_samples else hardness[1]
        sides = []
        for weak, strong in ((0.70, 0.64), (0.75, 0.73)):
            own = generator.random(n) < 0.2
            claimed = np.where(own, generator.random(n), drawn) < weak
            held = np.where(own, generator.random(n), hardness[0]) < strong
            if is_same_samples:
                held &= claimed
            sides.append((Claim(float(claimed.mean()), n), held))
        if is_same_samples:
            # Nested attacks break a little more than the strong one alone: the truth by the same arithmetic.
            truths = [weak - (0.8 * strong + 0.2 * weak * strong) for weak, strong in ((0.70, 0.64), (0.75, 0.73))]
        else:
            truths = [0.06, 0.02]
        gaps = [measure_gap(*side, is_same_samples=is_same_samples).difference for side in sides]
        excess = measure_excess(*sides, is_same_samples=is_same_samples).difference
        for place, (found, truth) in enumerate(zip([*gaps, excess], [*truths, truths[0] - truths[1]], strict=True)):
            covered[place] += found.low <= truth <= found.high
    assert (covered / rounds > 0.92).all()


@pytest.mark.parametrize(("share", "n"), [(1.1, 10), (-0.1, 10), (0.5, 0), (float("nan"), 10)])
def test_claim_out_of_range_is_refused(share: float, n: int) -> None:
    with pytest.raises(InvalidRequest):
        Claim(share, n)


def test_measure_gap_impossible_inputs_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least one sample; got none"):
        measure_gap(Claim(0.5, 10), hold(0, 0), is_same_samples=False)
    with pytest.raises(InvalidRequest, match="must count 9 of them; got 10"):
        measure_gap(Claim(0.5, 10), hold(3, 9), is_same_samples=True)
    with pytest.raises(InvalidRequest, match="the same number of samples; got 9 and 8"):
        measure_excess((Claim(0.5, 10), hold(3, 9)), (Claim(0.5, 10), hold(3, 8)), is_same_samples=False)
