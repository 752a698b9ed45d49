"""Who belongs to a dense checkpoint, and which stored evaluation of each one stands in its row."""

import math
from dataclasses import dataclass
from uuid import UUID

from backend.attacks.catalogue import DEFAULT_PRESET, PRESETS, promises_margins
from backend.eps import check_eps, eps_text, parse_eps
from backend.errors import InvalidRequest, NotFound
from backend.jobs.registration.inspections import read_inspection
from backend.jobs.registration.lineage import choose_sparsity
from backend.schemas.families import Place
from backend.services.claims.checks import Snapshot, read_snapshot
from backend.services.comparisons.controls import tell_kind
from backend.services.comparisons.effort import find_control_differences
from backend.services.evaluations.measurements import Finished, finished, summarise
from backend.store.tables import Checkpoint, Dataset, Evaluation
from models.pruning.plans import METHODS

MARGINS = DEFAULT_PRESET
"""Whose margins a row shows, with the flips they tell."""

PLACES: tuple[Place, ...] = ("dense", "finetuned", "seed", "pruned")
OF_MULTIPLICATIONS = " of multiplications"
KINDS = {"weight": "weights", "filter": "filters", "channel": "input channels", "n:m": "N:M", "mixed": "mixed"}
UNPRUNED = "nothing pruned"


@dataclass(frozen=True)
class Choice:
    """The evaluation of one preset that a row shows, or why there is none; `incompatible` is the newest left out."""

    evaluation: Evaluation | None
    reason: str | None
    incompatible: Evaluation | None = None

    @property
    def key(self) -> Finished | None:
        return None if self.evaluation is None else finished(self.evaluation)


@dataclass(frozen=True)
class Member:
    """A checkpoint of the family; `kind` and `level` say what pruning took away, None where nothing was pruned."""

    row: Checkpoint
    place: Place
    kind: str | None
    level: float | None
    chosen: dict[str, Choice]

    @property
    def method(self) -> str:
        return self.row.method or "unnamed"

    @property
    def group(self) -> str:
        """What may be ranked together: `weights, 95 %`."""
        if self.kind is None or self.level is None:
            return UNPRUNED
        row = METHODS.get(self.method)
        is_of_work = self.kind == "channel" and row is not None and row.counts_multiplications
        return f"{KINDS.get(self.kind, self.kind)}, {100 * self.level:.3g} %{OF_MULTIPLICATIONS if is_of_work else ''}"


@dataclass(frozen=True)
class Terms:
    """Where robustness is judged."""

    dataset: Dataset
    norm: str
    eps_text: str

    @property
    def eps(self) -> float:
        return float(parse_eps(self.eps_text))

    def fit(self, evaluation: Evaluation, preset: str) -> bool:
        """Whether an evaluation with that preset decides here."""
        if (evaluation.preset, evaluation.dataset_id, evaluation.norm) != (preset, self.dataset.id, self.norm):
            return False
        if promises_margins(preset):
            return True
        return evaluation.eps is not None and parse_eps(evaluation.eps) == parse_eps(self.eps_text)


@dataclass(frozen=True)
class Family:
    """Members of one dense checkpoint, itself first; `snapshot` is what they were read from."""

    snapshot: Snapshot
    terms: Terms
    members: list[Member]

    @property
    def dense(self) -> Member:
        return self.members[0]

    def list_controls(self, member: Member) -> list[Member]:
        """The dense network finetuned without pruning: as `member` was trained first, then by name."""
        controls = [one for one in self.members if one.place == "finetuned"]
        return sorted(controls, key=lambda one: (self.snapshot.rank_training(member.row, one.row), one.row.name))

    @property
    def pruned(self) -> list[Member]:
        return [member for member in self.members if member.place == "pruned"]


def read_family(checkpoint_id: UUID, norm: str | None = None, eps: str | float | None = None) -> Family:
    """The family of a dense checkpoint.

    Args:
        norm, eps: by default those of the checkpoint's data set.

    Raises:
        NotFound: no such checkpoint.
        InvalidRequest: it is pruned or a control, whose parent has the family; or no eps is known for the norm.
    """
    snapshot = read_snapshot(lambda known: list_family(known, find_root(known, checkpoint_id)))
    root = snapshot.checkpoints[checkpoint_id]
    dataset = snapshot.datasets[root.dataset_id]
    chosen = norm or dataset.default_norm
    terms = Terms(dataset, chosen, choose_eps(dataset, chosen, eps))
    return Family(snapshot, terms, find_members(snapshot, root, terms))


def find_root(snapshot: Snapshot, checkpoint_id: UUID) -> Checkpoint:
    """The checkpoint, if it is the dense root of a family; raises as `read_family`."""
    root = snapshot.checkpoints.get(checkpoint_id)
    if root is None:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.", checkpoint_id=str(checkpoint_id))
    if root.role != "dense" or root.parent_id is not None:
        raise InvalidRequest(
            f"{root.name} is pruned or a control, so it has no family; ask for its parent.",
            checkpoint_id=str(root.id),
            parent_id=None if root.parent_id is None else str(root.parent_id),
        )
    return root


def list_family(snapshot: Snapshot, root: Checkpoint) -> list[UUID]:
    """Ids of the root and of everything that stands in its family."""
    others = (row.id for row in snapshot.checkpoints.values() if find_place(row, root) is not None)
    return [root.id, *others]


def choose_eps(dataset: Dataset, norm: str, eps: str | float | None) -> str:
    """The exact text of the eps to judge at."""
    if eps is not None:
        check_eps(eps, norm, math.prod(dataset.shape))
        return eps_text(eps, norm)
    if norm != dataset.default_norm:
        raise InvalidRequest(f"Give an eps for {norm}: the data set has one for {dataset.default_norm}.", norm=norm)
    return dataset.default_eps


def find_members(snapshot: Snapshot, root: Checkpoint, terms: Terms) -> list[Member]:
    """The dense one, controls, other seeds, then the pruned ones by kind of zeros, level, method and name."""
    found = {preset: choose_reference(snapshot, root, preset, terms) for preset in PRESETS}
    members = [Member(root, "dense", None, None, found)]
    for row in snapshot.checkpoints.values():
        place = find_place(row, root)
        if place is None:
            continue
        kind, level = tell_level(row) if place == "pruned" else (None, None)
        chosen = {preset: choose_alike(snapshot, row, preset, found[preset], terms) for preset in PRESETS}
        members.append(Member(row, place, kind, level, chosen))
    return sorted(members, key=order)


def find_place(row: Checkpoint, root: Checkpoint) -> Place | None:
    """Where a checkpoint stands in the family of `root`; None where it is no member, or `root` itself."""
    if row.dataset_id != root.dataset_id:
        return None
    if row.role == "pruned":
        return "pruned" if row.parent_id == root.id else None
    return tell_kind(row, root)


def tell_level(row: Checkpoint) -> tuple[str, float]:
    """Kind of zeros and how much is gone: the card's rate of filters or channels, otherwise the share of weights.

    Where the weights contradict a declared share of weights, it is what was measured.
    """
    if row.structure is not None:
        return str(row.structure["kind"]), round(float(row.structure.get("rate", row.measured_sparsity)), 3)
    found = read_inspection(row)
    kind = "weight" if found is None or found.structure.kind == "dense" else found.structure.kind
    if kind not in ("filter", "channel") or row.declared_sparsity is None:
        return kind, round(choose_sparsity(row.declared_sparsity, row.measured_sparsity), 3)
    return kind, round(row.declared_sparsity, 3)  # of filters or channels; their weights are another share


def order(member: Member) -> tuple[int, int, float, str, str]:
    kinds = (None, *KINDS)
    kind = kinds.index(member.kind) if member.kind in kinds else len(kinds)
    return PLACES.index(member.place), kind, member.level or 0.0, member.method, member.row.name


def list_fitting(snapshot: Snapshot, row: Checkpoint, preset: str, terms: Terms) -> list[Evaluation]:
    """Finished evaluations of a checkpoint that decide here, newest first."""
    found = snapshot.evaluations.get(row.id, [])
    return [one for one in found if terms.fit(one, preset) and summarise(one) is not None]


def choose_reference(snapshot: Snapshot, root: Checkpoint, preset: str, terms: Terms) -> Choice:
    """The dense network's own: that of most samples, then of the smallest seed, then the newest.

    Rows that somebody picked come last: what was chosen for being lost says nothing about the rest.
    """
    fitting = list_fitting(snapshot, root, preset, terms)
    if not fitting:
        return Choice(None, say_missing(preset, terms))
    # The first of equals, which is the newest.
    return Choice(max(fitting, key=lambda one: (not one.explicit, one.n, -one.seed)), None)


def choose_alike(snapshot: Snapshot, row: Checkpoint, preset: str, reference: Choice, terms: Terms) -> Choice:
    """Of the evaluations with the effort of the dense network's, that of most samples, if possible of its seed.

    Picked rows are compared with picked rows first, and samples in order with samples in order.

    Without one of the dense network any will do: the figure stands for itself and is compared with nothing.
    """
    dense = reference.evaluation
    if dense is None:
        return choose_reference(snapshot, row, preset, terms)
    fitting = list_fitting(snapshot, row, preset, terms)
    if not fitting:
        return Choice(None, say_missing(preset, terms))
    differences = [find_control_differences(dense, one, "here") for one in fitting]
    alike = [one for one, found in zip(fitting, differences, strict=True) if not found]
    if not alike:
        said = " ".join(found.sentence for found in differences[0])
        return Choice(None, f"Attacked differently from the dense network. {said}", fitting[0])
    return Choice(max(alike, key=lambda one: (one.explicit == dense.explicit, one.n, one.seed == dense.seed)), None)


def say_missing(preset: str, terms: Terms) -> str:
    at = terms.norm if promises_margins(preset) else f"{terms.norm} {terms.eps_text}"
    return f"No finished evaluation with {preset} at {at}."
