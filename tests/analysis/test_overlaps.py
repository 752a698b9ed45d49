"""Losses of several networks against a recount with Python sets."""

from itertools import combinations

import numpy as np
import pytest

from backend.analysis.outcomes import Outcomes
from backend.analysis.overlaps import count_losses, join_several, overlap
from backend.analysis.statistics import mcnemar, wilson
from backend.errors import InvalidRequest, NotComparable
from tests.analysis.fabrication import INF, make

EPS = 8 / 255


def draw_networks(n: int, networks: int, seed: int) -> tuple[Outcomes, list[Outcomes]]:
    generator = np.random.default_rng(seed)
    base = generator.exponential(0.06, n)

    def draw(loss: float) -> Outcomes:
        margin = base - loss + generator.normal(0, 0.03, n)
        return make(np.where(margin > 0.2, INF, np.maximum(margin, 0.0)))

    return draw(0.0), [draw(0.01 * (1 + place)) for place in range(networks)]


def held_by_hand(outcomes: Outcomes, eps: float | None) -> set[int]:
    return {place for place, margin in enumerate(outcomes.margin) if margin > (0 if eps is None else eps * (1 + 2e-7))}


@pytest.mark.parametrize("eps", [None, EPS], ids=["clean", "at eps"])
@pytest.mark.parametrize("networks", [1, 2, 5])
def test_count_losses_agrees_with_a_recount_in_sets(eps: float | None, networks: int) -> None:
    dense, pruned = draw_networks(300, networks, seed=networks)
    found = count_losses(join_several(dense, pruned), eps)
    held = held_by_hand(dense, eps)
    lost = [held - held_by_hand(one, eps) for one in pruned]
    assert (found.n, found.held, found.lost) == (300, len(held), [len(one) for one in lost])
    times = {place: sum(place in one for one in lost) for place in held}
    assert found.lost_by == [sum(time == k for time in times.values()) for k in range(networks + 1)]
    assert sum(found.lost_by) == found.held
    assert found.at_least == [wilson(sum(time >= k for time in times.values()), 300) for k in range(1, networks + 1)]
    assert found.only == [sum(times[place] == 1 for place in one) for one in lost]
    assert len(found.overlaps) == networks * (networks - 1) // 2
    for one, (first, second) in zip(found.overlaps, combinations(lost, 2), strict=True):
        assert (one.both, one.only_first, one.only_second) == (
            len(first & second),
            len(first - second),
            len(second - first),
        )
        assert one.jaccard == wilson(len(first & second), len(first | second))
        assert one.mcnemar_p == mcnemar(len(first - second), len(second - first))


def test_overlap_by_chance_is_what_random_losses_share() -> None:
    generator = np.random.default_rng(0)
    held, shares = 400, []
    for _ in range(400):
        first, second = (generator.permutation(held) < size for size in (80, 120))
        shares.append(overlap(first, second, held))
    mean = np.mean([one.both for one in shares]) / np.mean(
        [one.both + one.only_first + one.only_second for one in shares]
    )
    assert shares[0].by_chance == pytest.approx(mean, rel=0.02)


def test_overlap_of_no_losses_has_no_share() -> None:
    nothing = np.zeros(10, dtype=bool)
    found = overlap(nothing, nothing, 10)
    assert (found.jaccard.value, found.by_chance, found.mcnemar_p) == (None, None, 1.0)
    assert overlap(nothing, nothing, 0).by_chance is None


def test_join_several_keeps_the_samples_that_all_have_in_one_order() -> None:
    dense = make([0.1] * 6, ids=list("fedcba"))
    first = make([0.2, 0.3, 0.4], ids=list("bca"), labels=[4, 3, 5], predictions=[4, 3, 5])
    second = make([0.5, 0.6, 0.7], ids=list("acd"), labels=[5, 3, 2], predictions=[5, 3, 2])
    pairs = join_several(dense, [first, second])
    assert [one.sample_ids.tolist() for one in pairs] == [["a", "c"]] * 2
    assert pairs[0].pruned.margin.tolist() == [0.4, 0.3] and pairs[1].pruned.margin.tolist() == [0.5, 0.6]


def test_join_several_without_a_common_sample_is_refused() -> None:
    dense = make([0.1] * 4, ids=list("abcd"))
    first = make([0.2, 0.2], ids=list("ab"))
    second = make([0.2, 0.2], ids=list("cd"), labels=[2, 3], predictions=[2, 3])
    with pytest.raises(NotComparable, match="no sample that all"):
        join_several(dense, [first, second])
    with pytest.raises(InvalidRequest, match="at least one"):
        join_several(dense, [])
