"""One network's row: clean image, adversarial, perturbation, and what is known about them."""

import math
from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import SampleSide
from backend.services import catalogues
from backend.services.evaluations.views import measure_slack
from frontend.components import Content, data, dot, icon, table
from frontend.figures.units import Unit
from frontend.help.addresses import help_address
from frontend.pages.sample.harder import bound_section
from frontend.pages.sample.words import (
    MINIMUM_WORDS,
    attack_title,
    distance_text,
    margin_text,
    verdict_at_eps,
    why_no_adversarial,
)
from frontend.review.words import class_name

ENLARGED = 8  # of a downloaded PNG


@dataclass(frozen=True)
class Shown:
    """What all frames of the page have in common. `scale`: the pixel change of full colour; None without any change."""

    dataset: DatasetOut
    unit: Unit
    eps: float
    eps_text: str
    scale: float | None
    scale_text: str


def side_row(kind: str, side: SampleSide, shown: Shown) -> Component:
    """The row of the dense or the pruned network. `kind`: "dense" or "pruned"."""
    head = html.Div(
        [
            html.H2([dot("dense" if kind == "dense" else "pruned-1"), side.checkpoint_name]),
            html.Span(kind, className="muted small"),
            html.Div(links(side, shown), className="card-tools"),
        ],
        className="card-head side-head",
    )
    frames = html.Div(
        [clean_frame(side, shown), adversarial_frame(side, shown), perturbation_frame(side, shown)],
        className="frames",
    )
    body = html.Div(
        [html.Div([frames, *narrow_reason(side, shown)]), side_details(kind, side, shown)], className="side-body"
    )
    return html.Section([head, body], id=f"sample-{kind}", className="card side")


def frame(kind: str, content: Component, title: str, caption: Content) -> Component:
    """A picture or words in a frame of the one size, its kind and what is said about it below."""
    lines = [html.Span(title, className="frame-title"), html.Span(caption, className="frame-caption")]
    return html.Figure([html.Div(content, className="frame"), html.Figcaption(lines)], className=f"sample-{kind}")


def clean_frame(side: SampleSide, shown: Shown) -> Component:
    row = side.row
    label, prediction = class_name(shown.dataset, row.label), class_name(shown.dataset, row.prediction)
    picture = html.Img(
        src=clean_address(shown.dataset, row.index),
        alt=f"Clean image of sample {row.index}: {label}",
        className="pixels",
    )
    return frame("clean", picture, "Clean", says(prediction, row.correct))


def adversarial_frame(side: SampleSide, shown: Shown) -> Component:
    row = side.row
    label, prediction = class_name(shown.dataset, row.label), class_name(shown.dataset, row.prediction)
    if not side.has_adversarial:
        short, sentence = why_no_adversarial(row, label, prediction, shown.unit)
        # sample.js asks for what was found and is not stored, and shows the page again once it is.
        asked = data(restore=side_address(side)) if row.correct and row.found else {}
        parts = [html.Strong(short), html.Span(sentence, className="frame-reason")]
        return frame("adversarial", html.P(parts, className="frame-words", **asked), "Adversarial", "no image")
    if row.adversarial_prediction is None:
        taken_for = "another class"
    else:
        taken_for = class_name(shown.dataset, row.adversarial_prediction)
    picture = html.Img(
        src=f"{side_address(side)}/adversarial.png",
        alt=f"Adversarial example against {side.checkpoint_name}, taken for {taken_for}",
        className="pixels",
    )
    title = "adversarial" if row.correct else "against its own prediction"
    return frame("adversarial", picture, title, says(taken_for, taken_for == label))


def perturbation_frame(side: SampleSide, shown: Shown) -> Component:
    if not side.has_adversarial or shown.scale is None:
        reason = html.Span("There is no perturbation without an adversarial.", className="frame-reason")
        return frame(
            "perturbation", html.P([html.Strong("none"), reason], className="frame-words"), "Perturbation", "no image"
        )
    picture = html.Img(
        src=f"{side_address(side)}/perturbation.png?limit={shown.scale:.9g}",
        alt=f"Perturbation against {side.checkpoint_name}: red brighter, blue darker, full at {shown.scale_text}",
        className="pixels",
    )
    return frame("perturbation", picture, "Perturbation", ["± ", shown.scale_text])


def narrow_reason(side: SampleSide, shown: Shown) -> list[Component]:
    """The sentence again, for screens whose frames have no room for it; nothing where there is an adversarial."""
    if side.has_adversarial:
        return []
    row = side.row
    label, prediction = class_name(shown.dataset, row.label), class_name(shown.dataset, row.prediction)
    return [html.P(why_no_adversarial(row, label, prediction, shown.unit)[1], className="narrow-reason")]


def says(prediction: str, is_right: bool) -> list[Content]:
    mark = html.Span("correct", className="muted") if is_right else html.Span("wrong", className="is-lost strong")
    return ["says ", html.Strong(prediction), ", ", mark]


def clean_address(dataset: DatasetOut, index: int) -> str:
    return f"/api/v1/datasets/{dataset.id}/samples/{index}.png"


def side_address(side: SampleSide) -> str:
    return f"/api/v1/evaluations/{side.evaluation_id}/samples/{side.row.index}"


def links(side: SampleSide, shown: Shown) -> list[Component]:
    """The evaluation's record, and what is stored of this sample as files."""
    record = dcc.Link("Evaluation", href=f"/jobs?evaluation={side.evaluation_id}", className="button button-quiet")
    if not side.has_adversarial:
        return [record]
    files = {"adversarial.npy": "", "adversarial.png": f"?scale={ENLARGED}"}
    if shown.scale is not None:
        files["perturbation.png"] = f"?limit={shown.scale:.9g}&scale={ENLARGED}"
    stem = f"sample-{side.row.index}-{side.checkpoint_name}"
    downloads = [
        html.A(
            [icon("download"), name.replace(".", " .")],
            href=f"{side_address(side)}/{name}{query}",
            download=f"{stem}-{name}",
            className="button button-quiet",
            title=f"Download {name}",
        )
        for name, query in files.items()
    ]
    return [record, *downloads]


def side_details(kind: str, side: SampleSide, shown: Shown) -> Component:
    """The margin with what set it, the network's view of the clean image, the best-known bound, and every attempt."""
    row, unit = side.row, shown.unit
    verdict = verdict_at_eps(row, shown.eps, shown.eps_text)
    is_witness = row.distance_kind == "witness"
    rows: list[tuple[Content, Content]] = [] if is_witness else [("At ε", verdict)]
    if row.correct and row.found:
        words = f"found at {distance_text(row.margin, unit)}; the attack did not look for a nearer one"
        rows.append(("Adversarial", words) if is_witness else ("Distance", MINIMUM_WORDS))
    slack = measure_slack(row.correct, row.margin, shown.eps, row.distance_kind)
    if slack is not None:
        rows.append(
            (html.A("Slack to flip", href=help_address("word", "slack to flip")), f"{100 * slack:.1f} % of the margin")
        )
    if row.survives_8bit is not None:
        rows.append(("Survives 8 bits", "yes" if row.survives_8bit else "no, rounding undoes it"))
    if not row.correct:
        rows.append(("its own prediction", own_prediction(side, unit)))
    rows.append(("Logit gap", f"{row.logit_gap:.3g}".replace("-", "−")))
    rows.append(("Max probability", f"{100 * row.max_probability:.1f} %"))
    items = [part for name, value in rows for part in (html.Dt(name), html.Dd(value))]
    return html.Div(
        [
            html.Div(
                [
                    html.Span("Verdict at ε (no margin)" if is_witness else "Margin", className="number-label"),
                    html.Span(verdict if is_witness else margin_text(row, unit), className="side-margin"),
                ]
            ),
            html.P(set_by(side), className="small muted"),
            html.Dl(items, className="side-details"),
            bound_section(kind, side, unit, shown.eps, shown.eps_text),
            attempts(side, unit),
        ],
        className="side-text",
    )


def own_prediction(side: SampleSide, unit: Unit) -> str:
    margin = side.row.margin_pred
    return "no attack changed it" if margin is None else f"changes at {distance_text(margin, unit)}"


def set_by(side: SampleSide) -> list[Content]:
    """Which attack set the margin, or broke the sample."""
    row = side.row
    if not row.correct:
        return ["No attack was needed: the clean image is already misclassified."]
    if not row.found:
        return ["No attack found an adversarial."]
    title = attack_title(row.attack)
    name: Content = (
        dcc.Link(title, href=help_address("attack", row.attack)) if catalogues.find_attack(row.attack) else title
    )
    return ["Broken by " if row.distance_kind == "witness" else "Set by ", name]


def attempts(side: SampleSide, unit: Unit) -> Component:
    """Every attack of the primary run; the best is bold. Then, for each source, the best of its additional attempts."""
    if not side.attempts:
        return html.P("No attempts are stored for this sample.", className="small muted")
    primary = [item for item in side.attempts if not item["series"]]
    found = [item["distance"] for item in primary if item["found"] and item["distance"] is not None]
    best = None if side.row.distance_kind == "witness" else min(found, default=None)
    suffix = f" ({unit.suffix})" if unit.suffix else ""

    def shown_distance(item: dict[str, object]) -> Content:
        distance = item["distance"]
        if not isinstance(distance, float) or not item["found"]:
            return "–"
        text = f"{unit.shown(distance):.2f}" if unit.counts_steps else f"{distance:.3f}"
        return html.Strong(text) if distance == best else text

    rows = [
        [attack_title(item["attack"]), "yes" if item["found"] else "not found", shown_distance(item)]
        for item in primary
    ]
    for series in sorted({item["series"] for item in side.attempts if item["series"]}):
        runs = [item for item in side.attempts if item["series"] == series]
        nearest = min(runs, key=lambda item: item["distance"] if item["found"] else math.inf)
        name = f"{runs[0]['source'] or attack_title(runs[0]['attack'])} (additional)"
        words = f"{sum(item['found'] for item in runs):,} of {len(runs):,}"
        rows.append([name, words, shown_distance(nearest)])
    return table(f"Attempts on {side.checkpoint_name}", ["Attack", "Found", f"Distance{suffix}"], rows, text_columns=2)
