"""The versions of a dense checkpoint: by method, the least pruned first, with the margin that each has of the sample.

Up and down walk along one method's sparsity. A version whose evaluation does not hold the sample is named, and so is
one without margins: nothing is left out in silence.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dash import html
from dash.development.base_component import Component

from backend.schemas.checkpoints import CheckpointOut
from backend.schemas.comparisons import PairedSample
from backend.schemas.evaluations import EvaluationOut, MarginRow
from backend.services import checkpoints, comparisons, samples
from frontend.components import Content, aria, card, data, table
from frontend.figures.sparsity import DODGE, place_level
from frontend.pages.sample.words import margin_text
from frontend.review.walk import ShownPair
from frontend.words import count_words, sentence_list

SHAPES = ("circle", "square", "diamond", "triangle", "cross")
"""Of methods, in their order; after five the shapes and colours pair otherwise (assets/trajectory.js draws them)."""

MOST_NAMED = 4


@dataclass(frozen=True)
class Version:
    """One evaluation on the pruned side. `sparsity` 0..1, as measured; `method` is its method, empty for a control.

    `row` is what it says of the sample, None where it does not hold it.
    """

    evaluation: EvaluationOut
    sparsity: float
    method: str
    row: MarginRow | None

    @property
    def words(self) -> str:
        return f"{100 * self.sparsity:.3g} %" if self.method else "control"


@dataclass(frozen=True)
class Versions:
    """Those with margins in the norm of the pair, and the names of those without."""

    shown: list[Version]
    unmeasured: list[str]


def find_versions(pair: ShownPair, sample: PairedSample) -> Versions:
    """All versions with the shown one among them: controls, then method by method, by sparsity.

    Of a version that was evaluated more than once counts the evaluation that holds this sample, then the one with the
    pair's own preset, then the one of most samples.
    """
    shown, parent = pair.comparison.pruned, pair.comparison.dense.checkpoint_id
    children = {row.id: row for row in checkpoints.list_children(parent)}
    children.setdefault(shown.checkpoint_id, checkpoints.get_checkpoint(shown.checkpoint_id))
    found = [
        pruned
        for dense, pruned in comparisons.default_pairs()
        if dense.checkpoint_id == parent
        and pruned.norm == shown.norm
        and pruned.record.distance_kind == shown.record.distance_kind
    ]
    if shown.id not in [one.id for one in found]:
        found.append(shown)
    rows = samples.rows_in([one.id for one in found], sample.sample_id)
    best: dict[Any, EvaluationOut] = {}
    for one in sorted(found, key=lambda one: (one.id == shown.id, one.id in rows, one.preset == shown.preset, one.n)):
        best[one.checkpoint_id] = one
    versions = [make_version(children[id], one, rows.get(one.id)) for id, one in best.items() if id in children]
    versions.sort(key=lambda one: (one.method, one.sparsity, one.evaluation.checkpoint_name))
    return Versions(versions, [row.name for id, row in children.items() if id not in best])


def make_version(row: CheckpointOut, evaluation: EvaluationOut, found: MarginRow | None) -> Version:
    kind = (row.structure or {}).get("kind", "weight")
    name = row.method or "pruned"
    method = "" if row.role == "dense" else name if kind == "weight" else f"{name}, {kind}s"
    return Version(evaluation, row.measured_sparsity, method, found)


def version_card(pair: ShownPair, sample: PairedSample, versions: Versions) -> Component:
    """The margin along sparsity, the versions as links, and the same as a table."""
    holding = [version for version in versions.shown if version.row is not None]
    parts: list[Component] = []
    if pair.has_margins:
        parts.append(html.Div(className="trajectory", **data(trajectory=json.dumps(chart_data(pair, sample, holding)))))
    parts.append(version_list(pair, versions.shown, sample.index))
    missing = missing_words(versions, pair.comparison.dense.norm)
    if missing:
        parts.append(html.P(missing, className="small muted"))
    parts.append(numbers(pair, versions))
    title = "Margin along sparsity" if pair.has_margins else "Versions"
    note = (
        f"{len(holding)} of {count_words(len(versions.shown) + len(versions.unmeasured), 'version')} hold this sample"
    )
    return card(title, *parts, note=note, kind="versions-card")


def missing_words(versions: Versions, norm: str) -> str:
    """Which versions are not drawn, and why; of many only how many, since the table names them."""
    lacking = [
        f"{one.evaluation.checkpoint_name} (n {one.evaluation.n:,})" for one in versions.shown if one.row is None
    ]
    told = []
    if lacking:
        told.append(f"Evaluated on samples that this one is not among: {some(lacking)}.")
    if versions.unmeasured:
        told.append(f"Not evaluated like this pair in {norm}: {some(versions.unmeasured)}.")
    return " ".join(told)


def some(names: list[str]) -> str:
    """The names, or how many they are."""
    few = len(names) <= MOST_NAMED
    return sentence_list(names) if few else f"{count_words(len(names), 'version')}, named in the table"


def methods_of(versions: Sequence[Version]) -> list[str]:
    """In the order of their places, which decide colour and shape."""
    return sorted({version.method for version in versions if version.method})


def chart_data(pair: ShownPair, sample: PairedSample, versions: Sequence[Version]) -> dict[str, Any]:
    """What assets/trajectory.js draws; margins in shown units, null where there is none."""
    places = {method: place for place, method in enumerate(methods_of(versions))}
    dense_is_right = sample.dense_prediction == sample.label
    return {
        "unit": pair.unit.suffix,
        "eps": pair.eps,
        "eps_text": pair.comparison.eps_text,
        "delta": pair.delta,
        "dense": None if sample.dense_margin is None else pair.unit.shown(sample.dense_margin),
        "dense_state": state_of(dense_is_right, sample.dense_margin),
        "marks": [
            make_mark(pair, version, places.get(version.method), len(places), sample.index) for version in versions
        ],
    }


def make_mark(pair: ShownPair, version: Version, place: int | None, methods: int, index: int) -> dict[str, Any]:
    """One version; those of one level stand side by side, so that no mark covers another."""
    row = version.row
    assert row is not None
    chosen = str(version.evaluation.id)
    name = version.evaluation.checkpoint_name
    return {
        "x": place_level(version.sparsity) + (place - (methods - 1) / 2) * DODGE if place is not None else 0.0,
        "level": version.words,
        "value": None if row.margin is None else pair.unit.shown(row.margin),
        "state": state_of(row.correct, row.margin),
        "method": version.method or "control",
        "place": place,
        "words": f"{name}: {margin_text(row, pair.unit)}, n {version.evaluation.n:,}",
        "href": pair.address("/sample", pruned=chosen, index=index),
        "step": json.dumps({"pruned": chosen}),
        "current": version.evaluation.id == pair.comparison.pruned.id,
    }


def state_of(is_right: bool, margin: float | None) -> str:
    """Where a mark stands: by its margin, or in a gutter."""
    return "wrong" if not is_right else "none" if margin is None else "margin"


def version_list(pair: ShownPair, versions: Sequence[Version], index: int) -> Component:
    """Links to the same sample under each version; the shown one is marked, the keys up and down move on."""
    holding = [version for version in versions if version.row is not None]
    current = next((i for i, one in enumerate(holding) if one.evaluation.id == pair.comparison.pruned.id), 0)
    keys = {
        holding[i].evaluation.id: key
        for i, key in ((current - 1, "ArrowUp"), (current + 1, "ArrowDown"))
        if 0 <= i < len(holding)
    }
    places = {method: place for place, method in enumerate(methods_of(holding))}
    links = [
        (version.method, version_link(pair, version, index, keys.get(version.evaluation.id))) for version in versions
    ]
    groups = [
        html.Span([method_name(method, places.get(method)), *(link for _, link in members)], className="group")
        for method, members in groupby(links, key=lambda one: one[0])
    ]
    return html.Nav(groups, className="versions", **aria(label="Other pruned versions"))


def method_name(method: str, place: int | None) -> Component:
    """The method with the mark that it has in the chart."""
    if place is None:
        return html.Span(method, className="version-method")
    shape = SHAPES[(place + place // len(SHAPES)) % len(SHAPES)]
    mark = html.Span(className=f"mark mark-{shape} mark-{place % len(SHAPES) + 1}", **aria(hidden="true"))
    return html.Span([mark, method], className="version-method")


def version_link(pair: ShownPair, version: Version, index: int, key: str | None) -> Component:
    name = version.evaluation.checkpoint_name
    if version.row is None:
        return html.Span(version.words, className="version is-off", title=f"{name} does not hold this sample")
    chosen = str(version.evaluation.id)
    is_current = version.evaluation.id == pair.comparison.pruned.id
    attributes = data(step=json.dumps({"pruned": chosen}), focus=f"version-{chosen}", **({"key": key} if key else {}))
    return html.A(
        version.words,
        href=pair.address("/sample", pruned=chosen, index=index),
        title=name,
        className="version",
        **attributes,
        **(aria(current="true") if is_current else {}),
    )


def numbers(pair: ShownPair, versions: Versions) -> Component:
    """The chart as a table, with the versions that are not drawn."""
    rows: list[list[Content]] = []
    for version in versions.shown:
        name = html.A(version.evaluation.checkpoint_name, href=f"/jobs?evaluation={version.evaluation.id}")
        margin = "not among its samples" if version.row is None else margin_text(version.row, pair.unit)
        level = f"{100 * version.sparsity:.3g}"
        rows.append([name, version.method or "control", level, margin, f"{version.evaluation.n:,}"])
    rows += [[name, "", "", "not evaluated", ""] for name in versions.unmeasured]
    columns = ["Version", "Method", "Sparsity (%)", "Margin", "n"]
    content = html.Div(table("Margin of this sample in every version", columns, rows, text_columns=2))
    return html.Details([html.Summary("Show the numbers"), content], className="as-table", **data(fold="versions"))
