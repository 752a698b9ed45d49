"""Best-known bound of a sample, and the button that spends more effort on it."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from backend.schemas.evaluations import MarginRow, SampleSide
from backend.schemas.evidence import EvidenceOut, HarderIn
from backend.services import evidence, samples
from backend.services.evaluations.views import is_robust
from frontend.callbacks import in_thread, notify
from frontend.components import Content, aria, data, icon
from frontend.figures.units import Unit, unit_of
from frontend.pages.sample import ids
from frontend.pages.sample.words import attack_title, distance_text
from frontend.review.evidence import cancel_button, is_active, state_words, title_words
from frontend.words import count_words

POLL_MILLISECONDS = 1500
DEFAULT_BUDGET = 20_000
SIDES = ("dense", "pruned")


def stores(sides: Sequence[SampleSide], norm: str, eps: float, eps_text: str) -> list[Component]:
    """What the callbacks know of the page; asks the server again only while something runs."""
    of = {
        "evaluations": [str(side.evaluation_id) for side in sides],
        "index": sides[0].row.index,
        "norm": norm,
        "eps": eps,
        "eps_text": eps_text,
    }
    is_quiet = not any(active_of(side) for side in sides)
    return [
        dcc.Store(id=ids.HARDER_OF, data=of),
        dcc.Interval(id=ids.HARDER_POLL, interval=POLL_MILLISECONDS, disabled=is_quiet),
    ]


def bound_section(kind: str, side: SampleSide, unit: Unit, eps: float, eps_text: str) -> Component:
    """The bound of one side with its form. `kind`: dense or pruned."""
    parts: list[Component] = [
        html.Div(bound_parts(side, unit, eps, eps_text), id={"type": ids.BOUND, "side": kind}, **aria(live="polite"))
    ]
    if side.row.correct:
        parts.append(form(kind, side))
    return html.Div(parts, className="sample-bound")


def bound_parts(side: SampleSide, unit: Unit, eps: float, eps_text: str) -> list[Component]:
    """Bound and source, loudly where it changes the verdict at eps; then what runs."""
    row = side.row
    if not row.correct:
        return []
    shown: list[Content] = [html.Span("Best known ", className="number-label")]
    if not row.has_evidence:
        shown.append(cold_bound_words(row, eps_text))
    else:
        address = f"/api/v1/evaluations/{side.evaluation_id}/samples/{row.index}/adversarial.npy?of=best-known"
        name = f"sample-{row.index}-{side.checkpoint_name}-best-known.npy"
        shown += [html.Strong(distance_text(row.best_known, unit)), f", by {attack_title(row.best_known_source)} "]
        shown.append(html.A(".npy", href=address, download=name, title="Download the adversarial behind this bound"))
    parts: list[Component] = [html.P(shown, className="small bound-line")]
    if is_verdict_changed(row, eps):
        what = "margin" if row.distance_kind == "minimum" else "verdict"
        words = (
            f"The sample holds at {eps_text} by its {what}, but not by its best-known bound. "
            f"Comparisons use the {what}."
        )
        parts.append(html.P([icon("warning"), words], className="small is-warning bound-change"))
    for item in active_of(side):
        parts.append(html.P([f"{title_words(item)}: {state_words(item)} ", cancel_button(item)], className="small"))
    return parts


def cold_bound_words(row: MarginRow, eps_text: str) -> str:
    """The bound where the evaluation's own run is all there is."""
    if row.distance_kind == "minimum":
        return "same as the margin: nothing nearer is known"
    return "as found: the attack did not look for a nearer one" if row.found else f"none found within {eps_text}"


def is_verdict_changed(row: MarginRow, eps: float) -> bool:
    """Whether the sample holds at eps by its margin and is broken by its best-known bound."""
    by_margin = is_robust(row.correct, row.margin, eps, row.distance_kind)
    return bool(by_margin) and not is_robust(row.correct, row.best_known, eps, row.distance_kind)


def active_of(side: SampleSide) -> list[EvidenceOut]:
    """Evidence about this sample that waits or runs."""
    return [item for item in evidence.list_of_sample(side.evaluation_id, side.row.index) if is_active(item)]


def form(kind: str, side: SampleSide) -> Component:
    """How many gradients, and the button."""
    budget = dmc.NumberInput(
        id={"type": ids.HARDER_BUDGET, "side": kind},
        value=DEFAULT_BUDGET,
        min=1,
        allowDecimal=False,
        thousandSeparator=",",
        suffix=" gradients",
        size="xs",
        className="budget",
        **aria(label=f"Budget of the {kind} side, in gradients"),
    )
    button = html.Button(
        "Attack harder",
        id={"type": ids.HARDER_GO, "side": kind},
        className="button",
        title=f"Run the margin attacks against {side.checkpoint_name} on this sample again, with new seeds",
        **data(focus=f"harder-{kind}"),
    )
    return html.Div([button, budget], className="harder-form")


def register(app: Dash) -> None:
    """Queue more effort, stop it, and follow it until it ends."""

    @app.callback(
        Output({"type": ids.BOUND, "side": ALL}, "children"),
        Output(ids.HARDER_POLL, "disabled"),
        Input({"type": ids.HARDER_GO, "side": ALL}, "n_clicks"),
        Input(ids.HARDER_POLL, "n_intervals"),
        State({"type": ids.HARDER_BUDGET, "side": ALL}, "value"),
        State({"type": ids.HARDER_BUDGET, "side": ALL}, "id"),
        State(ids.HARDER_OF, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(
        _clicks: list[int | None], _tick: int | None, budgets: list[Any], budget_ids: list[Any], of: dict[str, Any]
    ) -> tuple[Any, Any]:
        pressed = ctx.triggered_id
        if isinstance(pressed, dict):
            if not ctx.triggered[0]["value"]:  # a button that merely appeared
                return [no_update] * len(SIDES), no_update
            chosen = dict(zip([one["side"] for one in budget_ids], budgets, strict=True))
            queued = attack(of, pressed["side"], chosen.get(pressed["side"]))
            budget = count_words(round(queued.budget or 0), "gradient")
            notify("Queued", f"{queued.checkpoint_name}: up to {budget} on sample {of['index']}.")
        return renew(of)


def attack(of: dict[str, Any], kind: str, budget: Any) -> EvidenceOut:
    """Queue more effort on the page's sample for one side."""
    amount = budget if isinstance(budget, int | float) and budget > 0 else DEFAULT_BUDGET
    evaluation_id = of["evaluations"][SIDES.index(kind)]
    return evidence.queue_harder(evaluation_id, HarderIn(samples=[of["index"]], budget=amount))


def renew(of: dict[str, Any]) -> tuple[list[list[Component]], bool]:
    """Both bounds as they are now, and whether nothing is left to follow."""
    sides = [samples.side(evaluation_id, of["index"]) for evaluation_id in of["evaluations"]]
    unit = unit_of(of["norm"])
    shown = [bound_parts(side, unit, of["eps"], of["eps_text"]) for side in sides]
    return shown, not any(active_of(side) for side in sides)
