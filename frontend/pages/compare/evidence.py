"""The two small tables that weigh the result: how well a score foretells losses, and what the controls do."""

from dash import html
from dash.development.base_component import Component

from backend.schemas import Interval
from backend.schemas.comparisons import Auroc, ComparisonOut, ControlOut, CountsOut, NoiseOut
from frontend.components import Content, table
from frontend.words import count_words

SCORES = {
    "margin": "small dense margin",
    "logit_gap": "small logit gap",
    "max_probability": "low max probability",
    "loss": "high loss",
}
KINDS = {
    "finetuned": "finetuned for as long, not pruned",
    "seed": "another training seed",
    "noise": "random weight noise of the same norm",
}


def predictive_table(comparison: ComparisonOut) -> list[Component]:
    """AUROC of each score for "lost", over samples the dense model gets right; then the margin's at eps."""
    known = [item.auroc.value for item in comparison.predictive if item.auroc is not None]
    best = max(known, default=None)
    rows: list[list[Content]] = []
    reasons: list[str] = []
    for item in comparison.predictive:
        words = SCORES.get(item.score, item.score)
        if item.auroc is None:
            rows.append([words, "", "–", "–", "–"])
            reasons.append(item.reason or "")
            continue
        style = "best" if item.auroc.value == best else ""
        value = html.Span(f"{item.auroc.value:.2f}", className=style)
        others = [number_or_dash(item.average_precision), number_or_dash(item.fpr_at_95_tpr)]
        rows.append([words, forest(item.auroc), [value, " ", interval(item.auroc)], *others])
    at_eps = comparison.robust_statistics
    words = f"small dense margin, robust flips at {at_eps.eps_text}"
    if at_eps.auroc is None:
        rows.append([words, "", "–", "–", "–"])
        reasons.append(at_eps.auroc_reason or "")
    else:
        rows.append([words, forest(at_eps.auroc), [f"{at_eps.auroc.value:.2f} ", interval(at_eps.auroc)], "–", "–"])
    columns = ["Score", "0.5 to 1", "AUROC", "Avg. precision", "FPR at 95 % TPR"]
    parts = [table("How well each score predicts which samples are lost", columns, rows, text_columns=2)]
    parts.append(html.P(population_text(comparison), className="footnote"))
    parts.extend(html.P(reason, className="footnote") for reason in dict.fromkeys(reasons) if reason)
    return parts


def population_text(comparison: ComparisonOut) -> str:
    """Whom the scores are asked about."""
    clean = comparison.clean
    return (
        f"Clean: {clean.n10:,} lost of the {clean.n11 + clean.n10:,} that the dense model gets right. "
        f"At {comparison.eps_text}: {comparison.robust.n10:,} lost of the "
        f"{comparison.robust_statistics.population:,} that hold on the dense model."
    )


def forest(auroc: Auroc) -> Component:
    """The interval as a bar on 0.5 to 1, the value as a tick: what the eye compares."""

    def place(value: float) -> float:
        return round(200 * (min(1.0, max(0.5, value)) - 0.5), 1)

    low, high = place(auroc.low), place(auroc.high)
    span = html.Span(className="forest-span", style={"left": f"{low}%", "width": f"{max(high - low, 1):.1f}%"})
    tick = html.Span(className="forest-tick", style={"left": f"{place(auroc.value)}%"})
    return html.Span([span, tick], className="forest")


def interval(auroc: Auroc) -> Component:
    return html.Span(f"[{auroc.low:.2f}, {auroc.high:.2f}]", className="interval")


def number_or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def controls_table(comparison: ComparisonOut) -> list[Component]:
    """The pruned checkpoint above each control of the same parent; or why there is none."""
    if not comparison.controls and not comparison.noise:
        reason = comparison.controls_reason or "No control of this dense model has been evaluated on these samples."
        advice = "Any change to a model flips samples near the boundary. Without a control, their cause stays open."
        return [html.P(reason), html.P(advice, className="footnote")]
    own: list[Content] = [
        html.Strong(comparison.pruned.checkpoint_name),
        *losses(comparison.clean, comparison.robust),
        auroc_text(comparison.auroc),
    ]
    rows = [own, *map(control_row, comparison.controls), *(noise_row(noise, comparison) for noise in comparison.noise)]
    columns = ["Checkpoint", "▼ lost", "▲ gained", f"▼ lost at {comparison.eps_text}", "AUROC"]
    parts = [table("The pruned checkpoint and its controls", columns, rows)]
    parts.extend(html.P(beyond_sentence(control), className="beyond") for control in comparison.controls)
    if not comparison.controls and comparison.controls_reason:
        parts.append(html.P(comparison.controls_reason, className="footnote"))
    parts.extend(html.P(noise_sentence(noise, comparison), className="beyond") for noise in comparison.noise)
    reasons = {control.auroc_reason for control in comparison.controls if control.auroc_reason}
    parts.extend(html.P(reason, className="footnote") for reason in sorted(reasons))
    return parts


def control_row(control: ControlOut) -> list[Content]:
    name = [html.Span(control.name), html.Br(), html.Span(KINDS.get(control.kind, control.kind), className="muted")]
    return [name, *losses(control.clean, control.robust), auroc_text(control.auroc)]


def noise_row(noise: NoiseOut, comparison: ComparisonOut) -> list[Content]:
    """The same checkpoint with another seed: robust flips alone, since clean predictions know no seed."""
    side = comparison.dense if noise.side == "dense" else comparison.pruned
    words = f"attacked again, seed {noise.seeds[1]} instead of {noise.seeds[0]}: attack noise"
    name = [html.Span(side.checkpoint_name), html.Br(), html.Span(words, className="muted")]
    return [name, "–", "–", f"{noise.robust.n10:,}", "–"]


def noise_sentence(noise: NoiseOut, comparison: ComparisonOut) -> list[Content]:
    """How much the seed alone moves, and how many verdicts hang on less than that."""
    parts: list[Content] = [
        f"Attack noise of the {noise.side} side, {count_words(len(noise.seeds), 'seed')}, n {noise.n:,}: ",
        html.Strong(f"{count_words(noise.changed, 'verdict changes', 'verdicts change')} at {comparison.eps_text}"),
        f", {noise.robust.n10:,} lost and {noise.robust.n01:,} gained with the second seed",
    ]
    if noise.floor is None or noise.within is None:
        return [*parts, "."]
    return [
        *parts,
        f"; 95 % of margins move by less than {100 * noise.floor:.2g} %. ",
        html.Strong(f"Within attack noise: {noise.within:,} of {noise.held:,}"),
        f" {'sample that holds' if noise.held == 1 else 'samples that hold'}.",
    ]


def losses(clean: CountsOut, robust: CountsOut) -> list[Content]:
    return [f"{clean.n10:,}", f"{clean.n01:,}", f"{robust.n10:,}"]


def auroc_text(auroc: Auroc | None) -> Content:
    return "–" if auroc is None else [f"{auroc.value:.2f} ", interval(auroc)]


def beyond_sentence(control: ControlOut) -> list[Content]:
    """What pruning does beyond the control, with intervals, in words."""
    parts: list[Content] = [
        "Compared with ",
        html.Strong(control.name),
        ": ",
        html.Span(f"{control.lost_beyond:+,} lost ".replace("-", "−"), className="strong"),
        bracket(control.lost_beyond_interval),
    ]
    if control.auroc_difference is not None:
        difference = f"{control.auroc_difference:+.2f} ".replace("-", "−")
        parts += ["; AUROC ", html.Span(difference, className="strong"), bracket(control.auroc_difference_interval, 2)]
    return [*parts, f" on {count_words(control.n, 'shared sample')}."]


def bracket(interval: Interval | None, digits: int = 0) -> Component:
    """An interval in brackets."""
    if interval is None:
        return html.Span("(no interval)", className="interval")
    text = f"[{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
    return html.Span(text.replace("-", "−"), className="interval")
