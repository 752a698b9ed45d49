"""What a reader finds on a page: its words, its links, its components by id."""

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def walk(content: Any) -> Iterator[Any]:
    """Every component and text below, in the order of reading."""
    if isinstance(content, list | tuple):
        for part in content:
            yield from walk(part)
    elif content is not None:
        yield content
        if isinstance(content, Component):
            yield from walk(getattr(content, "children", None))


def text_of(content: Any) -> str:
    return "".join(str(part) for part in walk(content) if not isinstance(part, Component))


def hrefs(content: Any) -> list[str]:
    return [part.href for part in walk(content) if isinstance(part, Component) and getattr(part, "href", None)]


def by_id(content: Any, id: Any) -> Any:
    """The component of that id; fails where there is none or several."""
    found = [part for part in walk(content) if isinstance(part, Component) and getattr(part, "id", None) == id]
    assert len(found) == 1, f"{len(found)} components have the id {id!r}"
    return found[0]


def live_keys(content: Any) -> set[str]:
    """Keys of the cells that live.js changes."""
    return {
        part.to_plotly_json()["props"].get("data-live") for part in walk(content) if isinstance(part, Component)
    } - {None}
