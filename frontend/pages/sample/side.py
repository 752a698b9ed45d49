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


STRETCHED_BELOW = 0.25
"""A perturbation whose largest change is below this share of the full colour would look white: it is stretched."""


@dataclass(frozen=True)
class Shown:
    """What all frames of the page have in common. `scale`: the pixel change of full colour; None without any change.

    `changes`: the largest change of a pixel by side, None where it has no adversarial.
    """

    dataset: DatasetOut
    unit: Unit
    eps: float
    eps_text: str
    scale: float | None
    changes: dict[str, float | None]

    @property
    def scale_text(self) -> str:
        return change_text(self.scale, self.unit)

    def stretch_of(self, side: str) -> float | None:
        """How many times a side's perturbation is stretched beyond the common scale; None where it is not."""
        change = self.changes[side]
        if self.scale is None or not change or change >= STRETCHED_BELOW * self.scale:
            return None
        return self.scale / change

    def scale_of(self, side: str) -> float | None:
        """The pixel change that has the full colour in a side's own frame."""
        stretch = self.stretch_of(side)
        return self.scale if self.scale is None or stretch is None else self.scale / stretch


def change_text(change: float | None, unit: Unit) -> str:
    """A change of a pixel as the pair's distances are written: `25.5/255`, or `0.031` where they are plain numbers."""
    if change is None:
        return ""
    if not unit.counts_steps:
        return f"{change:.2g}"
    value = change * 255
    return f"{value:.2f}/255" if value < 10 and abs(value - round(value, 1)) > 1e-6 else f"{round(value, 1):g}/255"


def has_adversarial(side: SampleSide) -> bool:
    """Whether the network has an adversarial of its own, stored or to be computed again."""
    return side.row.correct and side.row.found


def side_row(kind: str, sides: tuple[SampleSide, SampleSide], shown: Shown, answer: Content) -> Component:
    """The row of the dense or the pruned network.

    Args:
        kind: "dense" or "pruned".
        sides: both networks, the dense one first.
        answer: what this network says of the other one's adversarial; None where there is none.
    """
    side, other = sides if kind == "dense" else sides[::-1]
    head = html.Div(
        [
            html.H2([dot("dense" if kind == "dense" else "pruned-1"), side.checkpoint_name]),
            html.Span(kind, className="muted small"),
            html.Div(links(kind, side, shown), className="card-tools"),
        ],
        className="card-head side-head",
    )
    last = perturbation_frame(kind, side, shown)
    if answer is not None and not has_adversarial(side) and other.has_adversarial:
        last = borrowed_frame(kind, other, answer)
    frames = html.Div([clean_frame(side, shown), adversarial_frame(side, shown), last], className="frames")
    crossed = crossed_line(kind, other, answer) if has_adversarial(side) or not other.has_adversarial else None
    body = html.Div(
        [html.Div([frames, *narrow_reason(side, shown)]), side_details(kind, side, shown, crossed)],
        className="side-body",
    )
    return html.Div([head, body], id=f"sample-{kind}", className="side")


def crossed_line(kind: str, other: SampleSide, answer: Content) -> Component | None:
    """This network's answer to the other one's adversarial, as a line."""
    if answer is None:
        return None
    whose = {"dense": "pruned", "pruned": "dense"}[kind]
    words = [f"On the {whose} adversarial ", answer]
    return html.P(words, className="small crossed", title=f"The adversarial against {other.checkpoint_name}")


def borrowed_frame(kind: str, other: SampleSide, answer: Content) -> Component:
    """The other network's adversarial, in the row of one that has none, with this one's answer to it."""
    whose = {"dense": "pruned", "pruned": "dense"}[kind]
    picture = html.Img(
        src=f"{side_address(other)}/adversarial.png",
        alt=f"The adversarial against {other.checkpoint_name}",
        className="pixels",
    )
    return frame("borrowed", picture, f"The {whose} adversarial", answer)


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
    title = "Adversarial" if row.correct else "Against its own prediction"
    return frame("adversarial", picture, title, says(taken_for, taken_for == label))


def perturbation_frame(kind: str, side: SampleSide, shown: Shown) -> Component:
    scale, stretch = shown.scale_of(kind), shown.stretch_of(kind)
    if not side.has_adversarial or scale is None:
        reason = html.Span("There is no perturbation without an adversarial.", className="frame-reason")
        return frame(
            "perturbation", html.P([html.Strong("none"), reason], className="frame-words"), "Perturbation", "no image"
        )
    text = change_text(scale, shown.unit)
    picture = html.Img(
        src=f"{side_address(side)}/perturbation.png?limit={scale:.9g}",
        alt=f"Perturbation against {side.checkpoint_name}: red brighter, blue darker, full at {text}",
        className="pixels",
    )
    caption: list[Content] = [f"± {text}"]
    if stretch is not None:
        caption += [", ", html.Strong(f"stretched {stretch:,.0f}×", className="is-warning")]
    return frame("perturbation", picture, "Perturbation", caption)


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


def links(kind: str, side: SampleSide, shown: Shown) -> list[Component]:
    """The evaluation's record, and what is stored of this sample as files."""
    record = dcc.Link("Evaluation", href=f"/jobs?evaluation={side.evaluation_id}", className="button button-quiet")
    if not side.has_adversarial:
        return [record]
    files = {"adversarial.npy": "", "adversarial.png": f"?scale={ENLARGED}"}
    scale = shown.scale_of(kind)
    if scale is not None:
        files["perturbation.png"] = f"?limit={scale:.9g}&scale={ENLARGED}"
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


def side_details(kind: str, side: SampleSide, shown: Shown, crossed: Component | None) -> Component:
    """The margin with what set it, the answer to the other's adversarial, the network's view of the clean image, the
    best-known bound, and every attempt."""
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
            *([] if crossed is None else [crossed]),
            html.Dl(items, className="side-details"),
            bound_section(kind, side, unit, shown.eps, shown.eps_text),
            folded_attempts(kind, side, unit),
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


def folded_attempts(kind: str, side: SampleSide, unit: Unit) -> Component:
    """How many attempts there were, and all of them on request."""
    if not side.attempts:
        return attempts(side, unit)
    found = sum(1 for item in side.attempts if item["found"])
    words = f"Attempts: {found:,} of {len(side.attempts):,} found an adversarial"
    content = html.Div(attempts(side, unit))
    return html.Details([html.Summary(words), content], className="as-table", **data(fold=f"attempts-{kind}"))


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
