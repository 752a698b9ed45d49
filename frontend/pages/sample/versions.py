"""The pruned versions that were evaluated like this one against the same dense evaluation, the least pruned first."""

import json
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from backend.schemas import EvaluationOut
from backend.services import checkpoints, comparisons
from frontend.components import aria, data, dot
from frontend.pages.samples.walk import Pair


@dataclass(frozen=True)
class Version:
    """One evaluation on the pruned side. `sparsity` 0..1, as measured."""

    evaluation: EvaluationOut
    sparsity: float
    is_control: bool

    @property
    def words(self) -> str:
        return "control" if self.is_control else f"{100 * self.sparsity:.3g} %"


def find_versions(pair: Pair) -> list[Version]:
    """All versions with this one among them, by sparsity; controls first."""
    others = [pruned for dense, pruned in comparisons.default_pairs() if str(dense.id) == pair.cut.dense]
    if all(other.id != pair.comparison.pruned.id for other in others):
        others.append(pair.comparison.pruned)
    versions = []
    for evaluation in others:
        checkpoint = checkpoints.get_checkpoint(str(evaluation.checkpoint_id))
        versions.append(Version(evaluation, checkpoint.measured_sparsity, checkpoint.role == "dense"))
    return sorted(versions, key=lambda version: (version.sparsity, version.evaluation.checkpoint_name))


def version_list(pair: Pair, versions: list[Version], index: int) -> Component:
    """Links to the same sample under each version; the one shown is marked, its neighbours answer to up and down."""
    current = next(
        place for place, version in enumerate(versions) if version.evaluation.id == pair.comparison.pruned.id
    )
    keys = {current - 1: "ArrowUp", current + 1: "ArrowDown"}
    items = [version_link(pair, version, index, keys.get(place)) for place, version in enumerate(versions)]
    return html.Nav(
        [html.Span([dot("pruned-1"), "version"], className="control-label"), *items],
        className="versions",
        **aria(label="Other pruned versions"),
    )


def version_link(pair: Pair, version: Version, index: int, key: str | None) -> Component:
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
