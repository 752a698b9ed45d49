"""Takes an uploaded .npz: read in a child process, kept in one canonical form under its hash."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.datasets.facts import DatasetFacts
from backend.datasets.readers import read_npz
from backend.datasets.samples import sample_ids
from backend.errors import NotFound, UnreadableDataset
from backend.sandbox import MB, Limits, hash_file, make_in_child


def take_dataset(path: Path, *, out_dir: Path, limits: Limits) -> DatasetFacts:
    """Read the upload at `path` and keep it in `out_dir` as `<sha256>.npz`.

    Args:
        path: the uploaded file; stays where it is.
        out_dir: folder of the kept files.
        limits: of the child; half of its memory is the most the arrays may take.

    Raises:
        UnreadableDataset: the file breaks a rule of the format, or killed the child that read it.
        TooLarge: the arrays exceed the limits.
    """
    if not path.is_file():
        raise NotFound("There is no uploaded file to read.")
    made = make_in_child(
        "backend.datasets.intake:write_canonical",
        {"path": str(path.resolve()), "max_bytes": limits.memory_mb * MB // 4},
        out_dir=out_dir,
        suffix=".npz",
        limits=limits,
        rejection=UnreadableDataset,
    )
    return DatasetFacts(sha256=made.sha256, source_sha256=hash_file(path), file_name=made.path.name, **made.answer)


def write_canonical(path: str, max_bytes: int, out: str) -> dict[str, Any]:
    """Read the .npz at `path`, write it to `out` in its one form and give its facts (runs in the child)."""
    images, labels = read_npz(Path(path), max_bytes=max_bytes)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in (("x", images), ("y", labels)):
            # A fixed date and no compression: the same samples give the same bytes with every version of zlib.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), _pack(array))
    classes = int(labels.max()) + 1
    counts = np.bincount(labels, minlength=classes).tolist()
    ids = sample_ids(images)
    duplicates = sum("-" in name for name in ids)
    return {
        "size": len(images),
        "shape": images.shape[1:],
        "classes": classes,
        "class_counts": counts,
        "duplicates": duplicates,
        "warnings": _describe_oddities(images, counts, duplicates),
    }


def _pack(array: NDArray[Any]) -> bytes:
    """The bytes of an .npy file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _describe_oddities(images: NDArray[np.uint8], counts: list[int], duplicates: int) -> list[str]:
    """What is allowed but rarely meant."""
    warnings: list[str] = []
    missing = [label for label, count in enumerate(counts) if count == 0]
    if missing:
        warnings.append(f"No image has the label {', '.join(map(str, missing[:8]))}: {len(missing)} empty classes.")
    if int(images.max()) <= 1:
        warnings.append("No pixel is above 1: were the images scaled to 0..1 before they were stored as uint8?")
    if duplicates:
        warnings.append(f"{duplicates} images repeat an earlier one; their ids carry a number.")
    return warnings
