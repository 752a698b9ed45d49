"""The folded sections of Compare: what each holds once it is opened. Its charts and tables are filled by callbacks."""

from collections.abc import Callable
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut
from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, Content, plot, section
from frontend.figures.units import unit_of
from frontend.pages.compare import ids
from frontend.pages.compare.grid import grid, grid_script
from frontend.pages.compare.replay import replay_parts_frame
from frontend.review.cut import has_margins

WORDS_HEIGHT = 100  # of a plot that holds a sentence instead of marks
CHART_HEIGHT = 260


@dataclass(frozen=True)
class FoldedSection:
    """A section of the page: its title, what it holds in a few words, and how its parts are made."""

    title: str
    note: str
    build: Callable[[ComparisonOut], list[Component]]
    script: Callable[[], str] = str

    def folded(self, name: str) -> Component:
        return section(name, self.title, self.note, store=ids.opened(name), body=ids.body(name), script=self.script())


def set_key() -> Component:
    """The four shapes by name: the key that the plots have in common."""
    items = [html.Span(f"{SYMBOLS[name]} {SET_WORDS[name]}", className=SET_CLASSES[name]) for name in SYMBOLS]
    return html.Span(items, className="key")


def chart(comparison: ComparisonOut, id: str, table_id: str, label: str) -> Component:
    """A chart of margins; where there are none its words need little room."""
    return plot(id, table_id, height=CHART_HEIGHT if has_margins(comparison) else WORDS_HEIGHT, label=label)


def half(title: str, note: Content, *content: Component) -> Component:
    """One of two parts next to each other."""
    heading = html.Div([html.H3(title), html.Span(note, className="card-note")], className="half-head")
    return html.Div([heading, *content])


def prediction(comparison: ComparisonOut) -> list[Component]:
    share = chart(comparison, ids.SHARE, ids.SHARE_TABLE, "Share lost by dense margin, with interval")
    note = html.Span(id=ids.SHARE_NOTE)
    return [
        half("Share lost by dense margin", note, share),
        half("Which score predicts losses?", "over all samples", html.Div(id=ids.PREDICTIVE)),
    ]


def margins(comparison: ComparisonOut) -> list[Component]:
    histogram = chart(comparison, ids.HISTOGRAM, ids.HISTOGRAM_TABLE, "Histogram of dense margins by set")
    curve = chart(comparison, ids.CURVE, ids.CURVE_TABLE, "Robust accuracy by eps for both models")
    return [half("Margins before pruning", set_key(), histogram), half("Robustness curve", "all samples", curve)]


def classes(comparison: ComparisonOut) -> list[Component]:
    note = html.P(id=ids.CLASSES_NOTE, className="footnote")
    bars = plot(ids.CLASSES, ids.CLASSES_TABLE, height=300, label="Share lost by class, with interval")
    return [html.Div([bars, note], className="whole")]


def samples(comparison: ComparisonOut) -> list[Component]:
    unit, has_evidence = unit_of(comparison.dense.norm), bool(comparison.additional_evidence)
    table = grid(unit, has_margins(comparison), has_evidence=has_evidence)
    return [html.Div([html.Div(id=ids.DOWNLOADS, className="downloads"), table], className="whole")]


SECTIONS = {
    "prediction": FoldedSection(
        "Does thin ice predict the losses?", "share lost by margin, AUROC of each score", prediction
    ),
    "controls": FoldedSection(
        "Compared with the controls",
        "flips caused by any change",
        lambda _: [html.Div(id=ids.CONTROLS, className="whole")],
    ),
    "margins": FoldedSection(
        "Margins before pruning, and the robustness curve", "histogram; accuracy at every ε", margins
    ),
    "classes": FoldedSection("Losses by class", "who pays", classes),
    "replay": FoldedSection(
        "Boundary moved, or a new hole?",
        "adversarials of one network tried on the other, in addition to the primary run",
        lambda _: [replay_parts_frame()],
    ),
    "table": FoldedSection(
        "Samples as a table", "the flipped samples, or the chosen set; sort by any column", samples, grid_script
    ),
    "notes": FoldedSection(
        "What to keep in mind",
        "seeds, censored margins, upper bounds",
        lambda _: [html.Ul(id=ids.NOTES, className="notes whole")],
    ),
}
