"""A pair at a cut as the browser has it, and what a reader finds in the elements that the scripts describe."""

from collections.abc import Iterator
from typing import Any

from backend.services import comparisons
from frontend.pages import compare
from frontend.pages.compare import ids
from tests.frontend.assets.scripts import call
from tests.frontend.words import by_id


def state_of(query: dict[str, str]) -> dict[str, Any]:
    """What the page of an address gives to the scripts."""
    state: dict[str, Any] = by_id(compare.layout(**query), ids.PAIR).data
    return state


def columns_at(query: dict[str, str]) -> dict[str, Any]:
    """The argument of a call: the columns that REST sends."""
    sent = comparisons.pair_columns(query["dense"], query["pruned"]).model_dump(mode="json")
    return {"call": ["outcomes.decode", [sent]]}


def cut_of(query: dict[str, str]) -> Any:
    return call("compareLists.cutOf", query, state_of(query))


def shown_of(query: dict[str, str]) -> dict[str, Any]:
    """The argument of a call: the pair at the cut that the query names, with its sets."""
    columns, cut = columns_at(query), cut_of(query)
    clean, robust = ({"call": ["outcomes.sets", [columns, eps]]} for eps in (None, cut["eps"]))
    sets = clean if cut["view"] == "clean" else robust
    return {"pair": state_of(query), "columns": columns, "cut": cut, "clean": clean, "robust": robust, "sets": sets}


def cards_of(query: dict[str, str]) -> list[Any]:
    """The number cards at the cut that the query names."""
    columns, cut = columns_at(query), cut_of(query)
    clean, robust = ({"call": ["outcomes.summarise", [columns, eps]]} for eps in (None, cut["eps"]))
    cards: list[Any] = call("compareNumbers.cards", clean, robust, cut)
    return cards


def elements(trees: Any) -> Iterator[Any]:
    """Every element and text below, in the order of reading."""
    for tree in trees if isinstance(trees, list) else [trees]:
        yield tree
        if isinstance(tree, dict):
            yield from elements(tree["children"])


def words_of(trees: Any) -> str:
    return "".join(part for part in elements(trees) if isinstance(part, str))


def with_class(trees: Any, name: str) -> list[Any]:
    """The elements of a class."""
    return [
        one
        for one in elements(trees)
        if isinstance(one, dict) and name in (one["attributes"].get("class") or "").split()
    ]
