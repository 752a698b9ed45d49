"""Several networks in one picture: who is told from whom by what, bins, and what is said under the pointer."""

import pytest

from frontend.figures.overlaid import (
    BINS,
    NetworkLook,
    OverlaidCurve,
    OverlaidMargins,
    bin_edges,
    bin_text,
    count_margins_in_bins,
    overlaid_curves,
    overlaid_margins,
)
from frontend.figures.units import LINF
from frontend.theme import DARK, LIGHT, METHOD_MARKS, Theme

LOOKS = [NetworkLook("dense", None), *(NetworkLook(f"pruned {place}", place) for place in range(8))]


def make_curves() -> list[OverlaidCurve]:
    return [OverlaidCurve(look, [0.0, 0.1], [0.8, 0.5], [0.78, 0.48], [0.82, 0.52], 2000) for look in LOOKS]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_overlaid_curves_tell_nine_networks_apart_by_colour_and_by_dash(theme: Theme) -> None:
    figure = overlaid_curves(make_curves(), theme, LINF, eps=25.5, eps_label="25.5/255", limit=60.0)
    lines = [trace for trace in figure.data if trace.name]
    assert [line.name for line in lines] == [look.name for look in LOOKS]
    assert len({line.line.color for line in lines}) == 9
    assert [line.line.dash for line in lines[1:]] == [mark.dash for mark in METHOD_MARKS]
    assert lines[0].line.width > lines[1].line.width, "the dense network is the reference"
    assert "n 2,000" in lines[0].hovertemplate and list(lines[3].customdata[1]) == [0.48, 0.52]
    assert sum(trace.fill == "toself" for trace in figure.data) == 9, "a band for each"
    assert {"eps"} <= {shape.name for shape in figure.layout.shapes}


def test_overlaid_margins_fill_the_dense_network_and_show_the_ice() -> None:
    networks = [OverlaidMargins(look, [5] * BINS, 2000) for look in LOOKS[:3]]
    figure = overlaid_margins(networks, LIGHT, LINF, eps=25.5, eps_label="25.5/255", delta=13.0, limit=48.0)
    assert [trace.fill for trace in figure.data] == ["tozeroy", "none", "none"]
    assert {"ice", "eps"} <= {shape.name for shape in figure.layout.shapes}
    assert figure.data[0].text[0].startswith("0.0 to 2.0<br>5 of 2,000 (0.25 % [")


def test_count_margins_in_bins_leaves_out_what_has_no_place_on_the_axis() -> None:
    margins = [0.0, 1 / 255, 2.5 / 255, 47.9 / 255, 48 / 255, 90 / 255, float("inf")]
    counts = count_margins_in_bins(margins, LINF, 48.0)
    assert (counts[0], counts[1], counts[-1], sum(counts)) == (1, 1, 1, 3)
    assert bin_edges(48.0)[:2] == [0.0, 2.0] and len(bin_edges(48.0)) == BINS + 1


def test_bin_text_of_no_samples_names_the_bin_alone() -> None:
    assert bin_text(0.0, 2.0, 0, 0) == "0.0 to 2.0"
