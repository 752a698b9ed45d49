"""Whether two evaluations were attacked with equal effort, from their records and their samples."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backend.analysis import mismatches
from backend.analysis.mismatches import Mismatch
from backend.analysis.pairing import Pair
from backend.attacks.catalogue import PRESETS
from backend.schemas.comparisons import MismatchOut
from backend.schemas.records import PreparedCopy, RunRecord, RunSettings
from backend.services.evaluations.measurements import Finished, eps_of, load_indices
from backend.store.tables import Evaluation

LIBRARIES = ("torch", "thinice")
POOLED_ATTACK = "segment"  # starts from other samples of its chunk, so the chunk's size moves its starts


def find_mismatches(
    dense: Evaluation, pruned: Evaluation, dense_key: Finished, pruned_key: Finished, joined: Pair
) -> list[Mismatch]:
    """What differs between the records, and between the samples themselves.

    Nested sets of samples are no difference in effort, because every sample is attacked for itself: a note of the pair
    says how many are shared.
    """
    first, second = describe(dense), describe(pruned)
    if first.get("samples") != second.get("samples"):
        rows, others = list(load_indices(dense_key)), list(load_indices(pruned_key))
        is_nested = set(rows) <= set(others) or set(others) <= set(rows)
        first["samples"], second["samples"] = (rows, rows) if is_nested else (rows, others)
    found = [_say_own_eps(one, first, second) for one in mismatches.mismatches(first, second)]
    return [*found, *mismatches.pair_mismatches(joined)]


def find_control_differences(dense: Evaluation, control: Evaluation, other: str = "control") -> list[Mismatch]:
    """What breaks equal effort between a dense network and a control of it, or what else `other` calls it.

    Their sets of samples may differ: the comparison is cut to the samples that all of its evaluations share.
    """
    found = mismatches.mismatches(describe(dense), describe(control), other=other)
    return [one for one in found if one.severity == "differs" and one.field != "samples"]


def describe(row: Evaluation) -> dict[str, Any]:
    """A record as the equal-effort guard reads it: eps as a number, versions by library, parameters by attack."""
    record = row.record.to_json()
    is_witness = row.record.distance_kind == "witness"
    if is_witness:
        record["eps"] = eps_of(row)
    else:
        record.pop("eps", None)  # margins are measured without one; it only says where the summary was taken
    settings = row.record.settings or RunSettings()
    if not PRESETS[row.preset].is_foreign:
        record["exploration"] = describe_exploration(row.record)
    libraries = {name: record[name] for name in LIBRARIES if name in record}
    record["versions"] = libraries | (settings.versions or {})
    if settings.attacks:
        record["parameters"] = dict(settings.attacks)
        record["attacks"] = list(settings.attacks)
    # The official code, which finds the witnesses, draws its random numbers by position in the batch.
    if not is_witness:
        record.pop("batch_samples", None)
    if is_witness or POOLED_ATTACK in record.get("attacks", ()):
        record["chunk_size"] = row.chunk_size
    return record


def describe_exploration(record: RunRecord) -> str:
    """The precision in which our own attacks walked; engines before the prepared copies lost near misses."""
    if not record.knows("prepared"):
        return "not recorded (before prepared copies)"
    return (record.prepared or PreparedCopy()).precision or "float32"


def show_mismatch(found: Mismatch) -> MismatchOut:
    """A difference as callers see it."""
    return MismatchOut(
        field=found.field, dense=found.dense, pruned=found.pruned, severity=found.severity, sentence=found.sentence
    )


def _say_own_eps(found: Mismatch, dense: Mapping[str, Any], pruned: Mapping[str, Any]) -> Mismatch:
    """Two verdicts at two eps are each judged at their own, which the sentence has to say."""
    if found.field != "eps" or dense.get("eps") is None or pruned.get("eps") is None:
        return found
    return replace(found, sentence=f"{found.sentence} Each side is judged at its own eps.")
