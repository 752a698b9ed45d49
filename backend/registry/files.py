"""Opens a checkpoint file without running anything in it. Child process only (see backend.sandbox)."""

import argparse
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from backend.errors import RejectedCheckpoint, UnreadableCheckpoint, UnsafeCheckpoint
from backend.registry.archives import RESAVE, Format, Walk, find_format, inspect_legacy, inspect_zip

# In addition to weights, training scripts keep accuracies (numpy scalars) and their options (argparse). Nothing else.
_SCALAR = np.float64(0).__reduce__()[0]
SAFE_GLOBALS: list[Any] = [
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(code)) for code in "?bhilqBHILQefd"),
    argparse.Namespace,
]
REAL = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
# For the wording of a refusal only; what is loaded is decided by torch.load and the list above.
HARMLESS = ("torch.", "collections.", "numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
HARMLESS_NAMES = ("argparse.Namespace", "_codecs.encode")


def open_file(path: Path) -> tuple[Any, Format]:
    """Load the content of a checkpoint file onto the CPU.

    Args:
        path: a torch.save file, new (zip) or from before 1.6, whatever device it was saved on; or safetensors. The
            name's ending is not looked at.

    Returns:
        Whatever the file holds (tensors inside plain containers) and its format.

    Raises:
        UnsafeCheckpoint: it needs code to run, or declares sizes that are not there.
        UnreadableCheckpoint: no known format, or damaged.
    """
    kind = find_format(path)
    if kind == "safetensors":
        return _open_safetensors(path), kind
    walk = inspect_zip(path) if kind == "zip" else inspect_legacy(path)
    return _open_torch(path, walk), kind


def _open_safetensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors; the library checks offsets and sizes against the file."""
    try:
        return load_file(path, device="cpu")
    except (SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise UnreadableCheckpoint(f"The safetensors file is damaged or cut off: {error}.") from error


def _open_torch(path: Path, walk: Walk) -> Any:
    """Read a torch file that has passed the look at its structure."""
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(SAFE_GLOBALS):
            # Old storages warn about their class; nothing a user could act on.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        strange = sorted(name for name in walk.names if _is_strange(name))
        if strange:
            raise UnsafeCheckpoint(
                f"Reading the file would run {', '.join(strange[:4])}; only tensors, plain containers, numpy scalars "
                f"and argparse options are allowed. {RESAVE}",
                names=strange[:8],
            ) from error
        raise UnsafeCheckpoint(
            f"The file holds more than tensors and plain containers. {RESAVE}", names=sorted(walk.names)[:20]
        ) from error
    except (EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError) as error:
        raise UnreadableCheckpoint(f"The file is damaged: {_first_line(error)}.") from error
    except RuntimeError as error:
        if "alloc" in str(error):
            raise MemoryError(str(error)) from error
        raise UnreadableCheckpoint(f"The file is damaged: {_first_line(error)}.") from error


def _is_strange(name: str) -> bool:
    """Whether a dotted name in a pickle is worth showing as the reason of a refusal."""
    return name.startswith("torch.nn.modules.") or not (name.startswith(HARMLESS) or name in HARMLESS_NAMES)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")


def check_tensors(state: Mapping[str, Any]) -> None:
    """Check that every value is a plain tensor whose elements are really in memory.

    A tensor with zero strides can declare terabytes over a storage of four bytes: nothing may be copied before this.

    Raises:
        UnsafeCheckpoint: a tensor larger than its storage, or of a kind other than dense on the CPU.
        RejectedCheckpoint: complex numbers, eight-bit floats, or other types that most of torch cannot compute with.
    """
    for name, value in state.items():
        if type(value) not in (Tensor, nn.Parameter):
            raise UnsafeCheckpoint(f"{name!r} is a {type(value).__name__}, not a tensor.", key=name)
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
            raise UnsafeCheckpoint(
                f"{name!r} is a {value.layout} tensor on {value.device}; save the weights as dense float32.",
                key=name,
            )
        if value.dtype not in (*REAL, *WHOLE):
            raise RejectedCheckpoint(f"{name!r} holds {value.dtype} values; save the weights as float32.", key=name)
        declared, present = value.numel() * value.element_size(), value.untyped_storage().nbytes()
        if declared > present:
            raise UnsafeCheckpoint(
                f"{name!r} declares {declared:,} bytes, but its storage has {present:,}.",
                key=name,
                declared_bytes=declared,
                present_bytes=present,
            )
