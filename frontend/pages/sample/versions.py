"""The pruned versions that were evaluated like this one against the same dense evaluation: by method, the least pruned
first, so that up and down walk along one method's sparsity."""

import json
from dataclasses import dataclass
from itertools import groupby

from dash import html
from dash.development.base_component import Component

from backend.schemas.evaluations import EvaluationOut
from backend.services import checkpoints, comparisons
from frontend.components import aria, data, dot
from frontend.review.walk import ShownPair


@dataclass(frozen=True)
class Version:
    """One evaluation on the pruned side. `sparsity` 0..1, as measured; `method` is its method, empty for a control."""

    evaluation: EvaluationOut
    sparsity: float
    method: str

    @classmethod
    def of(cls, evaluation: EvaluationOut) -> "Version":
        """Look up the checkpoint behind an evaluation."""
        row = checkpoints.get_checkpoint(str(evaluation.checkpoint_id))
        kind = (row.structure or {}).get("kind", "weight")
        name = row.method or "pruned"
        method = "" if row.role == "dense" else name if kind == "weight" else f"{name}, {kind}s"
        return cls(evaluation, row.measured_sparsity, method)

    @property
    def words(self) -> str:
        return f"{100 * self.sparsity:.3g} %" if self.method else "control"


def find_versions(pair: ShownPair) -> list[Version]:
    """All versions with this one among them: controls, then method by method, by sparsity; of each the most telling."""
    found = {pair.comparison.pruned.checkpoint_id: pair.comparison.pruned}
    for dense, pruned in comparisons.default_pairs():
        if str(dense.id) == pair.cut.dense and pruned.n >= pair.comparison.n:  # smaller sets may lack this sample
            found.setdefault(pruned.checkpoint_id, pruned)
    versions = [Version.of(evaluation) for evaluation in found.values()]
    return sorted(versions, key=lambda one: (one.method, one.sparsity, one.evaluation.checkpoint_name))


def version_list(pair: ShownPair, versions: list[Version], index: int) -> Component:
    """Links to the same sample under each version; the shown one is marked, the keys up and down move on."""
    current = next(
        place for place, version in enumerate(versions) if version.evaluation.id == pair.comparison.pruned.id
    )
    keys = {current - 1: "ArrowUp", current + 1: "ArrowDown"}
    links = [
        (version.method, version_link(pair, version, index, keys.get(place))) for place, version in enumerate(versions)
    ]
    groups = [
        html.Span([html.Span(method, className="version-method"), *(link for _, link in members)], className="group")
        for method, members in groupby(links, key=lambda one: one[0])
    ]
    return html.Nav(
        [html.Span([dot("pruned-1"), "Version"], className="control-label"), *groups],
        className="versions",
        **aria(label="Other pruned versions"),
    )


def version_link(pair: ShownPair, version: Version, index: int, key: str | None) -> Component:
    chosen = str(version.evaluation.id)
    is_current = version.evaluation.id == pair.comparison.pruned.id
    attributes = data(step=json.dumps({"pruned": chosen}), focus=f"version-{chosen}", **({"key": key} if key else {}))
    return html.A(
        version.words,
        href=pair.address("/sample", pruned=chosen, index=index),
        title=version.evaluation.checkpoint_name,
        className="version",
        **attributes,
        **(aria(current="true") if is_current else {}),
    )
