"""The pickles inside CIFAR's archives, read without running anything in them.

They are dictionaries of Python 2 with one NumPy array each. Nothing of NumPy is called on the way: the few names that
such a file may mention stand for classes of ours, which keep what the file says; any other name is refused.
"""

import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import UnreadableDataset

DAMAGES = (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError)


class PickledType:
    """A NumPy dtype as the file names it; byte order and fields say nothing about bytes."""

    def __init__(self, name: Any = None, *_arguments: Any) -> None:
        self.name = name

    def __setstate__(self, _state: Any) -> None:
        pass


class ArrayMark:
    """Where the file means the class numpy.ndarray."""


class PickledArray:
    """An array as the file describes it: `state` is (version, shape, dtype, is column order, bytes)."""

    state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        self.state = tuple(state)


def begin_array(*_arguments: Any) -> PickledArray:
    """What `_reconstruct` stands for: an array that its state fills."""
    return PickledArray()


def encode_latin1(text: Any, encoding: Any) -> bytes:
    """How Python 3 writes bytes for Python 2 to read."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise UnreadableDataset("The pickle encodes text in a way that no array needs.")
    return text.encode("latin1")


KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): begin_array,
    ("numpy._core.multiarray", "_reconstruct"): begin_array,
    ("numpy", "ndarray"): ArrayMark,
    ("numpy", "dtype"): PickledType,
    ("_codecs", "encode"): encode_latin1,
}


class ArrayUnpickler(pickle.Unpickler):
    """Knows the names that an array needs, and no other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in KNOWN:
            raise UnreadableDataset(
                f"The archive's pickle asks for {module}.{name}, which no published file needs; it was not run.",
                asked=f"{module}.{name}"[:200],
            )
        return KNOWN[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        raise UnreadableDataset("The archive's pickle refers to objects outside of itself.")


def read_pickled(content: bytes) -> dict[str, Any]:
    """The dictionary in a pickle, with text keys; arrays are `PickledArray`.

    Raises:
        UnreadableDataset: damaged, no dictionary, or it asks for anything but arrays.
    """
    try:
        found = ArrayUnpickler(io.BytesIO(content), fix_imports=False, encoding="bytes").load()
    except DAMAGES as error:
        raise UnreadableDataset(f"The archive's pickle is damaged: {error}.") from error
    if not isinstance(found, dict):
        raise UnreadableDataset("The archive's pickle does not hold a dictionary.")
    return {key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in found.items()}


def unpack_pixels(pickled: Any, width: int) -> NDArray[np.uint8]:
    """Pixels uint8 (N, width) of a `PickledArray`; UnreadableDataset where it is any other array."""
    state = pickled.state if isinstance(pickled, PickledArray) else ()
    if len(state) != 5:
        raise UnreadableDataset("The archive's pickle holds no array of pixels.")
    _, shape, kind, is_column_order, content = state
    is_uint8 = isinstance(kind, PickledType) and kind.name in ("u1", b"u1")
    is_shape = isinstance(shape, tuple) and len(shape) == 2 and all(type(size) is int for size in shape)
    if not (is_uint8 and is_shape and shape[1] == width and shape[0] > 0 and isinstance(content, bytes)):
        raise UnreadableDataset(f"The pixels must be uint8 of shape (N, {width}); those in the pickle are not.")
    if len(content) != shape[0] * width:
        raise UnreadableDataset(f"The pickle declares {shape[0]:,} images, but holds {len(content):,} bytes of pixels.")
    return np.frombuffer(content, np.uint8).reshape(shape, order="F" if is_column_order else "C")
