"""Builds a network from a kept weights file, ready to be evaluated."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from backend.errors import MismatchedKeys, NotFound, RejectedCheckpoint, UnknownName, UnreadableCheckpoint
from backend.registry.detection import COUNTER, build_empty, find_difference, read_shapes
from backend.registry.layer_lists import NAME_START, read_layer_list
from backend.registry.sequences import show_architecture
from models.architectures.layers import normalize
from models.architectures.normalizations import NORMALIZATIONS, find_normalization

LAYERS_ENTRY = "layers"  # in the header of a kept file: the list of layers that its weights belong to


def load_network(
    weights_path: Path,
    architecture: str,
    normalization: str = "none",
    classes: int = 10,
    channels: int = 3,
    device: str = "cpu",
    *,
    sha256: str | None = None,
) -> nn.Module:
    """Load a kept checkpoint.

    Args:
        weights_path: safetensors file as `child.take_checkpoint` keeps it.
        architecture: name in `models.architectures`, or that of a list of layers, which the file itself holds.
        normalization: preset in `models.architectures.layers`; it becomes the first layer.
        classes: number of logits.
        channels: channels of the images.
        device: torch device.
        sha256: of the file, where it is known; the very bytes that are hashed are loaded.

    Returns:
        A network that maps float32 images (B, C, H, W) in [0, 1] to logits (B, classes); float32, in `eval()` mode,
        with frozen parameters.

    Raises:
        NotFound: no such file.
        UnreadableCheckpoint: another hash, or no sound safetensors file.
        MismatchedKeys: a missing, unexpected or mis-shaped key.
        UnknownName: no such architecture or preset.
        RejectedCheckpoint: the preset is for another number of channels.
    """
    try:
        content = weights_path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"The weights file {weights_path.name} is missing.", file=weights_path.name) from None
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise UnreadableCheckpoint(
            f"The weights file {weights_path.name} has changed: its SHA-256 differs from the record.", sha256=sha256
        )
    try:
        state = load(content)
    except (SafetensorError, ValueError) as error:
        raise UnreadableCheckpoint(f"The weights file {weights_path.name} is damaged: {error}.") from error
    if architecture.startswith(NAME_START):
        architecture = _read_layers(content, architecture, weights_path.name)
    network = fill_network(state, architecture, classes=classes, channels=channels)
    return add_normalization(network, normalization, channels).eval().requires_grad_(False).to(device)


def _read_layers(content: bytes, name: str, file_name: str) -> str:
    """The list of layers in the header of a safetensors file, whose name must be `name`."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    text = header.get("__metadata__", {}).get(LAYERS_ENTRY, "")
    if not text or read_layer_list(text).name != name:
        raise UnreadableCheckpoint(f"The weights file {file_name} does not hold the layers of {name}.", file=file_name)
    return str(text)


def fill_network(state: dict[str, Tensor], architecture: str, *, classes: int, channels: int) -> nn.Module:
    """Give the architecture with the weights of `state`, as float32; batch counters may be missing and become 0.

    No random number is drawn and no weight initialised: the network is built without memory and takes over the
    tensors.

    Raises:
        MismatchedKeys: a missing, unexpected or mis-shaped key.
    """
    network = build_empty(architecture, classes, channels)
    wanted = network.state_dict()
    difference = find_difference(read_shapes(state), architecture, read_shapes(wanted))
    if difference.size:
        raise MismatchedKeys(
            f"The weights do not fit {show_architecture(architecture)}. Keys: {difference.describe()}.",
            **difference.to_details(),
        )
    effective = {
        name: state[name].to(tensor.dtype) if name in state else torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in wanted.items()
        if name in state or name.endswith(COUNTER)
    }
    network.load_state_dict(effective, strict=True, assign=True)
    # A buffer outside the state dict would have stayed without memory.
    assert not any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers()))
    return network.eval()


def add_normalization(network: nn.Module, normalization: str, channels: int) -> nn.Module:
    """Put a preset in front of `network`; "none" gives the network itself.

    Raises:
        UnknownName: no such preset.
        RejectedCheckpoint: the preset is for another number of channels.
    """
    try:
        known = len(find_normalization(normalization).mean)
    except ValueError:
        raise UnknownName("normalisation", normalization, NORMALIZATIONS) from None
    if known not in (0, channels):
        raise RejectedCheckpoint(
            f"The normalisation {normalization} is for {known} channels; the images of the data set have {channels}."
        )
    return normalize(network, normalization)
