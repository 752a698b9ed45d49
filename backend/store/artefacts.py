"""Content-addressed files under the home: weights, data sets, shards of adversarials. Written once, never changed."""

import hashlib
import os
import tempfile
from pathlib import Path

from backend.errors import NotFound
from backend.settings import get_settings


def artefact_path(name: str) -> Path:
    """Where an artefact lies; NotFound when it is not there (or the name is none of ours)."""
    path = get_settings().artefacts / name
    if "/" in name or "\\" in name or name.startswith(".") or not path.is_file():
        raise NotFound(f"The file {name} is not in the artefact store.", artefact=name)
    return path


def put_bytes(content: bytes, suffix: str) -> str:
    """Store bytes under their SHA-256 and return the name; writing the same content twice is one file."""
    name = hashlib.sha256(content).hexdigest() + suffix
    folder = get_settings().artefacts
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    if target.exists():
        return name
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    return name
