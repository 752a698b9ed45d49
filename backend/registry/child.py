"""Imports an uploaded checkpoint: read in a child process, kept as safetensors under its hash. Without torch."""

from pathlib import Path

from backend.errors import NotFound, TooLarge
from backend.registry.imported import ImportedCheckpoint
from backend.sandbox import MB, Limits, hash_file, make_in_child
from backend.settings import Settings


def take_checkpoint(
    path: Path,
    *,
    dataset_classes: int,
    dataset_shape: tuple[int, int, int],
    architecture: str | None,
    normalization: str | None,
    out_dir: Path,
    settings: Settings,
    keep_rate: float | None = None,
    file_name: str | None = None,
) -> ImportedCheckpoint:
    """Import the upload at `path` and keep its effective weights in `out_dir` as `<sha256>.safetensors`.

    Args:
        path: the uploaded file; stays where it is; its own name is not looked at.
        dataset_classes: classes of the data set that the network is for.
        dataset_shape: (H, W, C) of its images.
        architecture: name of a registered architecture, or a JSON list of layers; None to tell it by keys and shapes.
        normalization: name of a preset; None for the file's own buffers, or none.
        out_dir: folder of the kept files.
        settings: limits of upload and child.
        keep_rate: share of weights kept, 0..1, for files with scores (HYDRA, HARP).
        file_name: what the user calls the file; a keep rate in it counts where none is given.

    Raises:
        NotFound: no file at `path`.
        TooLarge: over the upload's limit, or it needs more memory than the child is given.
        RejectedCheckpoint: or one of its kinds; the message says what to do.
        InvalidRequest, UnknownName: no such architecture or preset, or a list of layers that cannot be.
    """
    if not path.is_file():
        raise NotFound("The uploaded file is missing. Send it again.")
    size_bytes = path.stat().st_size
    if size_bytes > settings.max_upload_mb * MB:
        raise TooLarge(
            f"The file has {size_bytes / MB:,.0f} MB; the limit is {settings.max_upload_mb:,} MB "
            "(THINICE_MAX_UPLOAD_MB).",
            size_bytes=size_bytes,
            limit_mb=settings.max_upload_mb,
        )
    made = make_in_child(
        "backend.registry.importing:import_checkpoint",
        {
            "path": str(path.resolve()),
            "classes": dataset_classes,
            "shape": list(dataset_shape),
            "architecture": architecture,
            "normalization": normalization,
            "keep_rate": keep_rate,
            "file_name": file_name,
        },
        out_dir=out_dir,
        suffix=".safetensors",
        limits=Limits.from_settings(settings),
    )
    return ImportedCheckpoint(
        source_sha256=hash_file(path), file_sha256=made.sha256, file_name=made.path.name, **made.result
    )
