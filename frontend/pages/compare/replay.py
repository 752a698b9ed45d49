"""Boundary moved, or a new hole: what replayed adversarials say about a pair, and the button that replays them."""

from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut, Rate, ReplayDirection, ReplayOut
from backend.schemas.evidence import EvidenceOut
from backend.services import comparisons, evidence
from frontend.callbacks import in_thread, notify
from frontend.components import Content, table
from frontend.pages.compare import ids
from frontend.review.cut import read_cut
from frontend.review.evidence import cancel_button, is_active, state_words, title_words
from frontend.words import count_words

POLL_MILLISECONDS = 1500


def replay_parts_frame() -> Component:
    """An empty place; `register` fills it once the cut is known."""
    parts = [
        html.Div(id=ids.REPLAY),
        html.Button("Replay both ways", id=ids.REPLAY_GO, className="button"),
        dcc.Interval(id=ids.REPLAY_POLL, interval=POLL_MILLISECONDS, disabled=True),
    ]
    return html.Div(parts, className="whole replay")


def register(app: Dash) -> None:
    """Fill the card for the cut, queue both replays, and follow them to their end."""

    @app.callback(
        Output(ids.REPLAY, "children"),
        Output(ids.REPLAY_POLL, "disabled"),
        Input(ids.CUT, "data"),
        Input(ids.REPLAY_GO, "n_clicks"),
        Input(ids.REPLAY_POLL, "n_intervals"),
        State(ids.REPLAY, "children"),
    )
    @in_thread
    def follow(
        query: dict[str, Any] | None, clicks: int | None, _tick: int | None, shown: Content
    ) -> tuple[Content, Content]:
        if query is None:
            return no_update, no_update
        cut = read_cut(query)
        if ctx.triggered_id == ids.REPLAY_GO and clicks:
            evidence.replay_pair(cut.dense, cut.pruned)
            notify("Queued", "Both replays are waiting for a worker. They keep running if you close this tab.")
        waiting = active_replays(cut.dense, cut.pruned)
        comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
        if shown and ctx.triggered_id == ids.CUT and not waiting and comparison.replay is None:
            return no_update, no_update  # without replays the card says the same at every eps
        return replay_parts(comparison, waiting), not waiting


def active_replays(dense: str, pruned: str) -> list[EvidenceOut]:
    """Replays between the two that wait or run."""
    listed = evidence.list_evidence(evaluation_ids=[dense, pruned]).items
    pair = {dense, pruned}
    return [row for row in listed if is_active(row) and row.kind == "replay" and str(row.source_evaluation_id) in pair]


def replay_parts(comparison: ComparisonOut, waiting: list[EvidenceOut]) -> list[Component]:
    """What the replays say, or what they would; then those that are on their way."""
    parts: list[Component] = []
    if comparison.replay is not None:
        parts += [directions_table(comparison.replay), *explanations(comparison)]
    elif not waiting:
        words = (
            "A replay tries the dense adversarials on the pruned network and the pruned ones on the dense network. An "
            "adversarial that breaks both shows that the boundary moved; otherwise pruning opened a new hole."
        )
        parts.append(html.P(words, className="muted"))
    parts += [
        html.P(
            [f"{row.checkpoint_name}, {title_words(row)}: {state_words(row)} ", cancel_button(row)], className="small"
        )
        for row in waiting
    ]
    return parts


def directions_table(found: ReplayOut) -> Component:
    rows = [
        direction_row("dense on pruned", found.dense_on_pruned),
        direction_row("pruned on dense", found.pruned_on_dense),
    ]
    columns = ["Adversarials", "Break it too", "Share", "Already wrong"]
    return table("Adversarials of one network tried on the other", columns, rows)


def direction_row(name: str, found: ReplayDirection) -> list[Content]:
    label: Content = [html.Span(name), html.Br(), html.Span(f"of {found.source}", className="muted")]
    return [label, *rate_cells(found.broken), f"{found.already_wrong:,}"]


def rate_cells(rate: Rate | None) -> list[Content]:
    if rate is None:
        return ["none tried", "–"]
    interval = f"[{100 * rate.interval.low:.1f}, {100 * rate.interval.high:.1f}]"
    share = [f"{100 * rate.value:.1f} % ", html.Span(interval, className="interval")]
    return [f"{rate.count:,} of {rate.n:,}", share]


def explanations(comparison: ComparisonOut) -> list[Component]:
    """Robust flips at eps by what the replays found."""
    found, eps = comparison.replay, comparison.eps_text
    assert found is not None
    sentences: list[list[Content]] = []
    if found.lost:
        sentences.append(
            [
                f"Of {count_words(found.lost, 'sample')} lost at {eps} with a dense adversarial to try, ",
                html.Strong(f"the boundary moved in {found.moved:,}"),
                " (that adversarial breaks the pruned network too) and ",
                html.Strong(f"{found.new_holes:,} broke through a new hole"),
                ".",
            ]
        )
    if found.lost_refuted:
        losses = count_words(found.lost_checked, "loss", "losses")
        sentences.append(
            [
                html.Strong(f"Attack luck explains {found.lost_refuted:,} of {losses}: "),
                f"within {eps}, the pruned adversarial also breaks the dense network, whose own attacks missed it.",
            ]
        )
    if found.gained_refuted:
        gains = count_words(found.gained_checked, "gain")
        sentences.append(
            [
                html.Strong(f"Attack luck explains {found.gained_refuted:,} of {gains}: "),
                f"within {eps}, the dense adversarial also breaks the pruned network, whose own attacks missed it.",
            ]
        )
    if not sentences:
        sentences.append([f"At {eps}, the replays explain none of the robust flips."])
    return [html.P(words, className="beyond") for words in sentences]
