"""Components of HTML as plain data, for parts of a page that the browser draws itself (assets/plain.js).

Dash mounts a React component for every element that it gets, and each mount costs the whole page. A part that changes
at every step of a slider is sent as data instead, and plain.js changes the elements that differ.
"""

from typing import Any

from dash.development.base_component import Component

from frontend.components import Content

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
    if content._namespace != "dash_html_components":
        raise TypeError(f"{content._type} is no plain HTML; only Dash can draw it.")
    given = content.to_plotly_json()["props"]
    attributes = {NAMES.get(name, name): _write(value) for name, value in given.items() if name != "children"}
    shown = {name: value for name, value in attributes.items() if value is not None}
    return [{"tag": content._type.lower(), "attributes": shown, "children": plain(given.get("children"))}]


def _write(value: Any) -> str | None:
    """An attribute as text; None where HTML leaves it out."""
    if isinstance(value, dict):
        return ";".join(f"{name}:{part}" for name, part in value.items())
    if isinstance(value, bool):
        return "" if value else None
    return None if value is None else str(value)
