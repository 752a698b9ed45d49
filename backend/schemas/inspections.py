"""What the weights of a checkpoint say about themselves: where the zeros are, and whose child they are."""

from uuid import UUID

from pydantic import Field

from backend.schemas import Answer, Schema


class LayerStructure(Schema):
    """The zeros of one prunable tensor: `kind` is "dense", "weight", "filter", "channel" or "n:m" (then `pattern`).

    A filter is an output channel and a channel an input one; of both, how many have no weight left.
    """

    name: str
    kind: str
    pattern: str | None
    weights: int
    zeros: int
    filters: int
    zero_filters: int
    channels: int
    zero_channels: int


class StructureOut(Schema):
    """What kind of zeros a network holds in all; `kind` as in `LayerStructure`, or "mixed"."""

    kind: str
    pattern: str | None
    zero_filters: int
    filters: int
    zero_channels: int
    channels: int
    layers: list[LayerStructure]


class LayerDescent(Schema):
    """One prunable tensor compared with the parent's. `correlation` -1..1 is that of the surviving weights.

    `mask_agreement` 0..1 is the chance that a survivor was larger in the parent than a pruned weight; both are None
    where there are too few. `changed` counts survivors that differ from the parent's, `revived` those that were zero.
    """

    name: str
    survivors: int
    correlation: float | None
    mask_agreement: float | None
    changed: int
    revived: int


class NormDrift(Schema):
    """How far one batch normalisation has moved from the parent's.

    `mean_shift` is the root mean square over channels, in the parent's standard deviations; `variance_factor` (1 or
    more) the typical factor between the variances; `affine_change` the length of the change of scale and shift,
    relative to their own.
    """

    name: str
    mean_shift: float
    variance_factor: float
    affine_change: float | None
    is_unchanged: bool


class Descent(Schema):
    """Whether a network was made from its alleged parent, and what was done to it.

    `answer` is "yes", "no" or "cannot tell". `changed` is the share (0..1) of surviving weights that are not the
    parent's: 0 where the network was only masked. `relative_change` is the length of that change over the length of the
    parent's weights there.
    """

    answer: Answer
    correlation: float | None
    mask_agreement: float | None
    survivors: int
    changed: float = Field(description="0..1")
    relative_change: float | None
    revived: int
    norms: list[NormDrift]
    layers: list[LayerDescent]


class LikelyParent(Schema):
    """A dense checkpoint that these weights were made from, going by the weights, though it is not the named parent."""

    checkpoint_id: UUID
    name: str
    correlation: float


class Kinship(Schema):
    """Whether a dense network shares a training run with another one: "no" between two training seeds.

    `answer` is "yes" of a copy, with noise or finetuned; of two runs from one random start it is "cannot tell".
    """

    checkpoint_id: UUID
    name: str
    answer: Answer
    correlation: float | None


class InspectionOut(Schema):
    """What the weights themselves say.

    `descent` compares them with the checkpoint `parent_id`; None without a parent, or where they share no layer. `kin`
    compares a dense network with the other dense ones of its data set and architecture that were there before it.
    """

    structure: StructureOut
    parent_id: UUID | None = None
    descent: Descent | None = None
    likely_parent: LikelyParent | None = None
    kin: list[Kinship] = []
