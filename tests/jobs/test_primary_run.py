"""A fallback attack lowers the best-known bound of a sample, and the primary run stays what stage 0 found."""

from uuid import uuid4

import numpy as np
import pytest
import torch

from backend.attacks.contract import AttackAttempt, AttackResult, PrimaryResult
from backend.jobs.rows import Shard, attempt_rows, result_rows
from backend.jobs.subjects import SampleBatch
from backend.store.evaluations import as_columns
from backend.store.results import bounds_of

INF = float("inf")
RIGHT, NEARER, ALONE, WRONG, NEVER = range(5)


def make_attempt(name: str, distances: list[float], stage: int) -> AttackAttempt:
    distance = torch.tensor(distances)
    tried = torch.ones(len(distances), dtype=torch.bool)
    tried[WRONG] = False
    return AttackAttempt(name, distance.isfinite() & tried, distance, "minimum", tried, stage)


@pytest.fixture
def result() -> AttackResult:
    """The fallback attack is farther on RIGHT, nearer on NEARER, the only one that finds anything on ALONE."""
    best = torch.tensor([0.1, 0.15, 0.3, 0.0, INF])
    labels = torch.zeros(5, dtype=torch.long)
    prediction = labels.clone()
    prediction[WRONG] = 1
    ones = torch.ones(5)
    primary = torch.tensor([0.1, 0.2, INF, 0.0, INF])
    return AttackResult(
        adversarial=torch.zeros(5, 1, 2, 2),
        found=best.isfinite(),
        distance=best,
        flags=(),
        kind="minimum",
        attack=["fmn", "fmn", "square", "clean", ""],
        prediction=prediction,
        adversarial_prediction=labels + 1,
        logit_gap=ones,
        max_probability=ones,
        loss=ones,
        margin_pred=torch.where(best > 0, best, 0.2),
        margin_pred_found=best.isfinite(),
        survives_8bit=best.isfinite(),
        attempts=(
            make_attempt("fmn", [0.1, 0.25, INF, INF, INF], 0),
            make_attempt("segment", [0.2, 0.2, INF, INF, INF], 0),
            make_attempt("fmn", [0.4, 0.15, INF, INF, INF], 1),
            make_attempt("square", [INF, INF, 0.3, INF, INF], 1),
        ),
        primary=PrimaryResult(
            adversarial=torch.ones(5, 1, 2, 2),
            found=primary.isfinite(),
            distance=primary,
            attack=["fmn", "segment", "", "clean", ""],
            adversarial_prediction=labels + 1,
            survives_8bit=primary.isfinite(),
        ),
        forwards=1,
        backwards=1,
        steps=1,
    )


def test_rows_of_a_run_with_fallback_attacks_keep_the_primary_run_and_lower_the_bound(result: AttackResult) -> None:
    shards: dict[int, Shard] = {0: ("primary", [0, 1, None, None, None]), 1: ("fallbacks", [None, 0, 1, None, None])}
    numbers, labels = [10, 11, 12, 13, 14], torch.zeros(5, dtype=torch.long)
    attempts = attempt_rows(uuid4(), numbers, result, shards)
    samples = SampleBatch(np.arange(5), numbers, torch.zeros(5, 1, 2, 2), labels)
    rows = result_rows(uuid4(), samples, result, shards[0])
    bounds = bounds_of(as_columns(rows), as_columns(attempts))
    rows = [row | {name: bounds[name][place] for name in bounds} for place, row in enumerate(rows)]

    near = pytest.approx
    assert [row["margin"] for row in rows] == [near(0.1), near(0.2), None, 0.0, None]
    assert [row["attack"] for row in rows] == ["fmn", "segment", "", "clean", ""]
    assert [row["found"] for row in rows] == [True, True, False, True, False]
    assert [row["margin_pred"] for row in rows] == [near(0.1), near(0.2), None, near(0.2), None]
    assert [row["shard_row"] for row in rows] == [0, 1, None, None, None]
    assert [row["best_known"] for row in rows] == [near(0.1), near(0.15), near(0.3), 0.0, None]
    set_by = [(row["best_known_series"], row["best_known_source"], row["best_known_found"]) for row in rows]
    assert set_by == [(0, "fmn", True), (1, "fmn", True), (1, "square", True), (0, "clean", True), (0, "", False)]
    kept = {(row["sample_id"], row["attack"], row["artefact"]): row["shard_row"] for row in attempts if row["artefact"]}
    assert kept == {
        (10, "fmn", "primary"): None,  # the result's own row says where
        (11, "segment", "primary"): None,
        (11, "fmn", "fallbacks"): 0,
        (12, "square", "fallbacks"): 1,
    }
