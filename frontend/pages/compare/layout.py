"""The page's frame: what depends on the pair only. The browser and `callbacks` fill in what the address cuts."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.services import comparisons, datasets, evaluations
from frontend.components import aria, card, data, empty_state, plot
from frontend.figures.units import unit_of
from frontend.lists import read_list
from frontend.pages.compare import ids
from frontend.pages.compare.header import bar, pair_title
from frontend.pages.compare.sections import SECTIONS, WORDS_HEIGHT, set_key
from frontend.review.cut import has_margins, read_cut
from frontend.review.notices import context_line, mismatch_notice, verdict_notice
from frontend.review.sliders import read_sliders
from frontend.review.state import pair_state
from frontend.shipped import ways_in

PICTURE_HEIGHT = 372  # with it the lost marks stand above the fold of a window of 1440 x 900


def layout(**query: str) -> Component:
    """The page for a pair; without one, how to get one."""
    if not (query.get("dense") and query.get("pruned")):
        return nothing_yet()
    cut = read_cut(query)
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    dataset = datasets.get_dataset(str(comparison.dense.dataset_id))
    unit = unit_of(comparison.dense.norm)
    samples = comparisons.paired_samples(cut.dense, cut.pruned, comparison.eps_text)
    is_measured = has_margins(comparison)
    sliders = read_sliders(comparison, samples, cut, unit)
    state = pair_state(comparison, samples, dataset, cut, sliders, unit)
    parts = [
        dcc.Store(id=ids.PAIR, data=state),
        dcc.Store(id=ids.CUT),
        dcc.Store(id=ids.FOLLOWED),
        *(dcc.Store(id=ids.opened(name)) for name in SECTIONS),
        context_line(comparison, dataset, sliders.median_eps),
        pair_title(comparison, evaluation_choices()),
        mismatch_notice(comparison),
        verdict_notice(comparison),
        html.P([html.Span(id=ids.HEADLINE), html.Span(id=ids.REST)], className="headline"),
        bar(state, unit, dataset),
        html.Div(
            [html.Div(className="number skeleton-number") for _ in range(6)],
            id=ids.NUMBERS,
            className="numbers",
        ),
        html.P(id=ids.SCOPE, className="scope"),
        html.Div([scatter_card(is_measured), wall_card()], className="pictures"),
        *(one.folded(name) for name, one in SECTIONS.items()),
        hover_card(),
    ]
    return html.Div([part for part in parts if part is not None], id=ids.PAGE, className="compare")


def nothing_yet() -> Component:
    heading = html.H1("Compare", className="page-title")
    running = evaluations.list_evaluations(limit=1, state="running").total
    if running:
        sentence = (
            f"No pair has finished yet; {running} {'evaluation is' if running == 1 else 'evaluations are'} running."
        )
        return html.Div([heading, empty_state(sentence, "View jobs", "/jobs")], className="compare")
    sentence = "A comparison needs a dense checkpoint and one pruned from it, both evaluated on the same samples."
    return html.Div([heading, empty_state(sentence, ways=ways_in())], className="compare")


def evaluation_choices() -> list[dict[str, str]]:
    """Finished evaluations for the picker, newest first."""
    finished = read_list(lambda limit, offset: evaluations.list_evaluations(limit, offset, state="succeeded"))
    return [
        {
            "value": str(item.id),
            "label": f"{item.checkpoint_name} · {item.preset} · n {item.n:,} · {item.norm} · seed {item.seed}",
        }
        for item in finished
    ]


def scatter_card(is_measured: bool) -> Component:
    """The picture, and what a drag in it does."""
    modes = [("zoom", "Zoom"), ("box", "Box"), ("lasso", "Lasso")]
    titles = {"zoom": "Drag to zoom", "box": "Drag a box around samples", "lasso": "Draw around samples"}
    buttons = [
        html.Button(
            words,
            className="sort",
            title=titles[mode],
            **data(mode=mode),
            **aria(pressed="true" if mode == "zoom" else "false"),
        )
        for mode, words in modes
    ]
    tools = html.Div(buttons, id=ids.TOOLS, className="sorts", role="group", **aria(label="What a drag does"))
    return card(
        "Margins, dense and pruned",
        plot(
            ids.SCATTER,
            ids.SCATTER_TABLE,
            height=PICTURE_HEIGHT if is_measured else WORDS_HEIGHT,
            label="Dense margin against pruned margin, one mark per sample",
        ),
        html.P(id=ids.THIN, className="footnote", **aria(live="polite")),
        tools=[set_key(), tools] if is_measured else set_key(),
        kind="scatter-card",
    )


def wall_card() -> Component:
    """The lost samples, or those of the chosen set."""
    parts = [html.Div(id=ids.WALL_HEAD, className="wall-head"), html.Div(id=ids.WALL, className="wall-list")]
    return html.Section(parts, className="card wall-card")


def hover_card() -> Component:
    """What a mark of the scatter shows under the pointer; moved and filled by the browser."""
    return html.Div(
        [html.Img(id=ids.HOVER_IMAGE, className="pixels", alt=""), html.Div(id=ids.HOVER_TEXT)],
        id=ids.HOVER,
        className="hover-card",
        hidden=True,
    )
