"""Which layer brings lost samples back: the button that restores the parent's layers, and what was measured."""

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.schemas.comparisons import PairedSample, Rate
from backend.schemas.evidence import EvidenceOut
from backend.schemas.layers import LayersIn, LayersOut, RestoredLayerOut
from backend.services import evidence, layers
from frontend.callbacks import in_thread, notify
from frontend.components import Content, aria, card, data, table
from frontend.figures.units import Unit, unit_of
from frontend.pages.sample import ids
from frontend.pages.sample.words import distance_text
from frontend.review.evidence import cancel_button, state_words
from frontend.review.walk import ShownPair
from frontend.words import count_words, interval_words, percent

POLL_MILLISECONDS = 1500
MEANING = (
    "Each row is the pruned network with one layer of its parent in place of its own, together with the normalisation "
    "after it. Its samples are attacked again like those of the pruned network. A layer that brings samples back need "
    "not be the one that lost them: the other layers were trained for the pruned one, so kept samples may fall, too."
)


def layers_card(pair: ShownPair, sample: PairedSample) -> Component:
    """The card of the pair, with a column for the sample."""
    of = {
        "dense": pair.cut.dense,
        "pruned": pair.cut.pruned,
        "eps": pair.comparison.eps_text,
        "norm": pair.comparison.dense.norm,
        "index": sample.index,
        "is_lost": "S10" in (sample.set, sample.robust_set),
        "can": pair.comparison.dense.norm == pair.comparison.pruned.norm,
    }
    shown, is_quiet = read(of)
    parts = [
        html.P(MEANING, className="small muted layers-meaning"),
        html.Div(shown, id=ids.LAYERS, **aria(live="polite")),
        dcc.Store(id=ids.LAYERS_OF, data=of),
        dcc.Interval(id=ids.LAYERS_POLL, interval=POLL_MILLISECONDS, disabled=is_quiet),
    ]
    return card("Which layer brings lost samples back?", *parts, tools=go_button(of))


def go_button(of: dict[str, Any]) -> Component:
    return html.Button(
        "Restore layer by layer",
        id=ids.LAYERS_GO,
        className="button",
        title=f"Measure the samples lost at {of['eps']} again with each layer of the parent, one at a time",
        disabled=not of["can"],
        **data(focus="layers"),
    )


def read(of: dict[str, Any]) -> tuple[list[Component], bool]:
    """What is shown of the pair at its eps, and whether nothing is left to follow."""
    newest = layers.find_layers(of["dense"], of["pruned"], of["eps"])
    if newest is None:
        words = f"Not measured at {of['eps']} yet. It takes about a minute on a small network."
        return [html.P(words, className="small")], True
    job = evidence.get_evidence(newest.evidence_id)
    parts: list[Component] = []
    if job.state != "succeeded":
        parts.append(progress(job))
    if newest.layers:
        parts += [html.P(counted_words(newest), className="small"), layer_table(newest, of)]
    return parts, job.state not in ACTIVE


def progress(job: EvidenceOut) -> Component:
    words: list[Content] = [f"{state_words(job)} "]
    if job.state == "running":
        words.insert(0, f"{job.progress.stage}; ")
    if job.state in ACTIVE:
        words.append(cancel_button(job))
    return html.P(words, className="small")


def counted_words(found: LayersOut) -> str:
    """What was measured: which samples, how many of how many."""
    lost = f"{found.lost:,} of {count_words(found.lost_in_all, 'lost sample')}"
    return (
        f"{len(found.layers)} of {count_words(len(found.names), 'layer')}, measured with {found.preset} at "
        f"{found.eps_text} on {lost} (clean or at ε) and {count_words(found.kept, 'kept sample')} for control."
    )


def layer_table(found: LayersOut, of: dict[str, Any]) -> Component:
    """The layers, the one that brings back most first."""
    has_sample = of["index"] in found.indices[: found.lost]
    columns = [
        "Layer restored",
        "Lost at ε, back",
        "Lost clean, right again",
        "Kept at ε, still held",
        "Clean accuracy",
    ]
    if has_sample:
        columns.insert(1, "This sample")
    rows = []
    for layer in found.layers:
        rates = (layer.robust_back, layer.clean_back, layer.kept_held, layer.clean_accuracy)
        row: list[Content] = [layer_name(layer), *(rate_words(rate) for rate in rates)]
        if has_sample:
            margin = layer.margins[found.indices.index(of["index"])]
            row.insert(1, sample_words(margin, found.eps, found.eps_text, unit_of(of["norm"])))
        rows.append(row)
    caption = "Samples back with one layer of the parent"
    return table(caption, columns, rows, text_columns=2 if has_sample else 1)


def layer_name(layer: RestoredLayerOut) -> Content:
    after = f" with {', '.join(layer.parts[1:])}" if len(layer.parts) > 1 else ""
    return [html.Strong(layer.name), html.Span(f"{after}, {count_words(layer.weights, 'weight')}", className="muted")]


def rate_words(rate: Rate | None) -> Content:
    if rate is None:
        return "no such sample"
    title = f"{percent(rate.value)}, {interval_words(rate.interval)}"
    return html.Span(f"{rate.count:,} of {rate.n:,}", title=title)


def sample_words(margin: float | None, eps: float, text: str, unit: Unit) -> Content:
    """What became of the page's sample."""
    if margin == 0.0:
        return "still wrong"
    if margin is None:
        return html.Strong("back: none found")
    holds = margin > eps
    words = f"{distance_text(margin, unit)}, {'holds at' if holds else 'broken within'} {text}"
    return html.Strong(f"back: {words}") if holds else f"right, {words}"


def register(app: Dash) -> None:
    """Queue the measurement, and follow it until it ends."""

    @app.callback(
        Output(ids.LAYERS, "children"),
        Output(ids.LAYERS_POLL, "disabled"),
        Input(ids.LAYERS_GO, "n_clicks"),
        Input(ids.LAYERS_POLL, "n_intervals"),
        State(ids.LAYERS_OF, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_clicks: int | None, _tick: int | None, of: dict[str, Any]) -> Sequence[Any]:
        if ctx.triggered_id == ids.LAYERS_GO:
            if not ctx.triggered[0]["value"]:  # a button that merely appeared
                return no_update, no_update
            index = of["index"] if of["is_lost"] else None
            wanted = LayersIn(dense=of["dense"], pruned=of["pruned"], eps=of["eps"], index=index)
            queued = layers.queue_layers(wanted)
            notify(
                "Queued", f"{queued.checkpoint_name}: {count_words(int(queued.progress.total), 'layer')} to restore."
            )
        return read(of)
