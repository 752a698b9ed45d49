"""Reads one uploaded checkpoint and writes its effective weights. Runs in the process that `child` starts."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from backend.counts import count_words
from backend.errors import RejectedCheckpoint, UnknownName
from backend.registry.detection import COUNTER, check_input_size, find_architecture, try_image
from backend.registry.files import open_file
from backend.registry.formats import find_state
from backend.registry.layer_lists import LayerList, is_layer_list, read_layer_list
from backend.registry.networks import LAYERS_ENTRY, add_normalization, fill_network
from backend.registry.sequences import align_keys, check_sizes
from backend.registry.sparsity import describe_layers
from backend.registry.states import FoundState
from models.architectures.normalizations import NORMALIZATIONS, find_normalization, spell_normalization

# Buffers in a file are float32 copies of a preset's decimals; further off is a normalisation of its own.
EXACT, NEAR = 1e-6, 5e-4
LONGEST_NAME = 80
SHOWN = 8


def import_checkpoint(
    path: str,
    out: str,
    classes: int,
    shape: tuple[int, int, int],
    architecture: str | None,
    normalization: str | None,
    keep_rate: float | None,
    file_name: str | None = None,
) -> dict[str, Any]:
    """Import the file at `path`, write float32 safetensors to `out` and describe what was imported.

    Args:
        architecture: a name, the JSON of a list of layers, or None to tell it by keys and shapes.
        file_name: what the user calls the file.

    Returns:
        The fields of `ImportedCheckpoint`, without those that the parent knows (hashes of files, file name).

    Raises:
        RejectedCheckpoint: or one of its kinds; see `files`, `formats` and `detection`.
    """
    torch.set_num_threads(1)
    height, width, channels = shape
    content, kind = open_file(Path(path))
    listed = read_layer_list(architecture) if architecture and is_layer_list(architecture) else None
    found = find_state(content, keep_rate=keep_rate, file_name=file_name)
    if listed is not None:
        architecture = listed.text
        check_sizes(listed, shape, classes)
        found.tensors = align_keys(found.tensors, listed, found.warnings)
    name = find_architecture(found.tensors, architecture=architecture, classes=classes, channels=channels)
    check_input_size(name, (height, width, channels))
    preset = choose_normalization(found, normalization, channels)
    check_numbers(found)
    network = fill_network(found.tensors, name, classes=classes, channels=channels)
    normalized = add_normalization(network, preset, channels)
    try_image(normalized, name, classes=classes, shape=(height, width, channels))
    _write_weights(network, Path(out), listed)
    return {
        "format": kind,
        "architecture": listed.name if listed else name,
        "layer_list": json.loads(listed.text) if listed else None,
        "normalization": preset,
        "classes": classes,
        "channels": channels,
        "weights_sha256": hash_state(network.state_dict(), listed.text if listed else ""),
        **describe_sparsity(network),
        "warnings": found.warnings,
    }


def describe_sparsity(network: nn.Module) -> dict[str, Any]:
    """Count parameters, prunable weights and zeros."""
    layers = describe_layers(network)
    prunable = sum(layer.weights for layer in layers)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "prunable": prunable,
        "measured_sparsity": sum(layer.zeros for layer in layers) / prunable if prunable else 0.0,
        "layers": [layer.model_dump() for layer in layers],
    }


def check_numbers(found: FoundState) -> None:
    """Check that every weight is a finite real number in float32, and warn where float32 rounds.

    Raises:
        RejectedCheckpoint: NaN or infinite weights, or integers where real numbers belong.
    """
    broken: list[str] = []
    rounded = 0
    for name, tensor in found.tensors.items():
        if name.endswith(COUNTER):
            continue
        if not tensor.is_floating_point():
            raise RejectedCheckpoint(f"{name!r} holds {tensor.dtype} values; weights must be real numbers.", key=name)
        single = tensor.float()
        if not bool(torch.isfinite(single).all()):
            broken.append(name)
        rounded += tensor.dtype == torch.float64 and not torch.equal(single.double(), tensor)
    if broken:
        raise RejectedCheckpoint(
            f"{count_words(len(broken), 'tensor holds', 'tensors hold')} NaN or infinite values: "
            f"{', '.join(broken[:SHOWN])}.",
            keys=broken[:SHOWN],
        )
    if rounded:
        found.warnings.append(f"The import rounded {count_words(rounded, 'float64 tensor')} to float32.")


def choose_normalization(found: FoundState, wanted: str | None, channels: int) -> str:
    """Decide the normalisation: the file's own buffers, else what the user gave, else none.

    Buffers that belong to no preset are kept as they are, spelled out. One value stands for all channels.

    Raises:
        UnknownName: no such preset.
        RejectedCheckpoint: the file's buffers are another normalisation than the given one, or none that can be.
    """
    if wanted is not None and wanted not in NORMALIZATIONS:
        raise UnknownName("normalisation", wanted, NORMALIZATIONS)
    if found.normalization is None:
        return wanted or "none"
    mean, std = (part * channels if len(part) == 1 else part for part in found.normalization)
    distances = {name: _find_distance((mean, std), row.mean, row.std) for name, row in NORMALIZATIONS.items()}
    nearest = min(distances, key=lambda name: distances[name])
    shown = f"mean {[round(value, 4) for value in mean]} and std {[round(value, 4) for value in std]}"
    chosen = nearest if distances[nearest] <= NEAR else _spell(mean, std)
    if wanted not in (None, chosen):
        raise RejectedCheckpoint(f"The file normalises with {shown} ({chosen}), but {wanted!r} was given.")
    if chosen != nearest:
        found.warnings.append(f"The file's normalisation, {shown}, matches no known preset and was kept.")
    elif distances[nearest] > EXACT:
        found.warnings.append(f"The file's normalisation, {shown}, was read as the preset {nearest}.")
    return chosen


def _spell(mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """Text for a normalisation of the file's own."""
    text = spell_normalization(mean, std)
    try:
        find_normalization(text)
    except ValueError as error:
        raise RejectedCheckpoint(f"The file's normalisation is not valid: {error}.") from error
    if len(text) > LONGEST_NAME:
        raise RejectedCheckpoint(f"The file's normalisation, {text[:LONGEST_NAME]}..., has too many digits to be kept.")
    return text


def _find_distance(
    found: tuple[tuple[float, ...], tuple[float, ...]], mean: tuple[float, ...], std: tuple[float, ...]
) -> float:
    """Largest difference between two normalisations; infinite where the channels differ in number."""
    identity = ((0.0,) * len(found[0]), (1.0,) * len(found[0]))
    preset = (mean, std) if mean else identity
    if len(preset[0]) != len(found[0]):
        return float("inf")
    return max(
        abs(a - b) for ours, theirs in zip(preset, found, strict=True) for a, b in zip(ours, theirs, strict=True)
    )


def hash_state(state: Mapping[str, Tensor], layers: str = "") -> str:
    """SHA-256 (hex) over the effective state: sorted names, dtype, shape and little-endian bytes of each tensor.

    `layers` is the canonical text of a list of layers: with other layers between them equal weights are another
    network.

    Batch counters are left out: files with and without them are the same network in `eval()` mode. Minus zero counts
    as zero, so that a mask applied by multiplying and one applied by filling give the same hash.
    """
    digest = hashlib.sha256(layers.encode())
    for name in sorted(state):
        if name.endswith(COUNTER):
            continue
        tensor = state[name].detach().cpu().contiguous()
        shape = "x".join(str(size) for size in tensor.shape)
        digest.update(f"{name}\0{str(tensor.dtype).removeprefix('torch.')}\0{shape}\0".encode())
        digest.update((tensor + 0.0 if tensor.is_floating_point() else tensor).numpy().tobytes())
    return digest.hexdigest()


def _write_weights(network: nn.Module, out: Path, listed: LayerList | None) -> None:
    """Write the state as safetensors, a list of layers with it; the parent syncs and renames."""
    state = {name: tensor.contiguous().clone() for name, tensor in network.state_dict().items()}
    save_file(state, out, metadata={LAYERS_ENTRY: listed.text} if listed else None)
