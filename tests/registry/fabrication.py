"""Makes checkpoint files as they are found in the wild, the malicious ones included."""

import io
import os
import pickletools
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


def find_scored(network: nn.Module) -> list[str]:
    """The starts of the keys of all convolutions and linear layers."""
    return [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def add_scores(network: nn.Module, *, channels: bool = False, seed: int = 3) -> dict[str, torch.Tensor]:
    """The state of a network whose layers carry HYDRA's scores; of whole input channels if asked, as HARP's may."""
    generator = torch.Generator().manual_seed(seed)
    state = dict(network.state_dict())
    for start in find_scored(network):
        shape = list(state[f"{start}.weight"].shape)
        if channels:
            shape = [1, shape[1], *(1 for _ in shape[2:])]
        state[f"{start}.popup_scores"] = torch.randn(shape, generator=generator)
    return state


def add_rates(state: dict[str, torch.Tensor], seed: int = 4) -> dict[str, torch.Tensor]:
    """The same with HARP's learned rate next to each layer's scores."""
    generator = torch.Generator().manual_seed(seed)
    starts = [name.removesuffix("popup_scores") for name in state if name.endswith("popup_scores")]
    return state | {f"{start}k_score": torch.randn((), generator=generator) - 2 for start in starts}


def write_as_python2(raw: bytes) -> bytes:
    """A legacy file as Python 2 wrote it: its text is a byte string in the pickle."""
    stream, written = io.BytesIO(raw), bytearray()
    for _ in range(5):
        begin = stream.tell()
        steps = list(pickletools.genops(stream))
        ends = [position for _, _, position in steps[1:]] + [stream.tell()]
        assert steps[0][2] == begin
        for (step, value, position), end in zip(steps, ends, strict=True):
            text = str(value).encode()
            is_text = step.name == "BINUNICODE"
            written += b"U" + bytes([len(text)]) + text if is_text else raw[position:end]
    return bytes(written) + raw[stream.tell() :]
