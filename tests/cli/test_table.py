"""What the table verb takes and says, from answers as the server gives them."""

from typing import Any

import pytest
import typer

from backend.cli import table

FAMILY = {"dataset_id": "d", "norm": "Linf", "eps_text": "8/255"}


def row(n: int | None) -> dict[str, Any]:
    return {"checkpoint_id": "c", "verdicts": [{"preset": "margin", "rate": None if n is None else {"n": n}}]}


@pytest.mark.parametrize("text", ["margin", "margin=", "=200", "margin=0", "margin=-3", "margin=many", "margin=2,000"])
def test_read_wish_of_anything_else_says_what_it_takes(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="PRESET=SAMPLES"):
        table.read_wish(text)


def test_read_wish_is_a_preset_and_a_number() -> None:
    assert table.read_wish("autoattack-plus=500") == ("autoattack-plus", 500)


@pytest.mark.parametrize(("n", "missing"), [(None, True), (199, True), (200, False), (900, False)])
def test_is_missing_counts_samples(n: int | None, missing: bool) -> None:
    assert table.is_missing(row(n), "margin", 200) is missing
    assert table.is_missing(row(n), "autoattack", 200), "no entry at all"


class Times:
    """A client that knows when evaluations were asked for: an id is its time."""

    def get(self, path: str) -> dict[str, Any]:
        return {"created_at": path.rpartition("/")[2]}


def verdict(name: str, evaluation: str | None, incompatible: str | None = None) -> dict[str, Any]:
    rate = None if evaluation is None else {"n": 300}
    one = {"preset": "margin", "rate": rate, "evaluation_id": evaluation, "incompatible_evaluation_id": incompatible}
    return {"checkpoint_id": name, "verdicts": [one]}


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([verdict("dense", "2"), verdict("a", None, "1"), verdict("b", "1")], [("a", 200)]),
        ([verdict("dense", "2"), verdict("a", None, "3"), verdict("b", None, "4")], [("dense", 300)]),
        ([verdict("dense", "2"), verdict("a", None, "3"), verdict("b", None)], [("dense", 300), ("b", 200)]),
        ([verdict("dense", None), verdict("a", None)], [("dense", 200), ("a", 200)]),
        ([verdict("dense", "2"), verdict("a", "1")], []),
    ],
)
def test_choose_rows_asks_the_dense_network_again_where_others_are_ahead_of_it(
    rows: list[dict[str, Any]], chosen: list[tuple[str, int]]
) -> None:
    client: Any = Times()
    found = table.choose_rows(client, rows, "margin", 200)
    assert [(row["checkpoint_id"], n) for row, n in found] == chosen


def test_is_on_its_way_needs_the_same_terms_and_samples() -> None:
    one = {"checkpoint_id": "c", "dataset_id": "d", "norm": "Linf", "eps_text": "8/255", "preset": "margin", "n": 300}
    assert table.is_on_its_way([one], FAMILY, row(None), "margin", 300)
    for change in ({"n": 299}, {"eps_text": "4/255"}, {"norm": "L2"}, {"preset": "fast"}, {"checkpoint_id": "x"}):
        assert not table.is_on_its_way([one | change], FAMILY, row(None), "margin", 300)


def test_describe_work_says_what_and_how_long() -> None:
    assert table.describe_work("margin", 2000, ["a", "b"], 0.09) == (
        "margin: 2 evaluations of 2,000 samples, about 6 min on one worker: a, b"
    )
    assert table.describe_work("fast", 50, ["a"], None) == "fast: 1 evaluation of 50 samples: a"
    assert table.describe_work("fast", 50, [], 0.1) == "fast: nothing is missing on 50 samples"
