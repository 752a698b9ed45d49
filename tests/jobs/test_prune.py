"""Prunings by a real worker: from a dense checkpoint to one in the registry, killed or cancelled in between or not."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from sqlalchemy.orm import Session

from backend.datasets.samples import hash_samples
from backend.errors import Conflict, NotFound
from backend.jobs import queue
from backend.jobs.prune import start, train_in_team
from backend.jobs.pruning_results import training_folder
from backend.jobs.subjects import load_checkpoint, take_images
from backend.schemas.checkpoints import CheckpointIn
from backend.schemas.evaluations import EvaluationIn
from backend.schemas.prunings import PruningIn, PruningOut
from backend.services import checkpoints, datasets, evaluations, prunings
from backend.settings import get_settings
from backend.store import database
from backend.store import datasets as store
from backend.store.artefacts import artefact_path
from backend.store.database import reading
from backend.store.tables import Checkpoint, Dataset
from models.pruning.fitting import Changes, make_plan
from models.pruning.methods import build_search
from models.pruning.thin_ice import build_thin_ice_loss
from models.training.parts import TrainingPart, prune
from models.zoo.build import check_robust
from tests.jobs.conftest import Crew, wait_for
from tests.jobs.training_sets import TRAINING_IMAGES, stock, write_images

TINY: dict[str, Any] = {"pgd_steps": 1, "epochs": 2, "validation_samples": 30}
PRUNABLE = 101_664


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A home of its own, small enough that a whole run costs seconds, and its workers."""
    folder = tmp_path_factory.mktemp("prune")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_HOME", str(folder / "home"))
        get_settings.cache_clear()
        stock(folder)
        made = Crew()
        yield made
        made.kill()
        queue.close()
        database.dispose_engines()
    get_settings.cache_clear()


def find_id(name: str) -> UUID:
    return next(row.id for row in checkpoints.list_checkpoints(limit=200).items if row.name == name)


def find_row(session: Session) -> Dataset:
    """The training images' row."""
    row = store.find_dataset(session, "training")
    assert row is not None
    return row


def ask(parent: str = "dense", **fields: Any) -> PruningOut:
    wish = {"method": "lwm", "sparsity": 0.9, "training_dataset_id": "training", **TINY, **fields}
    return prunings.queue_pruning(PruningIn(parent_id=find_id(parent), **wish))


def wait_for_end(row: PruningOut) -> PruningOut:
    wait_for(lambda: prunings.get_pruning(row.id).state not in ("queued", "running"), f"the end of {row.name}")
    done = prunings.get_pruning(row.id)
    assert done.state == "succeeded", done.error
    return done


def weights_of(row: PruningOut) -> dict[str, np.ndarray]:
    with reading() as session:
        made = session.get(Checkpoint, row.checkpoint_id)
        assert made is not None
        return load_file(artefact_path(made.file))


def prune_directly(row: PruningOut, margins: torch.Tensor | None = None, **changes: Any) -> dict[str, np.ndarray]:
    """What the training code makes of the same recipe, seed and data, without any job."""
    torch.set_num_threads(1)
    with reading() as session:
        parent = session.get(Checkpoint, row.parent_id)
        dataset, training = session.get(Dataset, row.dataset_id), session.get(Dataset, row.training_dataset_id)
    assert parent is not None and dataset is not None and training is not None
    plan = make_plan(
        row.method,
        row.sparsity,
        "weight",
        "short",
        images=training.size,
        changes=Changes(**{**TINY, **changes, "eps_text": "25.5/255"}),
        settings={} if margins is None else {"measured_margins": 1.0},
    )
    network, dense = (load_checkpoint(parent, dataset, "cpu") for _ in range(2))
    images, labels = take_images(datasets.load_samples(training), np.arange(training.size))
    loss = None
    if plan.care:
        loss = build_thin_ice_loss(dense, images, labels, plan.finetuning.eps, plan.care, margins=margins)
    prune(
        network.requires_grad_(True),
        images,
        labels,
        search=build_search(plan, (1, 28, 28)),
        searching=TrainingPart(plan.searching, loss) if plan.searching else None,
        finetuning=TrainingPart(plan.finetuning, loss),
        seed=row.seed,
    )
    inner = network.network if row.parent_name == "listed" else network
    return {name: tensor.numpy() for name, tensor in inner.state_dict().items()}


def check_weights(row: PruningOut, margins: torch.Tensor | None = None, **changes: Any) -> None:
    """Bit for bit those of the training code."""
    kept, expected = weights_of(row), prune_directly(row, margins, **changes)
    assert set(kept) == set(expected)
    assert all(np.array_equal(kept[name], expected[name]) for name in expected)


def measure_claim(row: PruningOut) -> float:
    """PGD-10 robust accuracy of what was made, on all judging images."""
    with reading() as session:
        made, dataset = session.get(Checkpoint, row.checkpoint_id), session.get(Dataset, row.dataset_id)
    assert made is not None and dataset is not None
    samples = datasets.load_samples(dataset)
    images, labels = take_images(samples, np.argsort(np.asarray(samples.ids), kind="stable"))
    network = load_checkpoint(made, dataset, "cpu")
    return float(check_robust(network, images, labels, eps=25.5 / 255, steps=10, seed=0).double().mean())


def test_pruning_ends_as_a_checkpoint_with_parent_recipe_claim_and_the_weights_of_the_training_code(
    worker: Crew,
) -> None:
    done = wait_for_end(ask(method="hydra", sparsity=0.95, seed=3, evaluate="fast", name="made-here"))
    assert (done.progress.done, done.progress.total, done.progress.stage) == (4, 4, "done")
    made = checkpoints.get_checkpoint(done.checkpoint_id)
    assert (made.name, made.role, made.method, made.origin) == ("made-here", "pruned", "hydra", "pruned")
    assert (made.parent_id, made.pruning_id) == (find_id("dense"), done.id)
    assert made.structure == {"kind": "weight", "rate": 0.95}
    assert made.declared_sparsity == 0.95
    assert made.measured_sparsity == pytest.approx(0.95, abs=4 / PRUNABLE)
    assert made.inspection is not None and made.inspection.descent is not None
    assert made.inspection.parent_id == made.parent_id and made.inspection.descent.answer == "yes"
    assert made.preflight.state != "error" and not made.warnings

    check_weights(done)
    claim, record = made.claim, done.record
    assert claim is not None and (claim.attack, claim.n, claim.eps_text) == ("PGD-10", 60, "25.5/255")
    assert claim.source == "pruned here: PGD-10 on 60 images of judging"
    assert record.claimed_robust_accuracy == claim.robust_accuracy == measure_claim(done)
    assert record.passes.total == done.passes and record.recipe["search"]["training"] == "TRADES"
    assert record.training_samples == TRAINING_IMAGES and record.shared_samples == 0
    assert {"torch", "devices", "best_epoch", "validation_robust_accuracy", "train_seconds"} <= set(record.to_json())
    with reading() as session:
        trained_on = datasets.load_samples(find_row(session))
        assert record.training_sha256 == hash_samples(trained_on.ids, trained_on.labels)

    wait_for(lambda: evaluations.list_evaluations(checkpoint_id=made.id).total, "the evaluation that was asked for")
    assert not training_folder(done.id).exists()
    evaluations.cancel_evaluation(evaluations.list_evaluations(checkpoint_id=made.id).items[0].id)


def test_pruning_shared_by_two_processes_ends_as_one_and_a_cancel_ends_both(crew: Crew, monkeypatch) -> None:
    """On a CPU, where it gains nothing; on CUDA each process has a GPU."""
    monkeypatch.setenv("THINICE_TRAINING_PROCESSES", "2")
    crew.kill()
    crew.start()
    try:
        done = wait_for_end(ask(method="harp", sparsity=0.9, name="by-two"))
        assert done.record.processes == 2 and done.progress.stage == "done"
        made = checkpoints.get_checkpoint(done.checkpoint_id)
        assert made.measured_sparsity == pytest.approx(0.9, abs=4 / PRUNABLE)
        assert made.inspection is not None and made.inspection.descent is not None
        assert made.inspection.descent.answer == "yes"
        assert measure_claim(done) == made.claim.robust_accuracy
        long = ask(method="lwm", epochs=1000, name="cancelled-by-two")
        wait_for(lambda: prunings.get_pruning(long.id).progress.done >= 2, "a step")
        assert len(find_children(crew)) >= 2
        prunings.cancel_pruning(long.id)
        wait_for(lambda: not find_children(crew), "the end of both")
        assert prunings.get_pruning(long.id).state == "cancelled"
    finally:
        crew.kill()


def test_team_that_cannot_train_says_why_and_not_that_a_connection_broke(crew: Crew) -> None:
    crew.kill()
    row = ask(name="no-parent-file")
    work = start(row.id, 0, "a test", "cpu")
    network = load_checkpoint(work.parent, work.dataset, "cpu")
    file = artefact_path(work.parent.file)
    away = file.rename(file.with_suffix(".away"))
    try:
        with pytest.raises(RuntimeError) as refused:
            train_in_team(work, network, "0" * 64, 2)
    finally:
        away.rename(file)
        prunings.cancel_pruning(row.id)
    assert file.name in str(refused.value) and "onnection" not in str(refused.value)


@pytest.mark.slow
def test_worker_whose_team_died_before_it_leaves_the_pruning_to_the_next(crew: Crew, monkeypatch) -> None:
    """As when a machine goes down, or a group of processes is ended: the children may be the first to go."""
    monkeypatch.setenv("THINICE_TRAINING_PROCESSES", "2")
    crew.kill()
    crew.start()
    try:
        row = ask(method="lwm", epochs=6, name="team-killed")
        wait_for(lambda: prunings.get_pruning(row.id).progress.done >= 2, "a step")
        for child in find_children(crew):
            os.kill(int(child), signal.SIGKILL)
        time.sleep(3)
        crew.kill()
        assert prunings.get_pruning(row.id).state == "running"
        crew.start()
        assert wait_for_end(row).record.processes == 2
    finally:
        crew.kill()


def find_children(crew: Crew) -> list[str]:
    """The processes that train for the worker."""
    (parent,) = (process.pid for process in crew.processes)
    listed = Path(f"/proc/{parent}/task").glob("*/children")
    children = [child for path in listed for child in path.read_text().split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_killed_worker_training_goes_on_and_ends_with_the_bits_of_an_undisturbed_one(worker: Crew) -> None:
    row = ask(method="thin-ice", sparsity=0.5, epochs=10)
    wait_for(lambda: prunings.get_pruning(row.id).progress.done >= 3, "an epoch")
    worker.kill()
    stopped = prunings.get_pruning(row.id)
    assert stopped.state == "running" and 3 <= stopped.progress.done < stopped.progress.total
    assert list(training_folder(row.id).glob("*.state"))
    worker.start()
    done = wait_for_end(row)
    assert (done.name, done.sparsity, done.record.recipe["search"]["epochs"]) == ("dense-thin-ice-50", 0.5, 2)
    check_weights(done, epochs=10)


def test_thin_ice_with_measured_margins_trains_on_those_of_the_evaluation(worker: Crew, tmp_path: Path) -> None:
    path, names = write_images(tmp_path / "few.npz", 600, 60), [str(number) for number in range(10)]
    few = datasets.add_dataset(path, name="few", default_eps="25.5/255", classes=names)
    measured = evaluations.queue_evaluation(
        EvaluationIn(checkpoint_id=find_id("dense"), dataset_id=few.slug, samples=60)
    )
    wait_for(lambda: evaluations.get_evaluation(measured.id).state == "succeeded", "the margins")
    rows = evaluations.margins_table(measured.id).sort_by("index").to_pylist()
    margins = torch.tensor([row["margin"] for row in rows], dtype=torch.float32)
    assert [row["margin"] == 0.0 for row in rows] == [not row["correct"] for row in rows]
    wish = {"training_dataset_id": few.slug, "settings": {"measured_margins": 1}}
    done = wait_for_end(ask(method="thin-ice", sparsity=0.5, name="measured", **wish))
    assert done.record.dense_margins.evaluation_id == measured.id
    assert done.record.dense_margins.backwards > 60 * 90
    check_weights(done, margins)


def test_cancel_keeps_the_training_and_resume_ends_it_as_if_nothing_had_been(worker: Crew) -> None:
    row = ask(method="control", sparsity=None, epochs=10)
    wait_for(lambda: prunings.get_pruning(row.id).progress.done >= 3, "an epoch")
    assert prunings.cancel_pruning(row.id).state == "cancelled"
    with pytest.raises(Conflict, match="there is nothing to cancel"):
        prunings.cancel_pruning(row.id)
    assert list(training_folder(row.id).glob("*.state"))
    assert prunings.resume_pruning(row.id).state == "queued"
    done = wait_for_end(row)
    check_weights(done, epochs=10)
    control = checkpoints.get_checkpoint(done.checkpoint_id)
    assert (control.name, control.role, control.method) == ("dense-control", "dense", "control")
    assert (control.measured_sparsity, control.declared_sparsity, control.structure) == (0.0, 0.0, None)
    assert control.parent_id == find_id("dense")
    with pytest.raises(Conflict, match="Delete the checkpoint first"):
        prunings.delete_pruning(row.id)


def test_listed_layers_behind_a_normalisation_are_pruned_too_though_the_queue_forgot_them(
    worker: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    layers = ["Flatten", {"type": "Linear", "in_features": 784, "out_features": 10}]
    save_file(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)).state_dict(), tmp_path / "l.safetensors"
    )
    form = CheckpointIn(
        name="listed",
        role="dense",
        dataset_id="judging",
        architecture=json.dumps(layers),
        normalization="fashion-mnist",
    )
    checkpoints.add_checkpoint(tmp_path / "l.safetensors", form, filename="l.safetensors")
    with monkeypatch.context() as crash:
        crash.setattr(queue, "enqueue", lambda *_: None)
        forgotten = ask(parent="listed", sparsity=0.75)
    done = wait_for_end(forgotten)
    check_weights(done)
    made, parent = (checkpoints.get_checkpoint(one) for one in (done.checkpoint_id, done.parent_id))
    assert (made.layer_list, made.normalization) == (parent.layer_list, "fashion-mnist")
    assert made.measured_sparsity == 0.75
    assert measure_claim(done) == made.claim.robust_accuracy


def test_failing_pruning_says_why_and_can_be_forgotten(worker: Crew) -> None:
    with reading() as session:
        file = artefact_path(find_row(session).file)
    away = file.rename(file.with_suffix(".away"))
    try:
        row = ask(name="failing")
        wait_for(lambda: prunings.get_pruning(row.id).state == "failed", "the failure")
    finally:
        away.rename(file)
    error = prunings.get_pruning(row.id).error
    assert error is not None and error.code == "not_found" and file.name in error.message
    prunings.delete_pruning(row.id)
    with pytest.raises(NotFound):
        prunings.get_pruning(row.id)
