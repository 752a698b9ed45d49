"""What differs between the records of two evaluations, in sentences: the equal-effort guard."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backend.analysis.pairing import Pair
from backend.counts import count_words
from backend.eps import eps_text, parse_eps

Severity = Literal["differs", "note"]


@dataclass(frozen=True)
class Mismatch:
    """One difference. `severity` "differs" breaks equal effort; a "note" informs. Values are as text, "-" for none."""

    code: str
    field: str
    dense: str
    pruned: str
    sentence: str
    severity: Severity = "differs"


@dataclass(frozen=True)
class RecordField:
    """A field of a record that a comparison looks at.

    `required`: where neither record has it, equal effort cannot be confirmed, and that is a difference too.
    `same` decides whether two values agree.
    """

    name: str
    words: str
    severity: Severity
    required: bool
    same: Callable[[Any, Any], bool]


def is_equal_effort(found: Sequence[Mismatch]) -> bool:
    """Whether nothing that matters differs (notes do not)."""
    return all(mismatch.severity == "note" for mismatch in found)


def mismatches(dense: Mapping[str, Any], pruned: Mapping[str, Any], other: str = "pruned") -> list[Mismatch]:
    """Compare two evaluation records field by field.

    Args:
        dense, pruned: records with the keys of RECORD_FIELDS. `samples` is a number, a digest or the ids; `versions`
            maps library to version; `parameters` maps attack to its parameters by name; `eps` is text or a number;
            `device` is a torch device, with or without its title.
        other: what the sentences call the second record's side.

    Returns:
        One Mismatch per differing field (one per library for versions, one per parameter of an attack that both ran),
        "differs" before notes, in table order.
    """
    found = [mismatch for field in RECORD_FIELDS for mismatch in _compare(field, dense, pruned, other)]
    found.extend(_compare_parameters(dense.get("parameters"), pruned.get("parameters"), other))
    found.extend(_compare_versions(dense.get("versions"), pruned.get("versions"), other))
    return sorted(found, key=lambda mismatch: mismatch.severity == "note")


def pair_mismatches(pair: Pair) -> list[Mismatch]:
    """What the joined samples themselves show: partial overlap (a note) and relabelled images (a difference)."""
    found = []
    if pair.n_dense != pair.n or pair.n_pruned != pair.n:
        sentence = (
            f"The comparison covers only {count_words(pair.n, 'shared sample')} (dense has {pair.n_dense:,}, pruned "
            f"{pair.n_pruned:,})."
        )
        found.append(
            Mismatch("partial_overlap", "samples", f"{pair.n_dense:,}", f"{pair.n_pruned:,}", sentence, "note")
        )
    if pair.relabelled:
        images = count_words(pair.relabelled, "shared image")
        sentence = f"The comparison leaves out {images}, labelled differently on each side."
        found.append(Mismatch("different_labels", "labels", "-", "-", sentence))
    return found


def _equal(first: Any, second: Any) -> bool:
    return bool(first == second)


def _equal_eps(first: Any, second: Any) -> bool:
    """Text and number may meet: "8/255" is 0.03137254901960784."""
    if first is None or second is None:
        return first is second
    return math.isclose(float(parse_eps(first)), float(parse_eps(second)), rel_tol=1e-9)


def _equal_members(first: Any, second: Any) -> bool:
    """Order is no difference where values are lists (sample ids, attack names)."""
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return sorted(map(str, first)) == sorted(map(str, second))
    return bool(first == second)


def _equal_device(first: Any, second: Any) -> bool:
    """By class: "cuda:0 (a card)" and "cuda:1" are of one."""
    return re.split(r"[: ]", str(first))[0] == re.split(r"[: ]", str(second))[0]


RECORD_FIELDS = (
    RecordField("dataset", "the data set", "differs", True, _equal),
    RecordField("split", "the split", "differs", False, _equal),
    RecordField("samples", "the samples", "differs", True, _equal_members),
    RecordField("norm", "the norm", "differs", True, _equal),
    RecordField("eps", "eps", "differs", False, _equal_eps),
    RecordField("preset", "the attack preset", "differs", True, _equal),
    RecordField("attacks", "the attacks", "differs", False, _equal_members),
    RecordField("steps", "the number of steps", "differs", False, _equal),
    RecordField("distance_kind", "the kind of distance", "differs", True, _equal),
    RecordField("dtype", "the number format", "differs", True, _equal),
    RecordField("exploration", "the precision in which the attacks explored", "differs", False, _equal),
    RecordField("seed", "the seed", "note", False, _equal),
    RecordField("chunk_size", "the number of samples attacked together", "note", False, _equal),
    RecordField("batch_samples", "the batch size", "note", False, _equal),
    RecordField("device", "the type of device", "note", False, _equal_device),
)

# They change the arithmetic in the last digit, as another device does, but not the effort of an attack.
ARITHMETIC_LIBRARIES = frozenset({"torch", "numpy", "python", "cuda", "cudnn"})


def _compare(field: RecordField, dense: Mapping[str, Any], pruned: Mapping[str, Any], other: str) -> list[Mismatch]:
    in_dense, in_pruned = field.name in dense, field.name in pruned
    if not in_dense and not in_pruned:
        if not field.required:
            return []
        sentence = f"Neither evaluation records {field.words}, so equal effort cannot be confirmed."
        return [Mismatch(f"unrecorded_{field.name}", field.name, "-", "-", sentence)]
    first, second = dense.get(field.name), pruned.get(field.name)
    if in_dense and in_pruned and field.same(first, second):
        return []
    if field.name == "eps":
        shown_first, shown_second = _show_eps(first, dense.get("norm")), _show_eps(second, pruned.get("norm"))
    else:
        shown_first, shown_second = _show(first, second), _show(second, first)
    verb = "differ" if field.name in _PLURAL else "differs"
    sentence = f"{field.words[0].upper()}{field.words[1:]} {verb}: dense {shown_first}, {other} {shown_second}."
    return [Mismatch(f"different_{field.name}", field.name, shown_first, shown_second, sentence, field.severity)]


_PLURAL = frozenset({"samples", "attacks"})


def _compare_parameters(
    dense: Mapping[str, Any] | None, pruned: Mapping[str, Any] | None, other: str
) -> list[Mismatch]:
    """Parameters of the attacks that both ran; which attacks ran is a field of its own."""
    if not dense and not pruned:
        return []
    if not dense or not pruned:
        first, second = ("not recorded" if not side else "recorded" for side in (dense, pruned))
        sentence = f"The attack parameters differ: dense {first}, {other} {second}."
        return [Mismatch("different_parameters", "parameters", first, second, sentence)]
    found = []
    for attack in sorted(set(dense) & set(pruned)):
        for name in sorted(set(dense[attack]) | set(pruned[attack])):
            first, second = dense[attack].get(name), pruned[attack].get(name)
            if first != second:
                shown_first, shown_second = _show(first), _show(second)
                sentence = f"The parameter {name} of {attack} differs: dense {shown_first}, {other} {shown_second}."
                field = f"parameters.{attack}.{name}"
                found.append(Mismatch("different_parameters", field, shown_first, shown_second, sentence))
    return found


def _compare_versions(dense: Mapping[str, Any] | None, pruned: Mapping[str, Any] | None, other: str) -> list[Mismatch]:
    if not dense and not pruned:
        sentence = "Neither evaluation records library versions, so equal effort cannot be confirmed."
        return [Mismatch("unrecorded_versions", "versions", "-", "-", sentence)]
    dense, pruned = dense or {}, pruned or {}
    found = []
    for library in sorted(set(dense) | set(pruned)):
        first, second = dense.get(library), pruned.get(library)
        if first != second:
            severity: Severity = "note" if library in ARITHMETIC_LIBRARIES else "differs"
            sentence = f"The version of {library} differs: dense {_show(first)}, {other} {_show(second)}."
            found.append(
                Mismatch("different_versions", f"versions.{library}", _show(first), _show(second), sentence, severity)
            )
    return found


def _show(value: Any, other: Any = None) -> str:
    """A value as text; lists as their length, with what the other list lacks."""
    if value is None:
        return "not recorded"
    if isinstance(value, list | tuple):
        extra = len(set(map(str, value)) - set(map(str, other))) if isinstance(other, list | tuple) else 0
        return f"{len(value):,} ({extra:,} not in the other)" if other is not None else f"{len(value):,}"
    return str(value)


def _show_eps(value: Any, norm: Any) -> str:
    return "not recorded" if value is None else eps_text(value, str(norm))
