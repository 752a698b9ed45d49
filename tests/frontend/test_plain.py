"""Components as plain data: what HTML says of them, and what is refused."""

import pytest
from dash import dcc, html

from frontend.components import aria, table
from frontend.plain import plain


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


def test_plain_refuses_what_needs_dash() -> None:
    with pytest.raises(TypeError, match="Link"):
        plain(html.P(dcc.Link("there", href="/")))
