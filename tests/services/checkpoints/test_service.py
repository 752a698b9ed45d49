"""Checkpoints: a real import through the child, then names, parents, claims, changes and deletion."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sqlalchemy import event
from sqlalchemy.orm import Session

from backend.errors import Conflict, InvalidRequest, NotFound, RejectedCheckpoint, UnknownName
from backend.jobs import queue as jobs
from backend.schemas.checkpoints import CheckpointIn, CheckpointPatch
from backend.schemas.datasets import DatasetOut
from backend.services import checkpoints, evaluations
from backend.services.datasets.service import find_dataset
from backend.settings import get_settings
from backend.store import database
from backend.store.artefacts import artefact_path
from backend.store.tables import Checkpoint
from models.architectures.cnn import SmallCNN
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure, queue, write_npz


def save_network(path: Path, seed: int, zeros: float = 0.0) -> Path:
    """A small CNN with random weights, of which a share is zero."""
    torch.manual_seed(seed)
    network = SmallCNN(classes=10, channels=1)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for tensor in state.values():
        if tensor.ndim > 1:
            flat = tensor.view(-1)
            flat[: round(zeros * flat.numel())] = 0.0
    save_file(state, path)
    return path


@pytest.fixture(scope="module")
def imported(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a dense and a pruned network that came through the real import; made once, it costs two children."""
    folder = tmp_path_factory.mktemp("imported")
    home = folder / "home"
    shutil.copytree(template, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_HOME", str(home))
        get_settings.cache_clear()
        images = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), dtype=np.uint8)
        labels = np.arange(12) % 10
        write_npz(folder / "grey.npz", images, labels)
        from backend.services import datasets

        datasets.add_dataset(folder / "grey.npz", name="grey")
        path = save_network(folder / "dense.safetensors", 0)
        dense = checkpoints.add_checkpoint(path, form(name="dense"), filename="dense.safetensors")
        path = save_network(folder / "pruned.safetensors", 0, zeros=0.9)
        fields = {"role": "pruned", "method": "lwm", "declared_sparsity": 0.95, "evaluate": "margin"}
        claim = {"claimed_robust_accuracy": 0.5, "claimed_attack": "PGD-10", "claimed_n": 1000}
        pruned = form(name="pruned", parent_id=dense.id, **fields, **claim)
        checkpoints.add_checkpoint(path, pruned, filename="pruned.safetensors")
        jobs.close()
        database.dispose_engines()
        get_settings.cache_clear()
    return home


@pytest.fixture
def stocked(imported: Path, home: Path) -> Iterator[Path]:
    shutil.copytree(imported, home)
    yield home
    jobs.close()


def form(**fields: object) -> CheckpointIn:
    return CheckpointIn.model_validate({"role": "dense", "dataset_id": "grey"} | fields)


def by_name(name: str) -> object:
    return next(item for item in checkpoints.list_checkpoints().items if item.name == name)


def test_add_checkpoint_dense_network_is_described(stocked: Path) -> None:
    dense = by_name("dense")
    assert (dense.architecture, dense.normalization, dense.origin) == ("small-cnn", "none", "upload")
    assert dense.parameters == sum(parameter.numel() for parameter in SmallCNN().parameters())
    assert dense.measured_sparsity == 0.0 and dense.claim is None and dense.warnings == []
    assert sum(layer.weights for layer in dense.layers) == dense.prunable
    assert dense.preflight.state == "queued"
    assert len(jobs.client().list_workflows(workflow_ids=[f"preflight-{dense.id}"])) == 1


def test_add_checkpoint_pruned_network_is_measured_against_its_declaration(stocked: Path) -> None:
    dense, pruned = by_name("dense"), by_name("pruned")
    assert pruned.parent_id == dense.id and pruned.method == "lwm"
    assert pruned.measured_sparsity == pytest.approx(0.9, abs=1e-3)
    assert len(pruned.warnings) == 1 and pruned.warnings[0].startswith("Declared sparsity 95.00%, measured 90.0")
    assert pruned.claim.model_dump() == {
        "robust_accuracy": 0.5,
        "attack": "PGD-10",
        "norm": "Linf",
        "eps_text": "8/255",
        "n": 1000,
        "source": None,
    }


def test_add_checkpoint_evaluate_queues_with_the_datasets_defaults(stocked: Path) -> None:
    (queued,) = evaluations.list_evaluations().items
    assert queued.checkpoint_id == by_name("pruned").id
    assert (queued.preset, queued.n, queued.norm, queued.eps_text) == ("margin", 12, "Linf", "8/255")


def test_add_checkpoint_same_weights_again_names_the_twin(stocked: Path, tmp_path: Path) -> None:
    path = save_network(tmp_path / "again.safetensors", 0)
    again = checkpoints.add_checkpoint(path, form(name="again", role="pruned"), filename="again.safetensors")
    assert again.weights_sha256 == by_name("dense").weights_sha256
    assert any("exist already as dense" in sentence for sentence in again.warnings)
    assert any("No parent" in sentence for sentence in again.warnings)
    assert any("no prunable weight is zero" in sentence for sentence in again.warnings)
    kept = artefact_path_of(again.name)
    checkpoints.delete_checkpoint(again.id)
    assert kept.exists(), "the twin still needs the file"


def test_add_checkpoint_queue_out_of_order_is_still_an_answer(
    stocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("the queue is closed")

    monkeypatch.setattr(jobs, "enqueue", refuse)
    path = save_network(tmp_path / "odd.safetensors", 7)
    result = checkpoints.add_checkpoint(path, form(name="odd", evaluate="margin"), filename="odd.safetensors")
    assert result.id == by_name("odd").id
    assert result.warnings[-1] == "The evaluation was not queued: the queue is closed"
    (failed,) = evaluations.list_evaluations(checkpoint_id=result.id).items
    assert failed.state == "failed" and failed.error is not None and "the queue is closed" in failed.error.message


def artefact_path_of(name: str) -> Path:
    with database.reading() as session:
        row = session.query(Checkpoint).filter_by(name=name).one()
    return artefact_path(row.file)


def test_add_checkpoint_file_of_text_is_rejected_and_leaves_nothing(stocked: Path, tmp_path: Path) -> None:
    path = tmp_path / "notes.pt"
    path.write_text("these are no weights")
    with pytest.raises(RejectedCheckpoint) as refused:
        checkpoints.add_checkpoint(path, form(name="notes"), filename="notes.pt")
    assert refused.value.status == 422
    assert checkpoints.list_checkpoints().total == 2


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"name": "dense"}, Conflict, "already"),
        ({"dataset_id": "letters"}, NotFound, "Known: grey"),
        ({"parent_id": str(uuid4()), "role": "pruned"}, NotFound, "The parent .* does not exist"),
        ({"evaluate": "guess"}, UnknownName, "margin"),
        ({"claimed_attack": "PGD-10"}, InvalidRequest, "needs a number"),
    ],
    ids=["taken-name", "dataset", "parent", "preset", "claim"],
)
def test_add_checkpoint_bad_form_is_refused_before_the_file_is_opened(
    stocked: Path, tmp_path: Path, fields: dict, kind: type, words: str
) -> None:
    missing = tmp_path / "never-read.pt"
    with pytest.raises(kind, match=words):
        checkpoints.add_checkpoint(missing, form(**({"name": "new"} | fields)), filename="x.pt")


def make_family(folder: Path) -> tuple[DatasetOut, Checkpoint, Checkpoint]:
    dataset = add_dataset(folder, "digits")
    dense = add_checkpoint(dataset.id, "dense")
    pruned = add_checkpoint(dataset.id, "pruned", role="pruned", parent_id=dense.id, declared_sparsity=0.9)
    return dataset, dense, pruned


@pytest.mark.parametrize("case", ["pruned-parent", "other-dataset", "other-architecture", "dense-child"])
def test_add_checkpoint_impossible_parent_is_refused(ready: Path, tmp_path: Path, case: str) -> None:
    _, dense, pruned = make_family(tmp_path)
    other = add_dataset(tmp_path, "other", seed=5)
    foreign = add_checkpoint(other.id, "foreign")
    fields = {
        "pruned-parent": {"role": "pruned", "parent_id": pruned.id},
        "other-dataset": {"role": "pruned", "parent_id": foreign.id},
        "other-architecture": {"role": "pruned", "parent_id": dense.id, "architecture": "resnet18"},
        "dense-child": {"role": "dense", "parent_id": dense.id},
    }[case]
    wanted = CheckpointIn(name="new", dataset_id="digits", **fields)
    with pytest.raises(InvalidRequest) as refused:
        checkpoints.add_checkpoint(tmp_path / "never-read.pt", wanted, filename="x.pt")
    assert refused.value.details["parent_id"] == str(fields["parent_id"])


def test_patch_checkpoint_changes_only_what_was_set(ready: Path, tmp_path: Path) -> None:
    _, _, pruned = make_family(tmp_path)
    before = checkpoints.get_checkpoint(pruned.id)
    after = checkpoints.patch_checkpoint(pruned.id, CheckpointPatch(name="renamed", claimed_robust_accuracy=0.4))
    assert after.claim is not None and after.claim.robust_accuracy == 0.4
    assert after.model_copy(update={"name": before.name, "claim": None}) == before
    again = checkpoints.patch_checkpoint(pruned.id, CheckpointPatch(claimed_attack="PGD-50"))
    assert again.claim is not None and (again.claim.robust_accuracy, again.claim.attack) == (0.4, "PGD-50")
    assert checkpoints.get_checkpoint(pruned.id) == again
    cleared = checkpoints.patch_checkpoint(
        pruned.id, CheckpointPatch(claimed_robust_accuracy=None, claimed_attack=None)
    )
    assert cleared.claim is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("Linf", "25.5/255")),
        ({"claimed_eps": "4/255"}, ("Linf", "4/255")),
        ({"claimed_eps": " 0.03137254901960784 "}, ("Linf", "8/255")),
        ({"claimed_eps": "0.031", "claimed_norm": "Linf"}, ("Linf", "0.031")),
        ({"claimed_eps": 0.5, "claimed_norm": "L2"}, ("L2", "0.5")),
        ({"claimed_norm": "Linf"}, ("Linf", "25.5/255")),
        ({"claimed_norm": None, "claimed_eps": None}, ("Linf", "25.5/255")),
    ],
    ids=["default", "eps", "double", "both", "number", "norm", "null"],
)
def test_read_claim_keeps_norm_and_eps_as_given_else_the_data_sets(
    ready: Path, tmp_path: Path, fields: dict, expected: tuple[str, str]
) -> None:
    add_dataset(tmp_path, "grey")
    claim = checkpoints.read_claim(form(name="new", claimed_robust_accuracy=0.6, **fields), find_dataset("grey"))
    assert claim is not None and (claim["norm"], claim["eps_text"]) == expected
    assert set(claim) == {"robust_accuracy", "attack", "norm", "eps_text", "n", "source"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"claimed_norm": "L2"}, "A claim in L2 needs an eps: give claimed_eps, because grey has no default for L2."),
        ({"claimed_eps": "8"}, "eps 2040/255 is more than 1: in Linf"),
        ({"claimed_eps": "7", "claimed_norm": "L2"}, "eps 7 is more than 6: in L2"),
        ({"claimed_eps": "small"}, "eps must be a positive number"),
        ({"claimed_eps": "0"}, "eps must be a positive number"),
        ({"claimed_eps": ""}, "eps must be a positive number"),
        ({"claimed_eps": "4/255", "claimed_robust_accuracy": None}, "needs a number"),
        ({"claimed_norm": "Linf", "claimed_robust_accuracy": None}, "needs a number"),
    ],
    ids=["norm-alone", "pixels", "beyond", "word", "zero", "empty", "eps-alone", "no-figure"],
)
def test_read_claim_norm_or_eps_that_does_not_fit_is_refused(
    ready: Path, tmp_path: Path, fields: dict, words: str
) -> None:
    add_dataset(tmp_path, "grey")
    given = form(**({"name": "new", "claimed_robust_accuracy": 0.6} | fields))
    with pytest.raises(InvalidRequest, match=words):
        checkpoints.read_claim(given, find_dataset("grey"))


def test_patch_checkpoint_claim_keeps_its_eps_until_another_is_given(ready: Path, tmp_path: Path) -> None:
    _, _, pruned = make_family(tmp_path)

    def patched(**fields: object) -> tuple[float, str | None, str | None]:
        claim = checkpoints.patch_checkpoint(pruned.id, CheckpointPatch.model_validate(fields)).claim
        assert claim is not None
        return claim.robust_accuracy, claim.norm, claim.eps_text

    assert patched(claimed_robust_accuracy=0.6, claimed_eps="4/255") == (0.6, "Linf", "4/255")
    assert patched(claimed_robust_accuracy=0.5, claimed_attack="PGD-50") == (0.5, "Linf", "4/255")
    with pytest.raises(InvalidRequest, match="A claim in L2 needs an eps"):
        patched(claimed_norm="L2")
    assert patched(claimed_norm="L2", claimed_eps="0.5") == (0.5, "L2", "0.5")
    assert patched(claimed_eps="0.25") == (0.5, "L2", "0.25")
    assert patched(claimed_norm="L2", claimed_n=100) == (0.5, "L2", "0.25")
    assert patched(claimed_norm=None) == (0.5, "Linf", "25.5/255")


def test_patch_checkpoint_parent_given_later_drops_its_warning(ready: Path, tmp_path: Path) -> None:
    dataset, dense, _ = make_family(tmp_path)
    sentence = "No parent is named; comparisons need the dense checkpoint that this one was made from."
    orphan = add_checkpoint(
        dataset.id, "orphan", role="pruned", measured_sparsity=0.9, warnings=["rounded to float32", sentence]
    )
    patched = checkpoints.patch_checkpoint(orphan.id, CheckpointPatch(parent_id=dense.id, declared_sparsity=0.5))
    assert patched.parent_id == dense.id
    assert patched.warnings[0] == "rounded to float32"
    assert patched.warnings[1:] == ["Declared sparsity 50.00%, measured 90.00% of the prunable weights."]


def test_patch_checkpoint_impossible_change_is_refused(ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned = make_family(tmp_path)
    other = add_checkpoint(dataset.id, "other")
    for checkpoint, patch, kind in (
        (pruned, CheckpointPatch(name="dense"), Conflict),
        (pruned, CheckpointPatch(parent_id=uuid4()), NotFound),
        (pruned, CheckpointPatch(parent_id=pruned.id), InvalidRequest),
        (other, CheckpointPatch(parent_id=dense.id), InvalidRequest),
        (dense, CheckpointPatch(parent_id=other.id, method="control"), Conflict),
        (pruned, CheckpointPatch(claimed_n=100), InvalidRequest),
    ):
        before = checkpoints.get_checkpoint(checkpoint.id)
        with pytest.raises(kind):
            checkpoints.patch_checkpoint(checkpoint.id, patch)
        assert checkpoints.get_checkpoint(checkpoint.id) == before


def test_delete_checkpoint_that_is_needed_conflicts(ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned = make_family(tmp_path)
    queue(pruned, dataset, 5)
    evaluate(pruned, dataset, measure(make_pixels(60)[1], 1), 5)
    for checkpoint, details in (
        (dense, {"children": 1, "evaluations": 0, "prunings": 0}),
        (pruned, {"children": 0, "evaluations": 2, "prunings": 0}),
    ):
        with pytest.raises(Conflict) as refused:
            checkpoints.delete_checkpoint(checkpoint.id)
        assert refused.value.details == details


def test_delete_checkpoint_takes_its_file_along(ready: Path, tmp_path: Path) -> None:
    _, _, pruned = make_family(tmp_path)
    path = artefact_path(pruned.file)
    checkpoints.delete_checkpoint(pruned.id)
    assert not path.exists()
    with pytest.raises(NotFound):
        checkpoints.get_checkpoint(pruned.id)


def test_delete_checkpoint_commit_that_fails_keeps_the_file(ready: Path, tmp_path: Path) -> None:
    _, _, pruned = make_family(tmp_path)

    def break_commit(_: object) -> None:
        raise RuntimeError("the disk is full")

    event.listen(Session, "before_commit", break_commit)
    try:
        with pytest.raises(RuntimeError, match="disk is full"):
            checkpoints.delete_checkpoint(pruned.id)
    finally:
        event.remove(Session, "before_commit", break_commit)
    assert artefact_path(pruned.file).exists()
    artefact_path(pruned.file).unlink()
    checkpoints.delete_checkpoint(pruned.id)


@pytest.mark.parametrize("wrong", [str(uuid4()), "nonsense"], ids=["unknown", "malformed"])
def test_unknown_checkpoint_is_not_found(ready: Path, wrong: str) -> None:
    for call in (
        checkpoints.get_checkpoint,
        checkpoints.delete_checkpoint,
        lambda name: checkpoints.patch_checkpoint(name, CheckpointPatch(name="x")),
    ):
        with pytest.raises(NotFound) as refused:
            call(wrong)
        assert refused.value.code == "not_found"


def test_list_checkpoints_pages_newest_first(ready: Path, tmp_path: Path) -> None:
    make_family(tmp_path)
    page = checkpoints.list_checkpoints(limit=1)
    assert ([item.name for item in page.items], page.total) == (["pruned"], 2)
