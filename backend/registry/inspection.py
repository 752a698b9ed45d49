"""Inspects kept weights, alone and against alleged parents, in a child with limits; without torch it starts fast.

The files are ours (safetensors that an import wrote), but what is in them came from strangers.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

from backend.errors import RejectedCheckpoint, UnreadableCheckpoint
from backend.registry.descent import compare_states
from backend.registry.structure import describe_layer, summarise
from backend.sandbox import Limits, run_in_child
from backend.schemas.inspections import Descent, StructureOut
from backend.settings import Settings

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class InspectedNetwork:
    """A kept weights file, the names of its prunable tensors, and the files that it may have been made from."""

    path: Path
    prunable: Sequence[str]
    parents: Sequence[Path] = ()


@dataclass(frozen=True)
class InspectionNote:
    """The zeros of a subject, and its descent from each alleged parent; None where they have nothing in common."""

    structure: StructureOut
    descents: list[Descent | None]


def inspect_all(subjects: Sequence[InspectedNetwork], *, settings: Settings) -> list[InspectionNote | None]:
    """Inspect every subject, in the order given, in one child process.

    Returns:
        A note each; None for a file that is gone, damaged, or not what the names say.

    Raises:
        RejectedCheckpoint: the child died or took too long.
        TooLarge: the child's memory does not do.
    """
    if not subjects:
        return []
    requests = [
        {
            "path": str(subject.path.resolve()),
            "prunable": list(subject.prunable),
            "parents": [str(parent.resolve()) for parent in subject.parents],
        }
        for subject in subjects
    ]
    results = run_in_child(
        "backend.registry.inspection:inspect_files",
        {"requests": requests},
        limits=Limits.from_settings(settings),
        rejection=RejectedCheckpoint,
    )
    return [None if result is None else _unpack(result) for result in results]


def _unpack(result: dict[str, Any]) -> InspectionNote:
    descents = [None if one is None else Descent.model_validate(one) for one in result["descents"]]
    return InspectionNote(StructureOut.model_validate(result["structure"]), descents)


def inspect_files(requests: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """What the child does: `inspect_weights` for each request, JSON-ready."""
    return [
        _inspect_file(Path(request["path"]), request["prunable"], [Path(parent) for parent in request["parents"]])
        for request in requests
    ]


def _inspect_file(path: Path, prunable: Sequence[str], parents: Sequence[Path]) -> dict[str, Any] | None:
    try:
        note = inspect_weights(path, prunable, parents)
    except UnreadableCheckpoint as error:
        LOG.warning("weights were not inspected: %s", error.message)
        return None
    descents = [None if one is None else one.model_dump() for one in note.descents]
    return {"structure": note.structure.model_dump(), "descents": descents}


def inspect_weights(path: Path, prunable: Sequence[str], parents: Sequence[Path]) -> InspectionNote:
    """Describe the zeros of a kept weights file, and compare it with each alleged parent.

    Raises:
        UnreadableCheckpoint: no sound file, or a prunable tensor that it lacks. A parent's file that cannot be read
            gives no descent.
    """
    state = _read(path)
    missing = [name for name in prunable if name not in state or state[name].ndim < 2]
    if missing:
        raise UnreadableCheckpoint(f"The weights file {path.name} holds no weight {missing[0]!r}.", file=path.name)
    structure = summarise([describe_layer(name, state[name]) for name in prunable])
    return InspectionNote(structure, [_compare(state, parent, prunable) for parent in parents])


def _compare(state: dict[str, Any], parent: Path, prunable: Sequence[str]) -> Descent | None:
    try:
        return compare_states(state, _read(parent), prunable)
    except UnreadableCheckpoint as error:
        LOG.warning("no comparison with a parent: %s", error.message)
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise UnreadableCheckpoint(f"The weights file {path.name} cannot be read: {error}.", file=path.name) from error
