"""Which checkpoint was made from which, and what looks odd about an upload."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import InvalidRequest, NotFound
from backend.jobs.registration.inspections import describe_kinship
from backend.schemas.checkpoints import CheckpointOut, LayerOut
from backend.schemas.inspections import InspectionOut
from backend.store import checkpoints as store
from backend.store.tables import Checkpoint, Dataset
from models.pruning.plans import CONTROL, METHODS

SPARSITY_TOLERANCE = 0.01
HIT = 0.001  # a rate that is met so closely was asked of that layer
NAMED = 3  # layers that a sentence names
DENSE_ZEROS = 0.5  # a dense network with more zeros than this was probably pruned


def check_parent(
    session: Session,
    parent_id: UUID | None,
    role: str,
    method: str | None,
    dataset: Dataset,
    *,
    architecture: str | None,
) -> Checkpoint | None:
    """The parent's row, None where none was named.

    Args:
        architecture: of the child; None while it is not known.

    Raises:
        NotFound: no such parent.
        InvalidRequest: it is no dense checkpoint, or of another data set or architecture; or a dense checkpoint that
            is no control names a parent.
    """
    if parent_id is None:
        return None
    parent = store.find_checkpoint(session, parent_id)
    if parent is None:
        raise NotFound(f"The parent {parent_id} does not exist.", parent_id=str(parent_id))
    if role == "dense" and method != CONTROL:
        raise InvalidRequest(
            "A dense checkpoint has a parent only as a control (method `control`: finetuned for as long, nothing "
            "pruned).",
            parent_id=str(parent_id),
        )
    if parent.role != "dense":
        raise InvalidRequest(
            f"The parent must be dense; {parent.name} is pruned. Name the dense checkpoint that both come from.",
            parent_id=str(parent_id),
        )
    if parent.dataset_id != dataset.id:
        raise InvalidRequest(
            f"The parent {parent.name} belongs to another data set, not to {dataset.slug}.", parent_id=str(parent_id)
        )
    if architecture is not None and parent.architecture != architecture:
        raise InvalidRequest(
            f"This is a {architecture}, so it was not made from {parent.name}, which is a {parent.architecture}.",
            parent_id=str(parent_id),
            parent_architecture=parent.architecture,
            architecture=architecture,
        )
    return parent


def choose_sparsity(declared: float | None, measured: float) -> float:
    """The share of zeros that a checkpoint is known by: the declared one, unless the weights contradict it."""
    return measured if declared is None or abs(declared - measured) > SPARSITY_TOLERANCE else declared


def find_uneven_layers(row: Checkpoint | CheckpointOut) -> list[LayerOut]:
    """The layers off from the declared sparsity by a method that prunes all layers alike, the farthest first.

    Off is by more than a percentage point and more than one weight. LWM counts where most layers meet the declared
    rate: where it ranks the weights of all layers together, hardly any does.
    """
    declared, method = row.declared_sparsity, METHODS.get((row.method or "").lower())
    if row.role != "pruned" or declared is None or method is None or not method.is_uniform or _is_structured(row):
        return []
    layers = [LayerOut.model_validate(layer) for layer in row.layers]
    met = sum(not _is_off(layer, declared, HIT) for layer in layers)
    if "global_ranking" in method.settings and met <= len(layers) / 2:
        return []
    off = [layer for layer in layers if _is_off(layer, declared, SPARSITY_TOLERANCE)]
    return sorted(off, key=lambda layer: abs(layer.sparsity - declared), reverse=True)


def _is_structured(row: Checkpoint | CheckpointOut) -> bool:
    """Whether filters or channels went, as declared, or else by the weights: their rate is not that of weights."""
    kind = (row.structure or {}).get("kind")
    if kind is None and row.inspection is not None:
        kind = InspectionOut.model_validate(row.inspection).structure.kind
    return kind in ("filter", "channel")


def _is_off(layer: LayerOut, declared: float, tolerance: float) -> bool:
    """Whether a layer differs by more than `tolerance` and more than one weight, which a small one cannot help."""
    return abs(layer.zeros - declared * layer.weights) > max(tolerance * layer.weights, 1) + 1e-6


def describe_oddities(row: Checkpoint, parent: Checkpoint | None, twins: Sequence[Checkpoint]) -> list[str]:
    """What is allowed but rarely meant, one sentence each."""
    found: list[str] = []
    declared, measured = row.declared_sparsity, row.measured_sparsity
    if declared is not None and abs(declared - measured) > SPARSITY_TOLERANCE:
        found.append(f"Declared sparsity {declared:.2%}, measured {measured:.2%} of the prunable weights.")
    if declared is not None and (uneven := find_uneven_layers(row)):
        named = ", ".join(f"{layer.name} {layer.sparsity:.2%}" for layer in uneven[:NAMED])
        more = f" and {len(uneven) - NAMED} more" if len(uneven) > NAMED else ""
        found.append(f"{row.method} prunes each layer to the declared {declared:.2%}; these differ: {named}{more}.")
    if row.role == "pruned" and parent is None:
        found.append("No parent is named; comparisons need the dense checkpoint that this one was made from.")
    if row.role == "pruned" and measured == 0:
        found.append("The role is pruned, but no prunable weight is zero.")
    if row.role == "dense" and measured > DENSE_ZEROS:
        found.append(f"The role is dense, but {measured:.2%} of the prunable weights are zero.")
    found.extend(describe_kinship(row, parent))
    for twin in twins:
        found.append(f"The same weights exist already as {twin.name} (id {twin.id}).")
    return found
