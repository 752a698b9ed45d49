"""What is additional to a comparison's primary run: bounds, replays and repeats, from rows as a worker writes them."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from backend.errors import Conflict, InvalidRequest, NotComparable, NotFound
from backend.jobs import queue as jobs_queue
from backend.schemas.evaluations import EvaluationIn, EvaluationOut
from backend.schemas.evidence import HarderIn
from backend.services import comparisons, evaluations, evidence, exports
from backend.services.comparisons import noise
from backend.store import datasets as dataset_store
from backend.store import evidence as store
from backend.store.database import reading, writing
from backend.store.jobs import move_state
from backend.store.tables import Evidence, now
from tests.services.fabrication import SIDE, Measured, add_checkpoint, add_dataset, evaluate, make_pixels, measure
from tests.services.fabrication import queue as queue_one

N = 120
EPS = 25.5 / 255


@pytest.fixture
def pair(ready: Path, tmp_path: Path) -> tuple[EvaluationOut, EvaluationOut, Measured, Measured]:
    """Two evaluations on the same samples; every sample with a margin has an adversarial."""
    dataset = add_dataset(tmp_path, "digits", N)
    _, labels = make_pixels(N)
    dense, pruned = measure(labels, 1), measure(labels, 2)
    for one in (dense, pruned):
        for row in np.flatnonzero(np.isfinite(one.margin) & (one.margin > 0)):
            one.adversarials[int(row)] = np.zeros((1, SIDE, SIDE), dtype=np.float32)
    parent = add_checkpoint(dataset.id, "parent")
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    return evaluate(parent, dataset, dense), evaluate(child, dataset, pruned), dense, pruned


def write_outcomes(
    evidence_id: UUID, outcomes: dict[int, float | None], source: str = "somebody", attack: str | None = None
) -> None:
    """One step of a worker, by row of the data set: a distance, or None where the network stood."""
    with reading() as session:
        row = session.get(Evidence, evidence_id)
        assert row is not None
        evaluation = evaluations.load_evaluation(session, row.evaluation_id)
        numbers = {index: number for index, number, _, _ in dataset_store.dataset_rows(session, evaluation.dataset_id)}
    attempts = [
        {
            "evaluation_id": row.evaluation_id, "sample_id": numbers[index], "series": row.series,
            "attack": attack or row.kind, "found": distance is not None, "distance": distance, "kind": "witness",
            "artefact": None, "shard_row": None,
        }
        for index, distance in outcomes.items()
    ]  # fmt: skip
    with writing() as session:
        assert move_state(session, Evidence, row.id, ["queued"], state="running", started_at=now())
    with writing() as session:
        counts = {"steps": row.n, "checked": len(outcomes), "refused": {}}
        assert store.store_step(session, row, attempts, [source] * len(attempts), **counts) == "stored"
        assert store.store_step(session, row, attempts, [source] * len(attempts), **counts) == "stopped"
    with writing() as session:
        assert move_state(session, Evidence, row.id, ["running"], state="succeeded", finished_at=now())


def harden(evaluation: EvaluationOut, bounds: dict[int, float], source: str = "margin, seed 1") -> None:
    made = evidence.queue_harder(evaluation.id, HarderIn(samples=list(bounds), budget=10))
    write_outcomes(made.id, dict(bounds), source)


def held(measured: Measured, labels: np.ndarray) -> np.ndarray:
    return np.flatnonzero((measured.predictions == labels) & (measured.margin > EPS) & np.isfinite(measured.margin))


def test_compare_evidence_on_one_side_warns_and_moves_neither_sets_nor_statistics(pair) -> None:
    dense, pruned, _, measured = pair
    before = comparisons.compare(dense.id, pruned.id)
    assert (before.additional_evidence, before.replay, before.noise) == ([], None, [])
    broken, still = (int(row) for row in held(measured, make_pixels(N)[1])[:2])
    harden(pruned, {broken: EPS / 2, still: (measured.margin[still] + EPS) / 2})

    after = comparisons.compare(dense.id, pruned.id)
    extra = after.additional_evidence[0]
    assert (extra.side, extra.lowered, extra.verdicts, extra.sources) == ("pruned", 2, 1, ["margin, further seeds"])
    warning = next(one for one in after.mismatches if one.field == "additional-evidence")
    assert warning.severity == "differs" and "Only the pruned side" in warning.sentence
    assert after.equal_effort == before.equal_effort is True
    changed = {"additional_evidence", "mismatches"}
    assert after.model_dump(exclude=changed) == before.model_dump(exclude=changed)

    harden(dense, {int(held(pair[2], make_pixels(N)[1])[0]): EPS / 3})
    both = comparisons.compare(dense.id, pruned.id)
    assert [one.side for one in both.additional_evidence] == ["dense", "pruned"]
    assert not [one for one in both.mismatches if one.field == "additional-evidence"], "said loudly of one side alone"


def test_paired_samples_carry_bounds_and_the_set_that_they_make(pair) -> None:
    dense, pruned, _, measured = pair
    rows = {row.index: row for row in comparisons.paired_samples(dense.id, pruned.id)}
    assert all(row.best_known_set == row.robust_set and not row.has_evidence for row in rows.values())
    index = int(held(measured, make_pixels(N)[1])[0])
    harden(pruned, {index: EPS / 2})
    marked = {row.index: row for row in comparisons.paired_samples(dense.id, pruned.id)}
    assert [row.index for row in marked.values() if row.has_evidence] == [index]
    row = marked[index]
    assert (row.pruned_best_known, row.pruned_margin) == (EPS / 2, rows[index].pruned_margin)
    assert row.robust_set == rows[index].robust_set
    assert row.best_known_set == {"S11": "S10", "S01": "S00"}[row.robust_set]
    assert b",true," in exports.samples_csv(list(marked.values()))


def test_lower_bounds_only_ever_fall_and_are_credited_to_who_set_them(pair) -> None:
    pruned, measured = pair[1], pair[3]
    index = int(held(measured, make_pixels(N)[1])[0])
    margin = float(measured.margin[index])
    harden(pruned, {index: margin * 0.8}, "first")
    harden(pruned, {index: margin * 0.9}, "weaker")
    row = next(row for row in evaluations.margins(pruned.id).items if row.index == index)
    assert (row.best_known, row.best_known_source, row.margin) == (pytest.approx(margin * 0.8), "first", margin)
    assert row.best_known_robust == (margin * 0.8 > EPS) and row.robust
    assert [one.improved for one in evidence.list_evidence(evaluation_ids=[pruned.id]).items] == [0, 1]
    harden(pruned, {index: EPS / 2}, "strongest")
    assert evaluations.get_evaluation(pruned.id).summary == pruned.summary


def test_compare_replays_explain_robust_flips_at_any_eps(pair) -> None:
    dense, pruned, one, other = pair
    _, labels = make_pixels(N)
    dense_on_pruned, pruned_on_dense = evidence.replay_pair(dense.id, pruned.id)
    right = {name: made.predictions == labels for name, made in (("dense", one), ("pruned", other))}
    with_adversarial = {name: sorted(made.adversarials) for name, made in (("dense", one), ("pruned", other))}
    assert (dense_on_pruned.n, pruned_on_dense.n) == (len(with_adversarial["dense"]), len(with_adversarial["pruned"]))
    broke = {index: index % 3 == 0 for index in with_adversarial["dense"] if right["pruned"][index]}
    write_outcomes(dense_on_pruned.id, {index: 0.9 if wins else None for index, wins in broke.items()})
    assert comparisons.compare(dense.id, pruned.id).replay is None, "one direction explains nothing"
    broke_back = {index: index % 4 == 0 for index in with_adversarial["pruned"] if right["dense"][index]}
    write_outcomes(pruned_on_dense.id, {index: 0.9 if wins else None for index, wins in broke_back.items()})

    for eps in (EPS, EPS / 2):
        found = comparisons.compare(dense.id, pruned.id, eps).replay
        assert found is not None and found.dense_on_pruned.broken is not None
        assert (found.dense_on_pruned.broken.count, found.dense_on_pruned.broken.n) == (sum(broke.values()), len(broke))
        lost = [
            index for index in broke if right["dense"][index] and one.margin[index] > eps and other.margin[index] <= eps
        ]
        assert (found.lost, found.moved) == (len(lost), sum(broke[index] for index in lost))
        assert found.new_holes == found.lost - found.moved
        gained = [
            index for index in broke if right["dense"][index] and one.margin[index] <= eps and other.margin[index] > eps
        ]
        assert (found.gained_checked, found.gained_refuted) == (len(gained), sum(broke[index] for index in gained))


def test_evidence_of_what_cannot_be_is_refused(pair, tmp_path: Path) -> None:
    dense, _, measured, _ = pair
    with pytest.raises(InvalidRequest, match="cannot be replayed on itself"):
        evidence.queue_replay(dense.id, dense.id)
    bare = add_dataset(tmp_path, "others", 20, seed=9)
    stranger = evaluate(add_checkpoint(bare.id, "stranger"), bare, measure(make_pixels(20, 9)[1], 3))
    with pytest.raises(NotComparable):
        evidence.queue_replay(dense.id, stranger.id)
    wrong = int(np.flatnonzero(measured.margin == 0)[0])
    with pytest.raises(InvalidRequest, match=str(wrong)):
        evidence.queue_harder(dense.id, HarderIn(samples=[wrong], budget=10))
    broken = int(np.flatnonzero((measured.margin > 0) & (measured.margin <= EPS))[0])
    with pytest.raises(InvalidRequest, match=f"already broken within it: {broken}"):
        evidence.queue_harder(dense.id, HarderIn(samples=[broken], budget=10, preset="fast"))
    with pytest.raises(NotFound):
        evidence.get_evidence("00000000-0000-7000-8000-000000000000")


# --- repeats ---------------------------------------------------------------------------------------------------------
def test_queue_evaluation_with_repeat_tries_every_seed_where_the_queue_refuses_one(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = add_dataset(tmp_path, "digits", N)
    checkpoint = add_checkpoint(dataset.id, "dense")
    taken: list[str] = []
    enqueue = jobs_queue.enqueue

    def refuse_the_second(workflow: str, priority: int, *arguments: Any) -> None:
        taken.append(str(arguments[0]))
        if len(taken) == 2:
            raise RuntimeError("no space left")
        enqueue(workflow, priority, *arguments)

    monkeypatch.setattr(jobs_queue, "enqueue", refuse_the_second)
    request = EvaluationIn(checkpoint_id=checkpoint.id, dataset_id=dataset.slug, samples=20, repeat=3)
    with pytest.raises(RuntimeError, match="no space left"):
        evaluations.queue_evaluation(request)
    states = {str(row.id): row.state for row in evaluations.list_evaluations().items}
    assert [states[job_id] for job_id in taken] == ["queued", "failed", "queued"]


def test_queue_evaluation_with_repeat_queues_one_for_each_seed(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    request = EvaluationIn(checkpoint_id=checkpoint.id, dataset_id=dataset.slug, samples=20, seed=5, repeat=3)
    first = evaluations.queue_evaluation(request)
    group = evaluations.list_evaluations(repeat_of=first.id).items
    assert sorted(one.seed for one in group) == [one.record.seed for one in group][::-1] == [5, 6, 7]
    assert {one.repeat_of for one in group} == {first.id} and first.seed == 5
    assert queue_one(checkpoint, dataset, 20).repeat_of is None
    with pytest.raises(InvalidRequest, match="seeds"):
        evaluations.queue_evaluation(request.model_copy(update={"seed": 2**31 - 2}))


def test_report_noise_and_compare_tell_verdicts_that_hang_on_the_seed(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", N)
    _, labels = make_pixels(N)
    one, other = measure(labels, 1), measure(labels, 2)
    again = Measured(one.predictions, one.margin * np.where(np.arange(N) % 2, 1.0, 0.9), one.logit_gap)
    parent = add_checkpoint(dataset.id, "parent")
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    dense, pruned = evaluate(parent, dataset, one), evaluate(child, dataset, other)
    with pytest.raises(NotFound, match="repeat"):
        noise.report_noise(dense.id)
    evaluate(parent, dataset, again, seed=1, record={"steps": 31})  # more effort is no repeat
    assert comparisons.compare(dense.id, pruned.id).noise == []
    repeated = evaluate(parent, dataset, again, seed=2)

    report = noise.report_noise(dense.id)
    assert (report.seeds, report.n, report.eps) == ([0, 2], N, pytest.approx(EPS))
    assert report.evaluation_ids == [dense.id, repeated.id]
    changes = [
        index for index in range(N)
        if labels[index] == one.predictions[index] and again.margin[index] <= EPS < one.margin[index]
    ]  # fmt: skip
    assert [row.index for row in report.samples if row.changed] == changes and report.changed == len(changes)
    ratios = {row.index: row.ratio for row in report.samples if row.low}
    assert all(ratio == pytest.approx(1.0 if index % 2 else 1 / 0.9) for index, ratio in ratios.items())
    assert report.floor == pytest.approx(0.1)

    found = comparisons.compare(dense.id, pruned.id).noise
    assert [side.side for side in found] == ["dense"]
    assert (found[0].robust.n10, found[0].robust.n01, found[0].changed) == (len(changes), 0, len(changes))
    margins = one.margin[(one.predictions == labels) & (one.margin > EPS)]
    assert (found[0].within, found[0].held) == (int((1 - EPS / margins < report.floor).sum()), len(margins))
    with pytest.raises(Conflict):
        noise.report_noise(queue_one(parent, dataset, 20).id)
