"""What an address of the page chooses: the evaluations, their marks, and where the sliders stand."""

import math
from dataclasses import dataclass
from uuid import UUID

from backend.eps import parse_eps
from backend.errors import InvalidRequest
from backend.schemas.datasets import DatasetOut
from backend.schemas.several import SeveralOut
from backend.services import comparisons, datasets, families
from backend.services.families import FamilyCandidate
from frontend.figures.overlaid import NetworkLook
from frontend.figures.scatter import scale_for
from frontend.figures.units import Unit, unit_of
from frontend.review.methods import UNNAMED, place_checkpoints
from frontend.review.sliders import default_delta, slider_step
from models.pruning.plans import CONTROL


@dataclass(frozen=True)
class Chosen:
    """Several checkpoints as an address names them. Lengths in shown units; `own_*` hold without an address."""

    found: SeveralOut
    dataset: DatasetOut
    unit: Unit
    candidates: dict[UUID, FamilyCandidate]
    query: dict[str, str]
    limit: float
    step: float
    own_eps: float
    own_eps_text: str
    own_delta: float

    @property
    def pruned_ids(self) -> list[str]:
        return [str(row.evaluation_id) for row in self.found.pruned]

    @property
    def methods(self) -> list[str]:
        return [row.method or (CONTROL if row.role == "dense" else UNNAMED) for row in self.found.pruned]

    @property
    def looks(self) -> list[NetworkLook]:
        """Of the pruned ones, in their order."""
        places = place_checkpoints(self.methods)
        return [NetworkLook(row.name, place) for row, place in zip(self.found.pruned, places, strict=True)]

    @property
    def delta(self) -> float:
        text = self.query.get("delta")
        return float(parse_eps(text)) * self.unit.scale if text else self.own_delta

    def level_of(self, evaluation_id: UUID) -> float | None:
        """The pruned share, 0..1; None where nothing was pruned."""
        known = self.candidates.get(evaluation_id)
        if known is not None:
            return known.level
        row = next(row for row in self.found.pruned if row.evaluation_id == evaluation_id)
        return row.sparsity if row.role == "pruned" else None


def read_chosen(query: dict[str, str]) -> Chosen:
    """What the page shows.

    Raises:
        as `comparisons.compare_several`.
    """
    dense, pruned = query["dense"], query["pruned"].split(",")
    found = comparisons.compare_several(dense, pruned, query.get("eps") or None)
    unit = unit_of(found.norm)
    margins = [float(one) for column in comparisons.several_margins(dense, pruned) for one in column]
    own_text = find_own_eps(dense, pruned, found)
    own_eps = float(parse_eps(own_text)) * unit.scale
    limit = max(scale_for([one if math.isfinite(one) else None for one in margins], unit).limit, own_eps)
    step = slider_step(limit, unit)
    return Chosen(
        found=found,
        dataset=datasets.get_dataset(str(found.dataset_id)),
        unit=unit,
        candidates=list_candidates(dense),
        query=query,
        limit=max(limit, unit.shown(found.eps)),
        step=step,
        own_eps=own_eps,
        own_eps_text=own_text,
        own_delta=default_delta(own_eps, step),
    )


def find_own_eps(dense: str, pruned: list[str], found: SeveralOut) -> str:
    """The eps without an address; the given one where none can be told."""
    try:
        return comparisons.compare_several(dense, pruned).eps_text
    except InvalidRequest:
        return found.eps_text


def list_candidates(dense: str) -> dict[UUID, FamilyCandidate]:
    """What else can stand next to the dense one; nothing where its checkpoint has no family."""
    try:
        return {one.evaluation_id: one for one in families.list_candidates(dense)}
    except InvalidRequest:
        return {}
