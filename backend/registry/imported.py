"""What an import knows about a checkpoint. Plain data, no torch."""

from typing import Any

from pydantic import BaseModel, Field


class ImportedLayer(BaseModel):
    """One prunable tensor: its key, shape, number of weights, how many are zero, and their share 0..1."""

    name: str
    shape: list[int]
    weights: int
    zeros: int
    sparsity: float


class ImportedCheckpoint(BaseModel):
    """An uploaded checkpoint, kept as `file_name` (safetensors, float32) in the folder that the caller named.

    `source_sha256` is the hash of the uploaded file, `file_sha256` of the kept one, `weights_sha256` of the effective
    state (masks applied, names without wrappers, float32, without batch counters): equal networks have equal ones.
    `prunable` counts convolution and linear weights, `measured_sparsity` is the share of them that is zero, 0..1.
    `format` says how the file was written: "zip", "legacy" or "safetensors". `layer_list` is the user's own list of
    layers, None for a registered architecture.
    """

    source_sha256: str
    file_sha256: str
    weights_sha256: str
    file_name: str
    format: str
    architecture: str
    layer_list: list[Any] | None = None
    normalization: str
    classes: int
    channels: int
    parameters: int
    prunable: int
    measured_sparsity: float
    layers: list[ImportedLayer]
    warnings: list[str] = Field(default_factory=list)
