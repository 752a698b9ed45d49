"""Makes checkpoint files as they are found in the wild, the malicious ones included."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn


class Evil:
    """Creates a file when it is unpickled without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


class Plain(nn.Module):
    """A network of a user's own, for files that hold a whole pickled module."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)


def save(content: Any, *, legacy: bool = False) -> bytes:
    """The bytes that torch.save writes."""
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def rewrite_zip(
    raw: bytes,
    *,
    rename: Callable[[str], str] = lambda name: name,
    change: Callable[[str, bytes], bytes] = lambda _name, content: content,
    compression: int = zipfile.ZIP_STORED,
    further: dict[str, bytes] | None = None,
) -> bytes:
    """Copy a zip file with other names, contents, compression or further entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(stream, "w", compression) as target:
        for entry in source.infolist():
            target.writestr(rename(entry.filename), change(entry.filename, source.read(entry.filename)))
        for name, content in (further or {}).items():
            target.writestr(name, content)
    return stream.getvalue()


def replace_in_pickle(raw: bytes, old: bytes, new: bytes) -> bytes:
    """Replace bytes in the data.pkl of a zip file; they must be there."""

    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return content
        assert old in content
        return content.replace(old, new)

    return rewrite_zip(raw, change=change)


def tag_cuda(raw: bytes) -> bytes:
    """Give every storage of a file the location that a network on a GPU has."""
    old, new = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    if raw.startswith(b"PK"):
        return replace_in_pickle(raw, old, new)
    assert old in raw
    return raw.replace(old, new)


def with_prefix(network: nn.Module, prefix: str) -> dict[str, torch.Tensor]:
    """The state of a network with a prefix before every key."""
    return {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
