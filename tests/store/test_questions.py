"""The store's questions: order, nesting, idempotence; the moves of an evaluation between its states."""

import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from backend.errors import NotFound
from backend.store import artefacts, database, datasets, evaluations, jobs, results, workers
from backend.store.tables import Attempt, Dataset, Evaluation, Worker, now


def chunk_of(evaluation: Evaluation, number: int, samples: int) -> dict:
    return {
        "evaluation_id": evaluation.id, "number": number, "samples": samples, "worker_id": "w", "device": "cpu",
        "seconds": 1.0, "forwards": 10, "backwards": 5, "flags": [],
    }  # fmt: skip


def result_of(evaluation: Evaluation, sample: int, index: int, margin: float | None) -> dict:
    return {
        "evaluation_id": evaluation.id, "sample_id": sample, "index": index, "label": 0, "prediction": 0,
        "correct": True, "found": margin is not None, "margin": margin, "kind": "minimum", "margin_pred": margin,
        "attack": "fmn", "adversarial_prediction": None, "logit_gap": 1.0, "max_probability": 0.9, "loss": 0.1,
        "survives_8bit": None, "shard": None, "shard_row": None,
    }  # fmt: skip


def test_spread_indices_smaller_n_is_nested_in_larger(dataset):
    with database.reading() as session:
        assert datasets.spread_indices(session, dataset.id, 1) == [1]
        assert datasets.spread_indices(session, dataset.id, 3) == [1, 2, 0]


def test_add_dataset_with_known_samples_shares_them(dataset):
    other = Dataset(
        slug="two", name="Two", split="test", size=2, classes=["a", "b"], shape=[2, 2, 1],
        default_norm="Linf", default_eps="8/255", source="made here", file="none.npz",
    )  # fmt: skip
    with database.writing() as session:
        datasets.add_dataset(session, other, ["d" * 64, "a" * 64], [1, 1])
    with database.reading() as session:
        mine = {content: number for _, number, content, _ in datasets.dataset_rows(session, dataset.id)}
        theirs = {content: number for _, number, content, _ in datasets.dataset_rows(session, other.id)}
    assert theirs["a" * 64] == mine["a" * 64]
    assert theirs["d" * 64] not in mine.values()


def test_store_chunk_twice_writes_once(evaluation):
    first = [result_of(evaluation, 2, 1, 0.5), result_of(evaluation, 3, 2, None)]
    again = [result_of(evaluation, 2, 1, 0.1), result_of(evaluation, 3, 2, 0.1)]
    with database.writing() as session:
        assert (
            evaluations.store_chunk(session, chunk_of(evaluation, 0, 2), {}, evaluations.as_columns(first)) == "stored"
        )
    with database.writing() as session:
        assert (
            evaluations.store_chunk(session, chunk_of(evaluation, 0, 2), {}, evaluations.as_columns(again)) == "known"
        )
    with database.reading() as session:
        assert results.result_columns(session, evaluation.id)["margin"] == [0.5, None]
        stored = session.get(Evaluation, evaluation.id)
        assert stored is not None
        assert stored.done == 2


def test_store_chunk_of_a_cancelled_evaluation_writes_nothing(evaluation):
    with database.writing() as session:
        assert jobs.move_state(session, Evaluation, evaluation.id, ["running"], state="cancelled")
    with database.writing() as session:
        rows = [result_of(evaluation, 2, 1, 0.5)]
        assert (
            evaluations.store_chunk(session, chunk_of(evaluation, 0, 2), {}, evaluations.as_columns(rows)) == "stopped"
        )
    with database.reading() as session:
        assert results.count_results(session, evaluation.id) == 0
        assert evaluations.finished_chunks(session, evaluation.id) == set()


def test_living_workers_leave_out_silent_and_killed_ones(home):
    database.migrate()
    silent = now() - timedelta(seconds=workers.LIVING_SECONDS + 1)
    here, gone = socket.gethostname(), 2**22 + 1  # beyond the largest process id of Linux
    with database.writing() as session:
        session.add(Worker(id="alive", host=here, pid=os.getpid(), device="cpu"))
        session.add(Worker(id="killed", host=here, pid=gone, device="cpu"))
        session.add(Worker(id="silent", host="elsewhere", pid=1, device="cpu", last_seen=silent))
        session.add(Worker(id="remote", host="elsewhere", pid=gone, device="cpu"))
    with database.reading() as session:
        assert {worker.id for worker in workers.living_workers(session)} == {"alive", "remote"}


def test_living_workers_own_host_is_judged_by_process_not_by_heartbeat(home):
    database.migrate()
    began = workers.process_start(os.getpid())
    assert began is not None
    hour = timedelta(hours=1)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        while Path(f"/proc/{ended.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)  # ended, and not yet collected by us
        here = {"host": socket.gethostname(), "device": "cpu"}
        with database.writing() as session:
            # Its heartbeats waited for a writer ever since the process began.
            session.add(Worker(id="silent", pid=os.getpid(), last_seen=began, **here))
            session.add(Worker(id="reused", pid=os.getpid(), last_seen=began - hour, **here))
            session.add(Worker(id="zombie", pid=ended.pid, **here))
        with database.reading() as session:
            assert [worker.id for worker in workers.living_workers(session)] == ["silent"]


def test_artefact_same_content_is_one_file(home):
    name = artefacts.put_bytes(b"weights", ".bin")
    assert artefacts.put_bytes(b"weights", ".bin") == name
    assert artefacts.artefact_path(name).read_bytes() == b"weights"
    assert len(list(artefacts.artefact_path(name).parent.iterdir())) == 1


@pytest.mark.parametrize("name", ["../settings.py", "nothing.npy", ".writing-x"], ids=["outside", "absent", "hidden"])
def test_artefact_path_unknown_name_is_not_found(home, name):
    with pytest.raises(NotFound):
        artefacts.artefact_path(name)


def test_count_attempts_of_one_attack_leaves_out_samples_that_were_wrong(evaluation):
    def attempt(sample: int, attack: str, found: bool) -> dict:
        return {
            "evaluation_id": evaluation.id, "sample_id": sample, "series": 0, "attack": attack, "found": found,
            "distance": 0.1 if found else None, "kind": "witness", "artefact": None,
        }  # fmt: skip

    rows = [result_of(evaluation, 1, 0, None), result_of(evaluation, 2, 1, 0.5), result_of(evaluation, 3, 2, 0.0)]
    rows[2] |= {"correct": False, "prediction": 1}
    made = [attempt(1, "square", False), attempt(2, "square", True), attempt(3, "square", True)]
    made.append(attempt(1, "apgd-ce", True))
    with database.writing() as session:
        assert (
            evaluations.store_chunk(
                session, chunk_of(evaluation, 0, 3), evaluations.as_columns(made), evaluations.as_columns(rows)
            )
            == "stored"
        )
    with database.reading() as session:
        assert results.count_attempts(session, evaluation.id, "square") == (1, 2)


def test_insert_new_without_a_column_that_has_a_default_sets_it(evaluation):
    attempt = {"evaluation_id": evaluation.id, "sample_id": 1, "attack": "fmn", "found": False, "kind": "minimum"}
    with database.writing() as session:
        evaluations.insert_new(session, Attempt, [attempt])
        evaluations.insert_new(session, Attempt, [attempt | {"found": True}])
    with database.reading() as session:
        (row,) = results.attempts_of(session, evaluation.id, 1)
    assert (row.series, row.found, row.distance, row.evaluation_id) == (0, False, None, evaluation.id)
