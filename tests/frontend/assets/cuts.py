"""A pair at a cut as the browser has it, and what a reader finds in the elements that the scripts describe."""

from collections.abc import Iterator
from typing import Any

from backend.services import comparisons
from frontend.pages import compare
from frontend.pages.compare import ids
from tests.frontend.assets.scripts import call, call_all
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
    return call("sampleLists.cutOf", query, state_of(query))


def shown_of(query: dict[str, str]) -> dict[str, Any]:
    """The argument of a call: the pair at the cut that the query names, with its sets."""
    state, columns = state_of(query), columns_at(query)
    held = {"pair": state, "columns": columns, "clean": {"call": ["outcomes.sets", [columns, None]]}}
    return {"call": ["sampleLists.shownAt", [held, {"call": ["sampleLists.cutOf", [query, state]]}, None]]}


def counted_of(query: dict[str, str]) -> dict[str, Any]:
    """The argument of a call: what the cut counts of its samples, clean and robust."""
    shown, columns = call("sampleLists.shownAt", *shown_of(query)["call"][1]), columns_at(query)
    return {
        name: {"call": ["outcomes.summariseSets", [columns, shown[name], shown["mask"]]]}
        for name in ("clean", "robust")
    }


def cards_of(query: dict[str, str]) -> list[Any]:
    """The number cards at the cut that the query names."""
    counted = counted_of(query)
    cards: list[Any] = call("compareNumbers.cards", counted["clean"], counted["robust"], shown_of(query))
    return cards


def tiles_of(query: dict[str, str], name: str | None = "S10") -> list[Any]:
    """The tiles of a set, or of every set, in the order of the cut."""
    shown = shown_of(query)
    places: list[int] = call("sampleLists.order", shown, name)
    return call_all([("sampleTiles.tile", [shown, place]) for place in places])


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
