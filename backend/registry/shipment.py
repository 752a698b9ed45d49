"""Takes the shipped checkpoints: all files in one child, so that torch is loaded once. Never imports torch itself."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.registry.imported import ImportedCheckpoint
from backend.sandbox import Limits, hash_file, run_in_child
from backend.settings import Settings


@dataclass(frozen=True)
class ShippedFile:
    """A weights file of ours, whose hash was checked against its card, and what the card says of it."""

    path: Path
    classes: int
    shape: tuple[int, int, int]
    architecture: str
    normalization: str


def take_shipped(files: Sequence[ShippedFile], *, out_dir: Path, settings: Settings) -> list[ImportedCheckpoint]:
    """Import every file and keep its weights in `out_dir` as `<sha256>.safetensors`, in the order given.

    Raises:
        RejectedCheckpoint: a file is not what its card says.
    """
    if not files:
        return []
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=out_dir) as scratch:
        folder = Path(scratch).resolve()
        made = [folder / f"{position}.safetensors" for position in range(len(files))]
        requests = [
            {
                "path": str(file.path.resolve()),
                "out": str(out),
                "classes": file.classes,
                "shape": list(file.shape),
                "architecture": file.architecture,
                "normalization": file.normalization,
                "keep_rate": None,
            }
            for file, out in zip(files, made, strict=True)
        ]
        results = run_in_child(
            "backend.registry.shipping:import_checkpoints",
            {"requests": requests},
            limits=Limits.from_settings(settings),
            folder=folder,
        )
        kept = [_keep(out, out_dir) for out in made]
    return [
        ImportedCheckpoint(source_sha256=hash_file(file.path), file_sha256=path.stem, file_name=path.name, **result)
        for file, path, result in zip(files, kept, results, strict=True)
    ]


def _keep(made: Path, out_dir: Path) -> Path:
    """Move a finished file to its name by content: whole and synced, or not at all."""
    path = out_dir / f"{hash_file(made)}.safetensors"
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.chmod(0o600)
    os.replace(made, path)
    return path
