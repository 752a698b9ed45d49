"""Components of HTML as plain data, for parts of a page that the browser draws itself (assets/plain.js).

Dash mounts a React component for every element that it gets, and each of them is asked at every change of any other. A
part that changes at every step of a slider is sent as data instead, and plain.js changes the elements that differ; a
large part of a page that needs nothing of Dash is sent as data too (`lighten`).
"""

import copy
import json
import re
from typing import Any

from dash.development.base_component import Component

from frontend.components import Content

FEWEST = 30  # elements that are worth drawing outside of Dash
LINK_PROPS = {"id", "children", "className", "href", "title", "target"}
NAMES = {"className": "class", "tabIndex": "tabindex", "htmlFor": "for", "colSpan": "colspan", "rowSpan": "rowspan"}
Tree = dict[str, Any]


def plain(content: Content) -> list[Tree | str]:
    """The elements of some content: text as it is, an element as its tag, attributes and children.

    Raises:
        TypeError: a component that is not plain HTML, because it needs Dash to work.
    """
    if content is None:
        return []
    if isinstance(content, list | tuple):
        return [part for one in content for part in plain(one)]
    if not isinstance(content, Component):
        return [str(content)]
    if not _is_html(content):
        raise TypeError(f"{content._type} is no plain HTML; only Dash can draw it.")
    given = content.to_plotly_json()["props"]
    attributes = {NAMES.get(name, name): _write(value) for name, value in given.items() if name != "children"}
    if content._type == "Link":
        attributes["data-visit"] = "top"
    shown = {name: value for name, value in attributes.items() if value is not None}
    tag = "a" if content._type == "Link" else content._type.lower()
    return [{"tag": tag, "attributes": shown, "children": plain(given.get("children"))}]


def lighten(content: Any, *, has_free_ids: bool = False) -> Any:
    """The same content, in which the browser draws every large part that needs nothing of Dash.

    Such a part consists of HTML and links only and has no id, so that no callback can mean it. Its outermost element
    stays a component; what stands inside is its `data-plain`.

    Args:
        has_free_ids: no callback names any id in the content that is text; scripts find elements by them.
    """
    return _lighten(content, has_free_ids, {})


def _lighten(content: Any, has_free_ids: bool, counts: dict[int, int | None]) -> Any:
    if isinstance(content, list | tuple):
        return [_lighten(one, has_free_ids, counts) for one in content]
    if not isinstance(content, Component):
        return content
    lighter = copy.copy(content)
    count = _count_plain(content, has_free_ids, counts)
    if count is None and hasattr(content, "children"):
        lighter.children = _lighten(content.children, has_free_ids, counts)
    elif (count or 0) >= FEWEST and content._type != "Link":
        lighter.children = None
        setattr(lighter, "data-plain", json.dumps(plain(content.children), separators=(",", ":")))
    return lighter


def _count_plain(content: Any, has_free_ids: bool, counts: dict[int, int | None]) -> int | None:
    """How many elements some content has, text included; None where a part of it needs Dash. `counts`: by `id()`."""
    if content is None:
        return 0
    if isinstance(content, list | tuple):
        found = [_count_plain(one, has_free_ids, counts) for one in content]
        return None if None in found else sum(count or 0 for count in found)
    if not isinstance(content, Component):
        return 1
    if id(content) not in counts:
        inside = _count_plain(getattr(content, "children", None), has_free_ids, counts)
        is_nameless = not hasattr(content, "id") or (has_free_ids and isinstance(content.id, str))
        is_plain = _is_html(content) and is_nameless
        counts[id(content)] = 1 + inside if is_plain and inside is not None else None
    return counts[id(content)]


def _is_html(component: Component) -> bool:
    if component._namespace == "dash_html_components":
        return True
    props = component.to_plotly_json()["props"]
    return component._type == "Link" and all(name in LINK_PROPS or name.startswith("aria-") for name in props)


def _write(value: Any) -> str | None:
    """An attribute as text; None where HTML leaves it out."""
    if isinstance(value, dict):
        return ";".join(f"{_hyphenate(name)}:{part}" for name, part in value.items())
    if isinstance(value, bool):
        return "" if value else None
    return None if value is None else str(value)


def _hyphenate(name: str) -> str:
    """`maxWidth` as CSS writes it: `max-width`."""
    return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
