"""Components as plain data: what HTML says of them, and what is refused."""

import json
from typing import Any, cast

import pytest
from dash import dcc, html

from frontend.components import aria, table
from frontend.plain import FEWEST, lighten, plain


def test_plain_writes_tags_attributes_and_children() -> None:
    content = html.P(["of ", html.Strong(3, className="best"), None], tabIndex=0, hidden=True, **aria(label="n"))
    attributes = {"tabindex": "0", "hidden": "", "aria-label": "n"}
    strong = {"tag": "strong", "attributes": {"class": "best"}, "children": ["3"]}
    assert plain(content) == [{"tag": "p", "attributes": attributes, "children": ["of ", strong]}]


def test_plain_flattens_lists_and_leaves_out_what_is_nothing() -> None:
    assert plain([None, "a", ["b", html.Br()]]) == ["a", "b", {"tag": "br", "attributes": {}, "children": []}]
    assert plain(html.Span(hidden=False)) == [{"tag": "span", "attributes": {}, "children": []}]


def test_plain_writes_styles_as_css() -> None:
    (span,) = plain(html.Span(style={"left": "5%", "width": "1.0%"}))
    assert isinstance(span, dict) and span["attributes"] == {"style": "left:5%;width:1.0%"}


def test_plain_of_a_table_keeps_its_heads() -> None:
    (holder,) = plain(table("Samples", ["Set", "n"], [["kept", "4"]]))
    assert isinstance(holder, dict) and holder["attributes"]["role"] == "region"
    assert "'scope': 'row'" in str(holder) and "'kept'" in str(holder)


def test_plain_of_a_link_leads_on_within_the_dashboard() -> None:
    (link,) = plain(dcc.Link("there", href="/jobs", className="button"))
    attributes = {"href": "/jobs", "class": "button", "data-visit": "top"}
    assert link == {"tag": "a", "attributes": attributes, "children": ["there"]}


def test_plain_refuses_what_needs_dash() -> None:
    with pytest.raises(TypeError, match="Store"):
        plain(html.P(dcc.Store(id="some-store", data=1)))
    with pytest.raises(TypeError, match="Link"):
        plain(dcc.Link("elsewhere", href="/", refresh=True))


def inside(component: Any) -> list[Any]:
    return cast(list[Any], json.loads(component.to_plotly_json()["props"]["data-plain"]))


def test_lighten_sends_a_large_plain_part_as_data_and_keeps_its_outermost_element() -> None:
    rows = html.Ul([html.Li(str(number)) for number in range(FEWEST)], className="list")
    shown = lighten([html.H1("Title"), html.Div([dcc.Store(id="some-store", data=1), rows])])
    title, holder = shown
    assert title.children == "Title"
    store, lighter = holder.children
    assert store.data == 1
    assert (lighter.className, lighter.children) == ("list", None)
    assert inside(lighter) == plain(rows.children)
    assert len(rows.children) == FEWEST, "what was given stays as it is"


def test_lighten_leaves_small_parts_and_whatever_has_an_id() -> None:
    small = html.Div(html.P("one"))
    named = html.Ul([html.Li(str(number), id=f"row-{number}") for number in range(FEWEST)])
    shown = lighten([small, named, "text", None])
    assert shown[0].children.children == "one"
    assert [item.id for item in shown[1].children] == [item.id for item in named.children]
    assert shown[2:] == ["text", None]


def test_lighten_keeps_free_ids_as_ids_of_the_document() -> None:
    rows = [html.Li(dcc.Link(str(number), href="/", id=f"row-{number}")) for number in range(FEWEST)]
    lighter = lighten(html.Ul(rows), has_free_ids=True)
    assert [item["children"][0]["attributes"]["id"] for item in inside(lighter)][:2] == ["row-0", "row-1"]
    asked = html.Ul([html.Li("x", id={"type": "x", "key": number}) for number in range(FEWEST)])
    assert len(lighten(asked, has_free_ids=True).children) == FEWEST, "a pattern is what callbacks listen to"


def test_plain_writes_names_of_styles_as_css_does() -> None:
    (span,) = plain(html.Span(style={"maxWidth": "5%"}))
    assert isinstance(span, dict) and span["attributes"] == {"style": "max-width:5%"}
