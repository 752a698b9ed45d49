"""Imports an uploaded data set: read in a child process, kept in one canonical form under its hash."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.counts import count_words
from backend.datasets.downloads import take_files
from backend.datasets.formats import Samples, read_samples
from backend.datasets.imported import ImportedDataset
from backend.datasets.published import ARCHIVES, CANONICAL, PUBLISHED, find_published
from backend.datasets.readers import read_idx
from backend.datasets.samples import sample_ids
from backend.errors import NotFound, UnreadableDataset
from backend.sandbox import MB, Limits, hash_file, make_in_child
from backend.schemas import Split

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
NETWORK_VARIABLES = (*PROXIES, *(name.upper() for name in PROXIES), *CERTIFICATES)
"""What a child needs to reach a server the way that this process would."""


def take_dataset(path: Path, *, out_dir: Path, limits: Limits, split: Split | None = None) -> ImportedDataset:
    """Read the upload at `path` and keep it in `out_dir` as `<sha256>.npz`.

    Args:
        path: the uploaded file; stays where it is.
        out_dir: folder of the kept files.
        limits: of the child; a quarter of its memory is the most the arrays may take.
        split: which images of a published archive, see `formats.read_samples`.

    Raises:
        UnreadableDataset: the file breaks a rule of its format, or killed the child that read it.
        InvalidRequest: a split of a file that has none.
        TooLarge: the arrays exceed the limits.
    """
    if not path.is_file():
        raise NotFound("The uploaded file is missing. Send it again.")
    made = make_in_child(
        "backend.datasets.child:write_canonical",
        {"path": str(path.resolve()), "max_bytes": limits.memory_mb * MB // 4, "split": split},
        out_dir=out_dir,
        suffix=".npz",
        limits=limits,
        rejection=UnreadableDataset,
    )
    imported = ImportedDataset(
        sha256=made.sha256, source_sha256=hash_file(path), file_name=made.path.name, **made.result
    )
    if imported.published is None and imported.sha256 in CANONICAL:
        imported.published, imported.split = CANONICAL[imported.sha256]
    elif imported.published is not None and imported.source_sha256 not in ARCHIVES:
        imported.warnings.append("The archive's hash differs from the published file's: it was repacked or changed.")
    return imported


def fetch_dataset(
    name: str, split: Split, *, folder: Path, mirror: str | None, out_dir: Path, limits: Limits
) -> ImportedDataset:
    """Get a published data set by name and keep it in `out_dir` as `<sha256>.npz`; the child downloads and reads.

    Args:
        folder: where downloads are kept; those of an earlier try are taken from there.
        mirror: see `downloads.download`.

    Raises:
        NotFound, UnreadableDataset, TooLarge: see `downloads.download` and the readers.
    """
    made = make_in_child(
        "backend.datasets.child:write_published",
        {
            "name": name,
            "split": split,
            "folder": str(folder.resolve()),
            "mirror": mirror,
            "max_bytes": limits.memory_mb * MB // 4,
        },
        out_dir=out_dir,
        suffix=".npz",
        limits=limits,
        rejection=UnreadableDataset,
        passes=NETWORK_VARIABLES,
    )
    return ImportedDataset(sha256=made.sha256, file_name=made.path.name, **made.result)


def write_published(
    name: str, split: Split, folder: str, mirror: str | None, max_bytes: int, out: str
) -> dict[str, Any]:
    """Get the files of a split and write them to `out` as `write_canonical` does (runs in the child)."""
    paths = take_files(find_published(name), split, Path(folder), mirror=mirror)
    if len(paths) == 1:
        samples = read_samples(paths[0], split=split, max_bytes=max_bytes)
    else:
        samples = Samples(*read_pair(paths[0], paths[1], max_bytes), name, split)
    check_labels(samples)
    return write_samples(samples, out) | {"source_sha256": hash_file(paths[0])}


def read_pair(images_path: Path, labels_path: Path, max_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 (N, H, W, 1) and labels int64 (N,) of a pair of idx files; raises as `readers.read_idx`."""
    images, labels = read_idx(images_path, max_bytes=max_bytes), read_idx(labels_path, max_bytes=max_bytes)
    if images.dtype != np.uint8 or images.ndim != 3 or labels.shape != images.shape[:1]:
        raise UnreadableDataset(
            f"The idx files must hold uint8 images (N, H, W) and a label for each; they hold {images.dtype} "
            f"{images.shape} and {labels.shape}."
        )
    return images[..., np.newaxis], labels.astype(np.int64)


def write_canonical(path: str, max_bytes: int, out: str, split: Split | None = None) -> dict[str, Any]:
    """Read the file at `path`, write it to `out` as .npz in its one form and describe it (runs in the child)."""
    samples = read_samples(Path(path), split=split, max_bytes=max_bytes)
    check_labels(samples)
    return write_samples(samples, out)


def write_samples(samples: Samples, out: str) -> dict[str, Any]:
    """Write samples to `out` in their one form, and describe them."""
    images, labels = samples.images, samples.labels
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
        "warnings": _describe_oddities(images, counts, duplicates) + _describe_size(samples),
        "published": samples.published,
        "split": samples.split,
    }


def check_labels(samples: Samples) -> None:
    """Refuse labels beyond the classes that a published data set has."""
    if samples.published is None:
        return
    classes, highest = len(PUBLISHED[samples.published].classes), int(samples.labels.max())
    if highest == 0:
        raise UnreadableDataset("Every label is 0: a data set needs at least two classes.")
    if highest >= classes:
        raise UnreadableDataset(f"The labels go up to {highest}; {samples.published} has the classes 0..{classes - 1}.")


def _describe_size(samples: Samples) -> list[str]:
    """Whether a published data set has as many images as it should."""
    if samples.published is None or samples.split is None:
        return []
    expected = PUBLISHED[samples.published].sizes[samples.split]
    if len(samples.images) == expected:
        return []
    return [
        f"The {samples.split} split of {samples.published} has {expected:,} images, this file {len(samples.images):,}."
    ]


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
        empty = count_words(len(missing), "empty class", "empty classes")
        warnings.append(f"Labels without any image: {', '.join(map(str, missing[:8]))} ({empty}).")
    if int(images.max()) <= 1:
        warnings.append("No pixel is above 1: were the images scaled to 0..1 before they were stored as uint8?")
    if duplicates:
        warnings.append(
            f"{count_words(duplicates, 'image repeats', 'images repeat')} an earlier one and got an id with a number."
        )
    return warnings
