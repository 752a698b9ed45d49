"""Shipped results: shown at once, verified afterwards, and left out where engine, weights or images are others."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.attacks.catalogue import ENGINE
from backend.bundles.archive import read_manifest, read_rows
from backend.errors import NotFound, StartupFailed
from backend.jobs import queue, restoring
from backend.jobs.importing import verify_stored
from backend.schemas.evaluations import EvaluationOut
from backend.services import bundles, evaluations, samples
from backend.services.bundles import shipped
from backend.services.bundles.packing import choose_shipped, find_flips
from backend.services.bundles.shipped import load_results
from backend.services.comparisons import compare
from backend.store import checkpoints, database
from backend.store.tables import Checkpoint, Evaluation
from tests.jobs.conftest import queue_margin
from tests.jobs.test_importing import LIMIT, make_other_margins, read_all, rewrite, work

N = 20


def list_zoo() -> list[Checkpoint]:
    with database.reading() as session:
        return [row for row in checkpoints.all_checkpoints(session) if row.origin == "zoo"]


@pytest.fixture(scope="module")
def measured(crew: Any) -> EvaluationOut:
    work(queue_margin("cnn-dense", n=N).id)
    return work(queue_margin("cnn-lwm-95", n=N).id)


@pytest.fixture(scope="module")
def bundle(measured: EvaluationOut, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shipped") / "one.thinice"
    bundles.export_bundle([measured.id], path)
    return path


def ship(bundle: Path, target: Path, **changes: Any) -> tuple[Path, Any]:
    """The bundle under a new id, as a file to load, and the id."""
    new_id = uuid4()
    return rewrite(bundle, target, id=new_id, **changes), new_id


def test_load_results_shows_them_at_once_and_verifies_them_later(
    measured: EvaluationOut, bundle: Path, tmp_path: Path
) -> None:
    path, new_id = ship(bundle, tmp_path / "a.thinice")
    assert load_results(path) == 1
    assert load_results(path) == 0, "it was loaded twice"
    shown = evaluations.get_evaluation(new_id)
    assert (shown.state, shown.purpose, shown.summary, shown.flags) == (
        "succeeded",
        "demo",
        measured.summary,
        measured.flags,
    )
    assert shown.finished_at == measured.finished_at and shown.progress.done == N
    assert read_all(new_id) == read_all(measured.id)
    assert shown.record.imported is not None and shown.record.imported.is_shipped
    assert (shown.record.imported.predictions, shown.record.imported.verified) == (0, 0)
    verify_stored(new_id, "cpu")
    verify_stored(new_id, "cpu")
    imported = evaluations.get_evaluation(new_id).record.imported
    assert imported is not None and (imported.predictions, imported.verified) == (N, imported.adversarials)
    assert "hold on this machine" in evaluations.log_tail(new_id)[-1]["text"]


def test_restoring_finds_the_same_adversarial_and_keeps_it(
    measured: EvaluationOut, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lean = tmp_path / "lean.thinice"
    bundles.export_bundle([measured.id], lean, kept={})
    path, new_id = ship(lean, tmp_path / "h.thinice")
    assert load_results(path) == 1
    rows = evaluations.margins(new_id).items
    found = next(row for row in rows if row.correct and row.found)
    wrong = next(row for row in rows if not row.correct)
    with pytest.raises(NotFound):
        samples.adversarial_npy(new_id, found.index)
    assert not samples.restore_adversarial(new_id, found.index)
    restoring.run(new_id, found.index, "cpu")
    restoring.run(new_id, found.index, "cpu")
    restored = samples.adversarial_npy(new_id, found.index)
    assert restored == samples.adversarial_npy(measured.id, found.index)
    imported = evaluations.get_evaluation(new_id).record.imported
    assert imported is not None and imported.verified == 1
    assert samples.restore_adversarial(new_id, found.index)
    with pytest.raises(NotFound, match="already classified wrong"):
        samples.restore_adversarial(new_id, wrong.index)


def test_restoring_what_the_attack_does_not_find_again_says_so_on_the_log(
    measured: EvaluationOut, tmp_path: Path
) -> None:
    lean = tmp_path / "lean.thinice"
    bundles.export_bundle([measured.id], lean, kept={})
    new_id = uuid4()
    forged = make_other_margins(read_rows(lean, read_manifest(lean).evaluations[0], LIMIT))
    assert load_results(rewrite(lean, tmp_path / "i.thinice", forged, id=new_id)) == 1
    found = next(row for row in evaluations.margins(new_id).items if row.correct and row.found)
    restoring.run(new_id, found.index, "cpu")
    assert f"row {found.index} could not be computed again" in evaluations.log_tail(new_id)[-1]["text"]
    with pytest.raises(NotFound):
        samples.adversarial_npy(new_id, found.index)


def test_verify_stored_fails_what_the_network_contradicts(
    measured: EvaluationOut, bundle: Path, tmp_path: Path
) -> None:
    forged = make_other_margins(read_rows(bundle, read_manifest(bundle).evaluations[0], LIMIT))
    new_id = uuid4()
    assert load_results(rewrite(bundle, tmp_path / "b.thinice", forged, id=new_id)) == 1
    verify_stored(new_id, "cpu")
    failed = evaluations.get_evaluation(new_id)
    assert failed.state == "failed" and failed.error is not None
    assert "do not fool this network" in failed.error.message


def test_load_results_leaves_out_another_engine_other_weights_and_other_images(
    measured: EvaluationOut, bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = read_manifest(bundle).evaluations[0].model_dump(mode="json")
    path, _ = ship(bundle, tmp_path / "c.thinice", checkpoint=entry["checkpoint"] | {"weights_sha256": "0" * 64})
    assert load_results(path) == 0 and "these weights are not shipped" in caplog.text
    path, _ = ship(bundle, tmp_path / "d.thinice", dataset=entry["dataset"] | {"samples_sha256": "0" * 64})
    assert load_results(path) == 0 and "its images differ" in caplog.text
    other = rewrite(bundle, tmp_path / "e.thinice", engine=ENGINE + 1)
    assert load_results(other) == 0 and f"of attack engine {ENGINE + 1}" in caplog.text


def test_load_results_stops_between_evaluations_and_goes_on_at_the_next_start(bundle: Path, tmp_path: Path) -> None:
    path, new_id = ship(bundle, tmp_path / "g.thinice")
    assert load_results(path, lambda: True) == 0
    assert load_results(path) == 1
    assert evaluations.get_evaluation(new_id).state == "succeeded"


def test_load_results_whose_verification_was_not_queued_is_made_good_at_the_next_start(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, new_id = ship(bundle, tmp_path / "j.thinice")
    with monkeypatch.context() as patch:
        patch.setattr(shipped.queue, "enqueue", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            load_results(path)
    job = queue.name_job(queue.VERIFY, new_id)
    assert queue.client().list_workflows(workflow_ids=[job]) == []
    assert load_results(path) == 0
    assert len(queue.client().list_workflows(workflow_ids=[job])) == 1


def test_compare_says_how_much_of_imported_rows_was_verified(
    measured: EvaluationOut, bundle: Path, tmp_path: Path
) -> None:
    path, new_id = ship(bundle, tmp_path / "k.thinice")
    assert load_results(path) == 1
    verify_stored(new_id, "cpu")
    notes = " ".join(compare(measured.id, new_id).notes)
    assert f"The pruned evaluation was measured when Thin Ice was built. Verified here: {N} of {N} predictions" in notes
    assert "The dense evaluation was measured" not in notes


def test_find_results_of_a_damaged_file_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "find_zoo", lambda: tmp_path)
    assert shipped.find_results() is None
    (tmp_path / shipped.FILE).write_bytes(b"PK")
    with pytest.raises(StartupFailed, match="shipped results are damaged"):
        shipped.find_results()


def test_shipped_results_are_what_this_engine_finds(crew: Any) -> None:
    """Fails where somebody changed what a preset finds and left `ENGINE` as it was."""
    path = shipped.find_results()
    assert path is not None, "the shipped results are of another engine: measure them again"
    entries = read_manifest(path).evaluations[:2]
    asked = iter([False, False, True])
    assert load_results(path, lambda: next(asked)) == 2
    for entry in entries:
        verify_stored(entry.id, "cpu")
        with database.reading() as session:
            row = session.get_one(Evaluation, entry.id)
        assert row.state == "succeeded", row.error
        rows = [one for one in evaluations.margins(entry.id).items if one.correct and one.found]
        for one in rows[:: len(rows) // 3][:3]:
            assert one.margin is not None
            restoring.attack_again(row, one.index, one.margin, "cpu")
        evaluations.delete_evaluation(entry.id)


def test_packing_takes_the_largest_of_each_and_the_flips_of_pairs(measured: EvaluationOut) -> None:
    small = work(queue_margin("cnn-dense", n=N // 2).id)
    rows = list_zoo()
    chosen = choose_shipped(rows)
    names = {row.id: row.name for row in rows}
    found = {(names[one.checkpoint_id], one.preset): one for one in chosen}
    assert found["cnn-dense", "margin"].id != small.id and found["cnn-dense", "margin"].n == N
    flips = find_flips(rows, chosen)
    dense, pruned = found["cnn-dense", "margin"].id, found["cnn-lwm-95", "margin"].id
    assert flips[dense] == flips[pruned] != set()
    assert flips[dense] < set(range(N))
    with database.reading() as session:
        assert session.get_one(Evaluation, dense).selection == "first"
