"""What an attacked chunk leaves: its adversarials as shards, a row per sample and attack, and one per sample."""

from typing import Any
from uuid import UUID

import numpy as np
import torch

from backend.attacks.contract import AttackResult
from backend.errors import AttackFailed
from backend.jobs.shards import Shard, store_shard
from backend.jobs.subjects import SampleBatch


def refuse_contradictions(result: AttackResult, labels: torch.Tensor) -> None:
    """No row is written that could not be a measurement.

    Raises:
        AttackFailed: logits that are not finite, outputs that change from call to call, or samples that are right and
            yet broken without any perturbation.
    """
    if "randomised" in result.flags:
        raise AttackFailed(
            "The network gives different outputs for the same image, so one lucky draw would count as broken: there is "
            "no plain margin or verdict. Is dropout or noise active at inference?",
            flag="randomised",
        )
    broken = int((~torch.isfinite(result.logit_gap) | ~torch.isfinite(result.loss)).sum())
    if broken:
        raise AttackFailed(
            f"The network's logits are not finite for {broken} of {len(labels)} samples, so its margins mean nothing. "
            "Look for overflow or a division by zero in the network.",
            flag="non-finite",
        )
    wavering = int(((result.prediction == labels) & result.found & (result.distance == 0)).sum())
    if wavering:
        raise AttackFailed(
            f"The network gives different outputs for the same image ({wavering} of {len(labels)} samples), so it has "
            "no plain margin. Is dropout or noise active at inference?",
            flag="randomised",
        )


def store_adversarials(result: AttackResult, limit: float) -> Shard:
    """Write the adversarials of a chunk's primary run within `limit` as one shard."""
    primary = result.primary
    is_kept = primary.found & (primary.distance > 0) & is_within(primary.distance, limit)
    return store_shard(primary.adversarial.numpy(), is_kept.numpy())


def is_within(distance: torch.Tensor, limit: float) -> torch.Tensor:
    """Whether distances float32 (B,) are finite and at most the limit, as the float64 number it is."""
    return torch.isfinite(distance) & (distance.double() <= limit)


def store_fallbacks(result: AttackResult) -> Shard:
    """Write what fallback attacks found nearer than the primary run as a shard of its own."""
    is_nearer = result.found & (result.distance < result.primary.distance)
    return store_shard(result.adversarial.numpy(), is_nearer.numpy())


def finite_or_none(value: float) -> float | None:
    """The one place where infinity (not found) becomes null."""
    return value if np.isfinite(value) else None


def write_rows(
    evaluation_id: UUID, samples: SampleBatch, result: AttackResult, limit: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Keep the adversarials of a chunk and give its rows: those of the attempts, then those of the results."""
    kept = store_adversarials(result, limit)
    attempts = attempt_rows(evaluation_id, samples.numbers, result, {0: kept, 1: store_fallbacks(result)})
    return attempts, result_rows(evaluation_id, samples, result, kept, limit)


def attempt_rows(
    evaluation_id: UUID, numbers: list[int], result: AttackResult, shards: dict[int, Shard]
) -> list[dict[str, Any]]:
    """One row per sample and attack that ran on it; `shards` by series hold the examples of the best."""
    rows = []
    winners = {0: result.primary.attack, 1: result.attack}
    for attempt in result.attempts:
        name, shard_rows = shards[attempt.series]
        columns = (attempt.tried.tolist(), attempt.found.tolist(), attempt.distance.tolist())
        for position, (tried, found, distance) in enumerate(zip(*columns, strict=True)):
            if tried:
                is_best = found and winners[attempt.series][position] == attempt.attack
                # A fallback attack of the primary run's name wins only where it came nearer than the primary run.
                is_best = is_best and (attempt.series == 0 or shard_rows[position] is not None)
                rows.append(
                    {
                        "evaluation_id": evaluation_id,
                        "sample_id": numbers[position],
                        "series": attempt.series,
                        "attack": attempt.attack,
                        "found": found,
                        "distance": finite_or_none(distance) if found else None,
                        "kind": attempt.kind,
                        "artefact": name if is_best else None,
                        "shard_row": shard_rows[position] if is_best and attempt.series else None,
                    }
                )
    return rows


def result_rows(
    evaluation_id: UUID, samples: SampleBatch, result: AttackResult, kept: Shard, limit: float = float("inf")
) -> list[dict[str, Any]]:
    """One row per sample: the best verified attempt of the primary run and the network's view of the clean image.

    A verdict at one eps, the `limit`, finds what lies within it: distances beyond were searched with less effort, and
    stay with their attempts.
    """
    rows, primary = [], result.primary
    shard, shard_rows = kept
    is_found = primary.found & is_within(primary.distance, limit)
    for position, sample in enumerate(samples.numbers):
        found = bool(is_found[position])
        is_kept = shard_rows[position] is not None
        label, prediction = int(samples.labels[position]), int(result.prediction[position])
        margin_pred = primary.distance if label == prediction else result.margin_pred
        margin_pred = torch.where(is_within(margin_pred, limit), margin_pred, torch.inf)
        rows.append(
            {
                "evaluation_id": evaluation_id,
                "sample_id": sample,
                "index": int(samples.indices[position]),
                "label": label,
                "prediction": prediction,
                "correct": label == prediction,
                "found": found,
                "margin": finite_or_none(float(primary.distance[position])) if found else None,
                "kind": result.kind,
                "margin_pred": finite_or_none(float(margin_pred[position])),
                "attack": primary.attack[position] if found else "",
                "adversarial_prediction": int(primary.adversarial_prediction[position]) if is_kept else None,
                "logit_gap": float(result.logit_gap[position]),
                "max_probability": float(result.max_probability[position]),
                "loss": float(result.loss[position]),
                "survives_8bit": bool(primary.survives_8bit[position]) if is_kept else None,
                "shard": shard if is_kept else None,
                "shard_row": shard_rows[position],
            }
        )
    return rows
