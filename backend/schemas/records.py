"""What jobs write down of themselves, so that anybody can repeat them: one versioned record for each kind of job.

A record grows: what is known when a job is queued comes first, the worker adds what only the run knows. It is never
changed in place; `merge` makes a new one. A field that nobody has written yet is None here and absent in JSON, which
differs from a field that was written as null (of an evaluation without a copy of the network, `prepared` is null).
"""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from backend.schemas import Norm

VERSION = 1
"""Of the records that are written now; `backend.store.records.upgrade` reads the older ones."""


class RecordPart(BaseModel):
    """What records are made of. Fields that this version does not know are kept and shown as they came."""

    model_config = ConfigDict(frozen=True, extra="allow")

    def knows(self, name: str) -> bool:
        """Whether the field was written, be it as null."""
        return name in self.model_fields_set

    @model_serializer(mode="wrap")
    def _leave_out_unknown(self, handler: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        """Only what was written; a return type would replace the model's own schema in OpenAPI."""
        return {name: value for name, value in handler(self).items() if name == "version" or self.knows(name)}

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return self.model_dump(mode="json")


class JobRecord(RecordPart):
    """What the records of all kinds of jobs have in common."""

    version: int = Field(VERSION, title="Version of the record", description="Of the shape of this record")

    def merge(self, found: Self) -> Self:
        """A new record with everything that was written in either; `found` wins."""
        written = {name: getattr(found, name) for name in found.model_fields_set - {"version"}}
        return self.model_copy(update=written)


class PreparedCopy(RecordPart):
    """The copy of the network that the attacks followed; the network itself verified what they found."""

    batch_norm_folded: int | None = Field(None, description="Normalisations that became part of a layer's weights")
    memory_format: str | None = Field(None, description="How the weights lie in memory")
    precision: str | None = Field(None, description="float32, or bfloat16 for steps far from a boundary")


class TransferSource(RecordPart):
    """The evaluation of the parent whose adversarials were tried as a fallback attack."""

    evaluation_id: UUID
    checkpoint: str | None = Field(None, description="Name of the parent")
    samples: int | None = Field(None, description="Samples of this evaluation that it has adversarials of")
    tried: int | None = Field(None, description="Samples on which they were tried")
    found: int | None = Field(None, description="Samples that they broke")


class ImportedRun(RecordPart):
    """Where the rows of an imported evaluation come from, and how many of them were verified here."""

    bundle: str = Field(description="Artefact of the bundle")
    folder: str = Field(description="Of the evaluation in the bundle")
    made_at: datetime = Field(description="When the bundle was written")
    predictions: int = Field(0, description="Samples whose clean prediction and scores were computed again and agree")
    adversarials: int = Field(0, description="Adversarials in the bundle")
    verified: int = Field(0, description="Adversarials that were classified and measured again and hold")
    found: int = Field(0, description="Samples for which the run found an adversarial, in the bundle or not")
    is_shipped: bool = Field(False, description="Whether it came with Thin Ice: shown at once, verified afterwards")

    @property
    def origin(self) -> str:
        """Where the rows were measured, to end a sentence with."""
        return "when Thin Ice was built" if self.is_shipped else "on another machine"


class RunSettings(RecordPart):
    """Everything that the attack engine was told or chose, as it was for the first chunk."""

    preset: str | None = None
    norm: Norm | None = None
    eps: float | None = None
    seed: int | None = None
    attacks: dict[str, dict[str, Any]] | None = Field(None, description="Parameters by attack of the primary run")
    fallbacks: dict[str, dict[str, Any]] | None = Field(None, description="Parameters by fallback attack")
    classes: int | None = Field(None, description="Classes of the network")
    batch_size: int | None = Field(None, description="Images in one pass, as asked for")
    batch_size_used: int | None = Field(None, description="Images in one pass, as memory allowed")
    widths: tuple[int, ...] | None = Field(None, description="Batch sizes that were used")
    prepared: PreparedCopy | None = Field(None, description="The copy that the attacks followed; null without one")
    device: str | None = None
    dtype: str | None = None
    versions: dict[str, str] | None = Field(None, description="Versions by library, and of Python")


class RunRecord(JobRecord):
    """What is needed to repeat an evaluation, and to tell whether it can be compared with another."""

    checkpoint: str | None = Field(None, title="Checkpoint", description="Its name when the evaluation was queued")
    source_sha256: str | None = Field(
        None, title="Uploaded file, SHA-256", description="SHA-256 of the file that the checkpoint came from"
    )
    weights_sha256: str | None = Field(
        None, title="Effective weights, SHA-256", description="SHA-256 of the weights as they are used"
    )
    architecture: str | None = Field(None, title="Architecture", description="Name in the catalogue, or the user's own")
    normalization: str | None = Field(None, title="Normalisation", description="What the network does to pixels first")
    measured_sparsity: float | None = Field(
        None, title="Measured sparsity (US)", description="Share of zeros among the prunable weights, 0..1"
    )
    dataset: str | None = Field(None, title="Data set", description="Slug of the data set")
    split: str | None = Field(None, title="Split", description="Split of the data set")
    n: int | None = Field(None, title="Samples (n)", description="Number of samples")
    samples: str | None = Field(
        None, title="Sample ids, SHA-256", description="SHA-256 of the sorted sample ids: equal for equal sets"
    )
    norm: Norm | None = Field(None, title="Norm", description="Norm of the distances")
    eps: str | None = Field(None, title="ε", description="Exact text of eps; null where there is none")
    preset: str | None = Field(None, title="Preset", description="Attack preset")
    distance_kind: Literal["minimum", "witness"] | None = Field(
        None,
        title="Kind of distance",
        description="minimum: the nearest adversarial was searched for; witness: any within eps was enough",
    )
    seed: int | None = Field(None, title="Seed", description="Seed of every random number")
    attacks: tuple[str, ...] | None = Field(None, title="Attacks", description="Attacks that ran in the first chunk")
    steps: int | None = Field(None, title="Steps", description="Gradient steps of each sample and attack")
    device: str | None = Field(None, title="Device", description="Every device that attacked a chunk")
    device_note: str | None = Field(
        None, title="Note on devices", description="How many chunks ran on each device, where there was more than one"
    )
    dtype: str | None = Field(None, title="Number format", description="Number format of weights and images")
    torch: str | None = Field(None, title="torch", description="Version of PyTorch")
    thinice: str | None = Field(None, title="thinice", description="Version of Thin Ice")
    batch_samples: int | None = Field(
        None, title="Batch size", description="Images in one pass, the same in every chunk"
    )
    early_flags: tuple[str, ...] | None = Field(
        None,
        title="Early flags",
        description="Flags that images of the whole evaluation raised before the first attack",
    )
    prepared: PreparedCopy | None = Field(
        None,
        title="Network copy used by the attacks",
        description="The copy that the attacks followed; null without one",
    )
    transfer: TransferSource | None = Field(
        None,
        title="Available adversarials of the parent",
        description="The parent's evaluation whose adversarials were tried; null where there is none",
    )
    engine: int | None = Field(None, title="Attack engine", description="Version of the attack engine")
    imported: ImportedRun | None = Field(
        None, title="Imported", description="The bundle that the rows come from, and how many were verified here"
    )
    forwards: int | None = Field(
        None, title="Forward passes", description="Images sent forward through the network, all chunks together"
    )
    backwards: int | None = Field(
        None, title="Backward passes", description="Images sent backward through the network, all chunks together"
    )
    seconds: float | None = Field(
        None, title="Wall time of all chunks", description="Seconds of attack, all chunks together"
    )
    settings: RunSettings | None = Field(
        None, title="Settings and versions", description="Everything that the attack engine was told or chose"
    )


class SliceMark(RecordPart):
    """One of the three points of a boundary slice: where it lies on the plane, and what each network predicts there."""

    name: Literal["clean", "dense", "pruned"] = Field(description="The clean image, or whose adversarial it is")
    x: float = Field(description="Along the first direction, in L2 from the clean image")
    y: float = Field(description="Along the second direction, in L2 from the clean image")
    distance: float = Field(description="From the clean image, in the norm of the evaluations")
    dense: int = Field(description="Class that the dense network predicts")
    pruned: int = Field(description="Class that the pruned network predicts")


class SliceRecord(RecordPart):
    """A plane through a clean image and its adversarials: first what was asked for, then where everything lies on it.

    Coordinates are L2 distances from the clean image, so that the picture has one scale in every direction.
    """

    index: int = Field(description="Row of the data set")
    points: int = Field(description="Points of the grid along each side")
    file: str | None = Field(None, description="Artefact with the classes, int16 (2, points, points): dense, pruned")
    half_width: float | None = Field(None, description="From the clean image in the middle to each side of the grid")
    gradient_of: Literal["dense", "pruned"] | None = Field(
        None, description="The network that has no adversarial; its gradient at the clean image spans the plane instead"
    )
    marks: tuple[SliceMark, ...] | None = Field(None, description="The clean image and the adversarials that there are")
    unit_ball: tuple[tuple[float, float], ...] | None = Field(
        None, description="Corners of the Linf ball of radius 1 on the plane, times eps its own; null in L2: a circle"
    )
    pixel_box: tuple[tuple[float, float], ...] | None = Field(
        None, description="Corners of the part of the plane whose pixels all lie in [0, 1]"
    )
    seconds: float | None = None


class RestoredLayer(RecordPart):
    """The pruned network with one layer of its parent, measured again."""

    name: str = Field(description="Of the layer whose weights are those of the parent")
    parts: tuple[str, ...] = Field(description="What was restored: the layer, and the normalisation after it")
    weights: int = Field(description="Weights of the layer")
    correct: int = Field(description="Clean samples that are right, of all samples of the evaluation")
    file: str = Field(description="Artefact with the margins, float64 (n,): 0 where wrong, inf where none was found")
    forwards: int
    backwards: int
    seconds: float


class LayersRecord(RecordPart):
    """Layers of the parent restored into a pruned network, one at a time: what was asked for, and what is measured."""

    eps: str = Field(description="Exact text of the eps at which samples were called lost")
    names: tuple[str, ...] = Field(description="Layers, in the order of the network")
    lost: int = Field(description="Samples measured that pruning lost, clean or at eps; they come first")
    kept: int = Field(description="Samples measured that pruning kept at eps, for control")
    lost_in_all: int = Field(description="Samples that pruning lost, measured or not")
    n: int = Field(description="Samples of the evaluation")
    restored: tuple[RestoredLayer, ...] = ()


class EvidenceRecord(JobRecord):
    """What is needed to repeat additional evidence."""

    source_sha256: str | None = Field(None, description="SHA-256 of the uploaded file of adversarials")
    first_seed: int | None = Field(None, description="Seed of the first round of more effort")
    last_seed: int | None = Field(None, description="Seed of the last round of more effort")
    forwards: int | None = Field(None, description="Images sent forward through the network by more effort")
    backwards: int | None = Field(None, description="Images sent backward through the network by more effort")
    device: str | None = Field(None, description="Device that finished the work")
    torch: str | None = Field(None, description="Version of PyTorch")
    thinice: str | None = Field(None, description="Version of Thin Ice")
    checkpoint: str | None = Field(None, description="Name of the checkpoint when the work was finished")
    slice: SliceRecord | None = Field(None, description="Of a boundary slice: the plane, and where its points lie")
    layers: LayersRecord | None = Field(None, description="Of restored layers: what is restored, and what was measured")


class TrainingPasses(RecordPart):
    """Passes of single images that a training takes, validation aside."""

    forward: int | None = None
    backward: int | None = None
    total: int


class MeasuredMargins(RecordPart):
    """The evaluation that measured the dense margins of the training images, and what that took."""

    evaluation_id: UUID
    forwards: int = Field(0, description="Images sent forward through the network")
    backwards: int = Field(0, description="Images sent backward through the network")


class PruningRecord(JobRecord):
    """How a checkpoint is pruned here and, once the run has ended, what the card of the result says."""

    architecture: str | None = Field(None, description="Of the parent and of the result")
    normalization: str | None = Field(None, description="What the network does to pixels first")
    parent: str | None = Field(None, description="Name of the parent")
    dataset: str | None = Field(None, description="Slug of the data set that judges the result")
    training_dataset: str | None = Field(None, description="Slug of the data set that is trained on")
    training_split: str | None = Field(None, description="Split of the data set that is trained on")
    training_samples: int | None = Field(None, description="Number of training images")
    shared_samples: int | None = Field(None, description="Images that both data sets have")
    method: str | None = Field(None, description="Pruning method, or control")
    structure: dict[str, Any] | None = Field(None, description="kind and rate of what is pruned; null for a control")
    recipe: dict[str, Any] | None = Field(
        None, description="Everything that decides the training, as the cards of shipped checkpoints say it"
    )
    passes: TrainingPasses | None = Field(None, description="What the training takes")
    dense_margins: MeasuredMargins | None = Field(
        None, description="Where the dense margins of the training images come from, if they were measured before"
    )
    seed: int | None = Field(None, description="Seed of every random number")
    warnings: tuple[str, ...] | None = Field(None, description="What the reader has to know of this run")
    device: str | None = Field(None, description="Device of a run from before `devices`")
    devices: tuple[str, ...] | None = Field(None, description="Every device that worked on it, in order")
    processes: int | None = Field(None, description="Processes that shared the training")
    declared_sparsity: float | None = Field(None, description="Share of zeros that the masks promise, 0..1")
    measured_sparsity: float | None = Field(None, description="Share of zeros among the prunable weights, 0..1")
    sha256: str | None = Field(None, description="SHA-256 of the resulting file")
    training_sha256: str | None = Field(None, description="SHA-256 of the training images and labels")
    best_epoch: int | None = Field(None, description="Epoch whose weights were kept, picked by validation")
    validation_robust_accuracy: float | None = Field(None, description="Of that epoch, on images set apart, 0..1")
    validation_samples: int | None = Field(None, description="Training images that were set apart")
    train_seconds: float | None = Field(None, description="Seconds of training")
    torch: str | None = Field(None, description="Version of PyTorch")
    thinice: str | None = Field(None, description="Version of Thin Ice")
    clean_accuracy: float | None = Field(None, description="Of the result, 0..1")
    clean_n: int | None = Field(None, description="Images that clean accuracy was measured on")
    claimed_robust_accuracy: float | None = Field(None, description="Of the result under the claim's attack, 0..1")
    claimed_attack: str | None = Field(None, description="Attack of the claim")
    claimed_norm: Norm | None = Field(None, description="Norm of the claim")
    claimed_eps: str | None = Field(None, description="Exact text of the claim's eps")
    claimed_n: int | None = Field(None, description="Images that the claim was measured on")
    claimed_source: str | None = Field(None, description="Where the claim comes from")
