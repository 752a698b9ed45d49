"""What replayed adversarials say about robust flips, counted by hand."""

from backend.analysis.replay import count_broken, explain_flips
from tests.analysis.fabrication import INF, make_pair

EPS = 0.1
IDS = [f"s{i:05d}" for i in range(8)]


def test_explain_flips_tells_a_moved_boundary_from_a_new_hole_and_luck_from_loss() -> None:
    #                    lost x 4 (the last without an adversarial), lost clean, gained x 2, kept
    pair = make_pair([0.2, 0.2, 0.2, INF, 0.2, 0.05, 0.05, 0.3], [0.05, 0.05, 0.05, 0.05, 0.0, 0.2, 0.2, 0.3])
    dense_on_pruned = {IDS[0]: True, IDS[1]: False, IDS[2]: True, IDS[5]: True, IDS[6]: False, IDS[7]: True}
    pruned_on_dense = {IDS[0]: False, IDS[1]: True, IDS[3]: False, IDS[7]: False}
    found = explain_flips(pair, EPS, dense_on_pruned, pruned_on_dense)
    assert (found.lost, found.moved) == (3, 2)
    assert (found.lost_checked, found.lost_refuted) == (3, 1)
    assert (found.gained_checked, found.gained_refuted) == (2, 1)


def test_explain_flips_without_a_replay_counts_nothing() -> None:
    found = explain_flips(make_pair([0.2], [0.05]), EPS, {}, {})
    assert (found.lost, found.moved, found.lost_checked, found.gained_checked) == (0, 0, 0, 0)


def test_count_broken_is_a_share_with_an_interval() -> None:
    share = count_broken({"a": True, "b": False, "c": True, "d": False})
    assert (share.count, share.n, share.value) == (2, 4, 0.5)
    assert share.low is not None and share.high is not None and share.low < 0.5 < share.high
    assert count_broken({}).value is None
