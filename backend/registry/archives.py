"""Looks at a torch file before anything of it is loaded: the zip's structure, and what its pickle would ask for.

The pickle is walked with stand-ins for every name in it, so nothing is imported or called; what comes out is the list
of names and of storages with the sizes that they declare. `torch.load(weights_only=True)` stays the boundary; this walk
adds what that does not check (declared sizes against the bytes that are there) and gives the reasons in words.
"""

import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from backend.errors import UnreadableCheckpoint, UnsafeCheckpoint

Format = Literal["zip", "legacy", "safetensors"]

MB = 1024 * 1024
ZIP_START = b"PK\x03\x04"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
MAX_PICKLE_BYTES = 64 * MB
MAX_ENTRIES = 100_000
RESAVE = "Load it in a place that you trust and save its weights: torch.save(model.state_dict(), 'weights.pt')."

ITEM_BYTES = {
    "ComplexDoubleStorage": 16,
    "ComplexFloatStorage": 8,
    "DoubleStorage": 8,
    "LongStorage": 8,
    "FloatStorage": 4,
    "IntStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
    "UntypedStorage": 1,
}


@dataclass
class Walk:
    """What a pickle asks for: dotted names, storages with the bytes they declare, and the kind of its outermost object.

    `root` is None for a dictionary, otherwise the dotted name of the class (or the Python type).
    """

    names: set[str] = field(default_factory=set)
    storages: dict[str, int] = field(default_factory=dict)
    root: str | None = None


class _StandIn:
    """Takes the place of every class and function that a pickle names; does nothing with what it gets."""

    origin = ""

    def __new__(cls, *_args: Any, **_settings: Any) -> "_StandIn":
        return super().__new__(cls)

    def __init__(self, *_args: Any, **_settings: Any) -> None:
        pass

    def __setstate__(self, _state: Any) -> None:
        pass

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    def append(self, _item: Any) -> None:
        pass

    def extend(self, _items: Any) -> None:
        pass


class _StandInDict(dict[Any, Any]):
    """Takes the place of OrderedDict."""

    def __setstate__(self, _state: Any) -> None:
        pass


class _Walker(pickle.Unpickler):
    """Unpickles into stand-ins and writes down names and storages."""

    def __init__(self, file: IO[bytes], walk: Walk) -> None:
        super().__init__(file, encoding="latin1")
        self.walk = walk

    def find_class(self, module_name: str, global_name: str) -> Any:
        name = f"{module_name}.{global_name}"
        self.walk.names.add(name)
        if name == "collections.OrderedDict":
            return _StandInDict
        return type("_Named", (_StandIn,), {"origin": name})

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) >= 3 and pid[0] == "module":
            self.walk.names.add(getattr(pid[1], "origin", "a module"))
            return pid[1]
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[4], int):
            raise UnreadableCheckpoint("The file refers to its storages in a way that torch does not.")
        kind = getattr(pid[1], "origin", str(pid[1])).rpartition(".")[2]
        if kind not in ITEM_BYTES:
            raise UnsafeCheckpoint(f"Tensors stored as {kind} are not supported; save the weights as float32.")
        key = str(pid[2])
        declared = pid[4] * ITEM_BYTES[kind]
        if declared < 0:
            raise UnsafeCheckpoint(f"Storage {key!r} declares a negative size.")
        self.walk.storages[key] = max(self.walk.storages.get(key, 0), declared)
        return _StandIn()


def find_format(path: Path) -> Format:
    """Tell the format by the first bytes; the name's ending says nothing.

    Raises:
        UnreadableCheckpoint: none of the three.
        UnsafeCheckpoint: a plain pickle or a tar, which cannot be read without running code.
    """
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise UnreadableCheckpoint("The file is empty.")
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(ZIP_START):
        return "zip"
    if tarfile.is_tarfile(path):
        raise UnsafeCheckpoint(f"The file is a tar archive (torch before 0.2, or a packed folder). {RESAVE}")
    header_bytes = int.from_bytes(start[:8], "little")
    if len(start) > 8 and start[8:9] == b"{" and header_bytes <= size_bytes - 8:
        return "safetensors"
    if start[:1] == b"\x80":
        return _check_legacy_start(path)
    raise UnreadableCheckpoint(
        "This is not a known checkpoint format: neither a torch.save file nor safetensors.", first_bytes=start.hex()
    )


def _check_legacy_start(path: Path) -> Format:
    """Tell the old torch format from any other pickle."""
    with path.open("rb") as file:
        try:
            first = _Walker(file, Walk()).load()
        except UnsafeCheckpoint:
            first = None
        except _PICKLE_DAMAGES as error:
            raise UnreadableCheckpoint(f"The file starts like a pickle but breaks off: {error}.") from error
    if first != LEGACY_MAGIC:
        raise UnsafeCheckpoint(f"The file is a plain pickle, which cannot be read without running its code. {RESAVE}")
    return "legacy"


_PICKLE_DAMAGES = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    ImportError,
    UnicodeDecodeError,
)


def inspect_zip(path: Path) -> Walk:
    """Check the structure of a zip file that torch.save wrote, and walk its pickle.

    Raises:
        UnsafeCheckpoint: compressed, overlapping, encrypted or oddly named entries, TorchScript, storages that declare
            more bytes than their entry has, or a pickled network.
        UnreadableCheckpoint: no sound zip, or no torch file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if len(entries) != len(archive.infolist()):
                raise UnsafeCheckpoint("The zip holds two entries with the same name.")
            root = _check_entries(entries, path.stat().st_size)
            with archive.open(entries[f"{root}/data.pkl"]) as file:
                walk = _walk(file)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, struct.error) as error:
        raise UnreadableCheckpoint(f"The zip is damaged or cut off: {error}.") from error
    _check_root(walk)
    for key, declared in walk.storages.items():
        entry = entries.get(f"{root}/data/{key}")
        present = entry.file_size if entry else 0
        if declared > present:
            raise UnsafeCheckpoint(
                f"Storage {key!r} declares {declared:,} bytes, but the file holds only {present:,} of them.",
                declared_bytes=declared,
                present_bytes=present,
            )
    return walk


def _check_entries(entries: dict[str, zipfile.ZipInfo], size_bytes: int) -> str:
    """Check names, storage method and sizes; give the folder that everything lies in."""
    if len(entries) > MAX_ENTRIES:
        raise UnsafeCheckpoint(f"The zip holds {len(entries):,} entries; the limit is {MAX_ENTRIES:,}.")
    for name, entry in entries.items():
        parts = name.split("/")
        if name.startswith("/") or "\\" in name or ":" in parts[0] or ".." in parts or "\0" in name:
            raise UnsafeCheckpoint(f"Entry {name!r} points outside the archive.", entry=name)
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise UnsafeCheckpoint(
                f"Entry {name!r} is compressed; torch.save never compresses, so a small file could inflate to any "
                "size. Save it again with torch.save, or unzip it and zip it with the method 'store'.",
                entry=name,
            )
        if entry.flag_bits & 1:
            raise UnsafeCheckpoint(f"Entry {name!r} is encrypted.", entry=name)
    if sum(entry.file_size for entry in entries.values()) > size_bytes:
        raise UnsafeCheckpoint("The entries of the zip declare more bytes than the file has: they overlap.")
    roots = [name.removesuffix("/data.pkl") for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(roots) != 1 or any(not name.startswith(f"{roots[0]}/") for name in entries):
        raise UnreadableCheckpoint("The zip is not a torch.save file: it has no single folder with a data.pkl.")
    root = roots[0]
    if f"{root}/constants.pkl" in entries or any(name.startswith(f"{root}/code/") for name in entries):
        raise UnsafeCheckpoint(f"The file is a TorchScript archive: it holds code. {RESAVE}")
    if entries[f"{root}/data.pkl"].file_size > MAX_PICKLE_BYTES:
        raise UnsafeCheckpoint(f"The pickle in the file is over {MAX_PICKLE_BYTES // MB} MB; weights need far less.")
    return root


def inspect_legacy(path: Path) -> Walk:
    """Walk the pickles at the start of a file that torch wrote before 1.6 (magic, version, system, content).

    Raises:
        UnsafeCheckpoint: the storages together declare more bytes than the file has, or a pickled network.
        UnreadableCheckpoint: the pickles break off.
    """
    with path.open("rb") as file:
        for _ in range(3):
            _walk(file)
        walk = _walk(file)
    _check_root(walk)
    declared, present = sum(walk.storages.values()), path.stat().st_size
    if declared > present:
        raise UnsafeCheckpoint(
            f"The storages declare {declared:,} bytes together, but the file has {present:,}.",
            declared_bytes=declared,
            present_bytes=present,
        )
    return walk


def _walk(file: IO[bytes]) -> Walk:
    """Walk one pickle."""
    walk = Walk()
    try:
        content = _Walker(file, walk).load()
    except _PICKLE_DAMAGES as error:
        raise UnreadableCheckpoint(
            f"The pickle in the file is damaged: {error}.", names=sorted(walk.names)[:8]
        ) from error
    if not isinstance(content, dict | OrderedDict):
        walk.root = getattr(content, "origin", type(content).__name__)
    return walk


def _check_root(walk: Walk) -> None:
    """Refuse a file whose outermost object is not a dictionary."""
    if walk.root is None:
        return
    if walk.root == "argparse.Namespace":
        raise UnsafeCheckpoint(
            f"The file holds the options of a run ({walk.root}), not its network. Use the weights file next to it.",
            names=[walk.root],
        )
    if "." in walk.root and not walk.root.startswith("torch._utils."):
        raise UnsafeCheckpoint(
            f"The file holds a whole pickled object ({walk.root}), which only its own code can read. {RESAVE}",
            names=sorted(walk.names)[:8],
        )
    raise UnreadableCheckpoint(
        f"The file holds a {walk.root.rpartition('.')[2]} instead of a dictionary of weights. {RESAVE}"
    )
