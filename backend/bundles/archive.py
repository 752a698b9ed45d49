"""A bundle is a zip archive: `manifest.json`, and in a folder for each evaluation its rows and adversarials."""

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from backend.bundles.rows import ATTEMPTS, RESULTS, BundledRows, check_rows, pack_table, unpack_table
from backend.errors import TooLarge, UnreadableBundle
from backend.schemas.bundles import BundledEvaluation, BundleManifest

SUFFIX = ".thinice"
MANIFEST = "manifest.json"
ALWAYS = (1980, 1, 1, 0, 0, 0)  # a date, so that the same rows give the same bytes
LARGEST_MANIFEST = 64 * 1024 * 1024
MB = 1024 * 1024


Part = tuple[BundledEvaluation, BundledRows]


def write_bundle(
    target: Path, parts: Iterable[Part], *, made_at: datetime, thinice: str, engine: int
) -> BundleManifest:
    """Write a bundle of at least one evaluation and give its manifest; the rows are held one evaluation at a time."""
    entries = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for entry, found in parts:
            _write(archive, f"{entry.folder}/results.parquet", pack_table(found.results))
            _write(archive, f"{entry.folder}/attempts.parquet", pack_table(found.attempts))
            if entry.adversarials:
                _write(archive, f"{entry.folder}/adversarials.npy", _pack_array(found.adversarials))
            entries.append(entry)
        manifest = BundleManifest(made_at=made_at, thinice=thinice, engine=engine, evaluations=entries)
        _write(archive, MANIFEST, manifest.model_dump_json(indent=1).encode())
    return manifest


def read_manifest(path: Path) -> BundleManifest:
    """The manifest of a bundle.

    Raises:
        UnreadableBundle: no bundle, or of a newer version.
    """
    with open_archive(path) as archive:
        try:
            return BundleManifest.model_validate_json(_read(archive, MANIFEST, LARGEST_MANIFEST))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UnreadableBundle(
                f"The manifest of the bundle is not as expected: {place}: {first['msg']}."
            ) from error


def tell_manifest(path: str) -> dict[str, Any]:
    """The manifest of the bundle at `path` as JSON (runs in a child); raises as `read_manifest`."""
    return read_manifest(Path(path)).model_dump(mode="json")


def read_rows(path: Path, entry: BundledEvaluation, max_bytes: int) -> BundledRows:
    """The rows of one evaluation of a bundle, checked for what no run could have written.

    Raises:
        UnreadableBundle: missing, damaged or contradictory. TooLarge: more than `max_bytes` in all.
    """
    what = f"Evaluation {entry.folder} ({entry.checkpoint.name}, {entry.preset})"
    height, width, channels = entry.dataset.shape
    with open_archive(path) as archive:
        results = _read(archive, f"{entry.folder}/results.parquet", max_bytes)
        attempts = _read(archive, f"{entry.folder}/attempts.parquet", max_bytes)
        images = np.zeros((0, channels, height, width), dtype=np.float32)
        if entry.adversarials:
            images = _unpack_array(_read(archive, f"{entry.folder}/adversarials.npy", max_bytes), what)
    if images.shape != (entry.adversarials, channels, height, width):
        raise UnreadableBundle(f"{what} promises {entry.adversarials:,} adversarials, but holds {images.shape}.")
    rows = BundledRows(
        unpack_table(results, RESULTS, f"{what}, results.parquet,"),
        unpack_table(attempts, ATTEMPTS, f"{what}, attempts.parquet,"),
        images,
    )
    check_rows(rows, n=entry.n, classes=entry.dataset.classes, what=what)
    _check_chunks(entry, what)
    return rows


def copy_canonical(path: str, max_bytes: int, out: str) -> dict[str, Any]:
    """Read the bundle at `path` whole and write it to `out` in its one form; gives its manifest (runs in a child)."""
    manifest = read_manifest(Path(path))
    folders = [entry.folder for entry in manifest.evaluations]
    if len(set(folders)) < len(folders) or len({entry.id for entry in manifest.evaluations}) < len(folders):
        raise UnreadableBundle("The manifest of the bundle names an evaluation twice.")
    parts = ((entry, read_rows(Path(path), entry, max_bytes)) for entry in manifest.evaluations)
    write_bundle(Path(out), parts, made_at=manifest.made_at, thinice=manifest.thinice, engine=manifest.engine)
    return manifest.model_dump(mode="json")


def open_archive(path: Path) -> zipfile.ZipFile:
    """The zip archive of a bundle; raises UnreadableBundle where it is none."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableBundle(f"The file is not a bundle of Thin Ice: {error}.") from error


def _check_chunks(entry: BundledEvaluation, what: str) -> None:
    sizes = [chunk.samples for chunk in entry.chunks]
    starts = range(0, entry.n, entry.chunk_size)
    wanted = [min(entry.chunk_size, entry.n - start) for start in starts]
    if sizes != wanted or [chunk.number for chunk in entry.chunks] != list(range(len(wanted))):
        raise UnreadableBundle(f"{what} has chunks that do not add up to its {entry.n:,} samples.")


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, ALWAYS)
    member.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
    archive.writestr(member, content, compresslevel=9)


def _read(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    """A member, read only as far as allowed whatever its header says."""
    try:
        with archive.open(name) as stream:
            content = stream.read(max_bytes + 1)
    except KeyError:
        raise UnreadableBundle(f"The bundle has no {name}.") from None
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UnreadableBundle(f"{name} in the bundle is damaged: {error}.") from error
    if len(content) > max_bytes:
        raise TooLarge(f"{name} in the bundle is larger than {max_bytes // MB:,} MB.", limit_bytes=max_bytes)
    return content


def _pack_array(images: NDArray[np.float32]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(images, dtype="<f4"), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _unpack_array(content: bytes, what: str) -> NDArray[np.float32]:
    try:
        found = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False, max_header_size=10_000)
    except (ValueError, EOFError, OSError, SyntaxError, TypeError, OverflowError, RecursionError) as error:
        raise UnreadableBundle(f"{what} has damaged adversarials: {error}.") from error
    if found.dtype != np.float32 or found.ndim != 4:
        raise UnreadableBundle(
            f"{what} has adversarials of {found.dtype} {found.shape}; expected float32 (K, C, H, W)."
        )
    return found
