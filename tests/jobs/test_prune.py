"""Prunings by a real worker: from a dense checkpoint to one in the registry, killed or cancelled in between or not."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from backend.jobs import queue
from backend.jobs.prune import hash_data
from backend.jobs.subjects import load_checkpoint, take_images
from backend.schemas import PruningIn, PruningOut
from backend.services import checkpoints, datasets, evaluations, prunings
from backend.services.pruned import training_folder
from backend.settings import get_settings
from backend.store import database
from backend.store.artefacts import artefact_path
from backend.store.database import reading
from backend.store.tables import Checkpoint, Dataset
from models.pruning.fitting import Changes, make_plan
from models.pruning.methods import build_search
from models.training.stages import Stage, prune
from models.zoo.build import check_robust
from tests.jobs.conftest import Crew, wait_for
from tests.jobs.training_sets import TEST_IMAGES, TRAINING_IMAGES, stock

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


def ask(**fields: Any) -> PruningOut:
    wish = {"method": "lwm", "sparsity": 0.9, "training_dataset_id": "training", **TINY, **fields}
    return prunings.queue_pruning(PruningIn(parent_id=find_id("dense"), **wish))


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


def prune_directly(row: PruningOut) -> dict[str, torch.Tensor]:
    """What the training code makes of the same recipe, seed and data, without any job."""
    torch.set_num_threads(1)
    with reading() as session:
        parent = session.get(Checkpoint, row.parent_id)
        dataset, training = session.get(Dataset, row.dataset_id), session.get(Dataset, row.training_dataset_id)
    assert parent is not None and dataset is not None and training is not None
    changes = Changes(**{**TINY, "eps_text": "25.5/255"})
    plan = make_plan(row.method, row.sparsity, "weight", "short", images=training.size, changes=changes, settings={})
    network = load_checkpoint(parent, dataset, "cpu").requires_grad_(True)
    images, labels = take_images(datasets.load_samples(training), np.arange(training.size))
    searching = None if plan.searching is None else Stage(plan.searching)
    search = build_search(plan, (1, 28, 28))
    prune(network, images, labels, search=search, searching=searching, finetuning=Stage(plan.finetuning), seed=row.seed)
    return network.state_dict()


def test_pruning_ends_as_a_checkpoint_with_parent_recipe_claim_and_the_weights_of_the_training_code(
    worker: Crew,
) -> None:
    done = wait_for_end(ask(method="hydra", sparsity=0.95, seed=3, evaluate="fast", name="made-here"))
    assert (done.progress.done, done.progress.total, done.progress.step) == (4, 4, "done")
    made = checkpoints.get_checkpoint(done.checkpoint_id)
    assert (made.name, made.role, made.method, made.origin) == ("made-here", "pruned", "hydra", "pruned")
    assert (made.parent_id, made.pruning_id) == (find_id("dense"), done.id)
    assert made.structure == {"kind": "weight", "rate": 0.95}
    assert made.declared_sparsity == 0.95
    assert made.measured_sparsity == pytest.approx(0.95, abs=4 / PRUNABLE)
    assert made.inspection is not None and made.inspection.descent is not None
    assert made.inspection.parent_id == made.parent_id and made.inspection.descent.answer == "yes"
    assert made.preflight.state != "error" and not made.warnings

    kept = weights_of(done)
    expected = prune_directly(done)
    assert set(kept) == set(expected)
    assert all(np.array_equal(kept[name], expected[name].numpy()) for name in expected)

    claim, record = made.claim, done.record
    assert claim is not None and (claim.attack, claim.n, claim.eps_text) == ("PGD-10", 60, "25.5/255")
    assert claim.source == "pruned here: PGD-10 on 60 images of judging"
    assert record["claimed_robust_accuracy"] == claim.robust_accuracy and 0 < claim.robust_accuracy < 1
    assert record["passes"]["total"] == done.passes and record["recipe"]["search"]["training"] == "TRADES"
    assert record["training_samples"] == TRAINING_IMAGES and record["shared_samples"] == 0
    assert {"torch", "device", "best_epoch", "validation_robust_accuracy", "train_seconds"} <= set(record)
    with reading() as session:
        stored = session.get(Dataset, done.training_dataset_id)
        assert stored is not None
        assert record["training_sha256"] == hash_data(datasets.load_samples(stored))

    wait_for(lambda: evaluations.list_evaluations(checkpoint_id=made.id).total, "the evaluation that was asked for")
    assert not training_folder(done.id).exists()
    evaluations.cancel_evaluation(evaluations.list_evaluations(checkpoint_id=made.id).items[0].id)


def test_claim_is_that_of_the_papers_attack_on_the_first_images_by_id(worker: Crew) -> None:
    done = wait_for_end(ask(name="claimed"))
    with reading() as session:
        made, dataset = session.get(Checkpoint, done.checkpoint_id), session.get(Dataset, done.dataset_id)
    assert made is not None and dataset is not None and made.claim is not None
    samples = datasets.load_samples(dataset)
    images, labels = take_images(samples, np.argsort(np.asarray(samples.ids), kind="stable"))
    robust = check_robust(load_checkpoint(made, dataset, "cpu"), images, labels, eps=25.5 / 255, steps=10, seed=0)
    assert made.claim["robust_accuracy"] == int(robust.sum()) / TEST_IMAGES


def test_killed_worker_training_goes_on_and_ends_with_the_same_bits(worker: Crew) -> None:
    long: dict[str, Any] = {"epochs": 24, "method": "harp", "sparsity": 0.8}
    row = ask(name="killed", **long)
    wait_for(lambda: prunings.get_pruning(row.id).progress.done >= 12, "some epochs")
    worker.kill()
    stopped = prunings.get_pruning(row.id)
    assert stopped.state == "running" and 12 <= stopped.progress.done < stopped.progress.total
    assert list(training_folder(row.id).glob("*.state"))
    worker.start()
    undisturbed = ask(name="undisturbed", **long)
    first, second = weights_of(wait_for_end(row)), weights_of(wait_for_end(undisturbed))
    assert all(np.array_equal(first[name], second[name]) for name in second)
    done = prunings.get_pruning(row.id)
    assert done.record["best_epoch"] == prunings.get_pruning(undisturbed.id).record["best_epoch"]


def test_cancel_keeps_the_training_and_resume_ends_it(worker: Crew) -> None:
    row = ask(name="cancelled", epochs=30)
    wait_for(lambda: prunings.get_pruning(row.id).progress.done >= 9, "some epochs")
    assert prunings.cancel_pruning(row.id).state == "cancelled"
    other = ask(name="after-it", epochs=1)
    wait_for_end(other)
    kept = prunings.get_pruning(row.id)
    assert kept.state == "cancelled" and kept.checkpoint_id is None
    assert prunings.resume_pruning(row.id).state == "queued"
    done = wait_for_end(row)
    undisturbed = wait_for_end(ask(name="not-cancelled", epochs=30))
    first, second = weights_of(done), weights_of(undisturbed)
    assert all(np.array_equal(first[name], second[name]) for name in second)


def test_control_and_thin_ice_become_checkpoints_too(worker: Crew) -> None:
    rows = [ask(method="control", sparsity=None), ask(method="thin-ice", sparsity=0.5, epochs=4)]
    control, thin_ice = (checkpoints.get_checkpoint(wait_for_end(row).checkpoint_id) for row in rows)
    assert (control.name, control.role, control.method) == ("dense-control", "dense", "control")
    assert (control.measured_sparsity, control.declared_sparsity, control.structure) == (0.0, 0.0, None)
    assert (thin_ice.name, thin_ice.role) == ("dense-thin-ice-50", "pruned")
    assert thin_ice.measured_sparsity == pytest.approx(0.5, abs=1 / PRUNABLE)
    assert control.parent_id == thin_ice.parent_id == find_id("dense")


def test_failing_pruning_says_why_and_spares_the_worker(worker: Crew) -> None:
    row = ask(name="exploding", learning_rate=10, epochs=3, sparsity=0.1)
    wait_for(lambda: prunings.get_pruning(row.id).state not in ("queued", "running"), "the end")
    ended = prunings.get_pruning(row.id)
    assert ended.state in ("failed", "succeeded")
    if ended.state == "failed":
        assert ended.error is not None and ended.error.code == "rejected_checkpoint"
    wait_for_end(ask(name="next", epochs=1))


def test_pruning_that_never_reached_the_queue_is_found_by_the_reaper(
    worker: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(queue, "enqueue_pruning", lambda *_: None)
        forgotten = ask(name="forgotten", epochs=1)
    wait_for_end(forgotten)
