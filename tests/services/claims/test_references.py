"""Published figures are what protocol and sources say, and nothing that could be taken for ours."""

import pytest

from backend.errors import InvalidRequest
from backend.services.claims.references import list_references


def test_list_references_holds_both_published_sets() -> None:
    rows = list_references(limit=200).items
    assert [row.source for row in rows] == ["RobustBench"] + ["AdversarialPruningBenchmark"] * 18
    first = rows[0]
    assert (first.method, first.architecture, first.claimed_attack) == ("HYDRA", "WRN-28-10", "PGD-50")
    assert (first.claimed_robust_accuracy, first.robust_accuracy, first.clean_accuracy) == (0.6224, 0.5714, 0.8897)
    figures = {(row.method, row.architecture, row.sparsity): row for row in rows[1:]}
    assert figures["HARP", "ResNet18", 0.95].robust_accuracy == 0.4569
    assert figures["R-ADMM", "VGG16", 0.99].clean_accuracy == 0.5769
    assert {row.eps_text for row in rows[1:]} == {"0.031"}, "as printed there, which is not 8/255"
    assert all(0.3 < row.robust_accuracy < (row.clean_accuracy or 1) < 0.9 for row in rows)


def test_list_references_is_paged() -> None:
    page = list_references(limit=2, offset=18)
    assert (len(page.items), page.total) == (1, 19)
    with pytest.raises(InvalidRequest):
        list_references(limit=0)
