"""Prunings before any worker: what is refused and why, names, estimates, cancel, resume, forget."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import Conflict, InvalidRequest, NotFound, ThinIceError, TrainsOnTest, UnknownName
from backend.jobs.pruning_results import training_folder
from backend.schemas.checkpoints import CheckpointPatch
from backend.schemas.prunings import PruningIn, PruningOut
from backend.services import checkpoints, datasets, prunings, system
from backend.services.checkpoints.trainings import read_record
from backend.services.prunings import plans
from backend.store.database import reading, writing
from backend.store.jobs import move_state
from backend.store.tables import Checkpoint, Dataset, Evaluation, Pruning, new_id
from models.pruning.plans import METHODS, read_plan
from tests.services.fabrication import CLASSES, add_checkpoint, add_dataset, evaluate, make_pixels, measure, write_npz

N = 60


@pytest.fixture
def parent(ready: Path, tmp_path: Path) -> Checkpoint:
    """A dense checkpoint of `judging`; `training` has other images, `overlapping` shares twenty with `judging`."""
    judging = add_dataset(tmp_path, "judging", N)
    add_dataset(tmp_path, "training", 200, seed=5)
    return add_checkpoint(judging.id, "dense-net")


def ask(parent: Checkpoint, **fields: Any) -> PruningOut:
    wish = {"training_dataset_id": "training", "method": "lwm", "sparsity": 0.9, **fields}
    return prunings.queue_pruning(PruningIn(parent_id=parent.id, **wish))


def test_queue_writes_the_whole_plan_down_and_counts_in_health(parent: Checkpoint) -> None:
    row = ask(parent, method="hydra", sparsity=0.95, epochs=8, eps="8/255", seed=4, evaluate="margin")
    assert (row.state, row.name, row.parent_name) == ("queued", "dense-net-hydra-95", "dense-net")
    assert (row.loss, row.epochs, row.eps_text, row.training_dataset) == ("TRADES", 8, "8/255", "training")
    assert row.progress.model_dump() == {"done": 0, "total": 16, "stage": "waiting", "eta_seconds": None}
    assert row.record.recipe["search"]["epochs"] == 2 and row.record.passes.total == row.passes
    assert row.warnings == [] and row.checkpoint_id is None
    assert prunings.list_prunings(parent_id=parent.id).items == [row] == prunings.list_prunings(state="queued").items
    assert system.health().queue_depth == 1
    cost = plans.estimate_cost(
        PruningIn(parent_id=parent.id, training_dataset_id="training", method="hydra", sparsity=0.5, epochs=8)
    )
    assert (cost.total, cost.steps, cost.epochs) == (row.passes, row.progress.total, 8)


def test_eps_is_that_of_the_parents_data_set_and_validation_a_tenth_at_most(parent: Checkpoint) -> None:
    row = ask(parent)
    assert row.eps_text == "25.5/255" and row.record.recipe["validation_samples"] == 20


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"method": "snip"}, UnknownName, "harp, hydra, lwm, r-admm, thin-ice"),
        ({"training_dataset_id": "judging"}, TrainsOnTest, "dense-net is evaluated on judging"),
        ({"training_dataset_id": "nothing"}, NotFound, "Known: training, judging"),
        ({"sparsity": None}, InvalidRequest, "needs a sparsity"),
        ({"method": "control"}, InvalidRequest, "prunes nothing"),
        ({"method": "hydra", "granularity": "channel"}, InvalidRequest, "Hydra prunes weight, not 'channel'"),
        ({"method": "thin-ice", "schedule": "paper"}, InvalidRequest, "lwm, r-admm, hydra, harp"),
        ({"method": "thin-ice", "loss": "MART"}, InvalidRequest, "own"),
        ({"settings": {"rho": 1.0}}, UnknownName, "global_ranking"),
        ({"settings": {"global_ranking": 1}, "granularity": "filter"}, InvalidRequest, "ranks single weights"),
        ({"settings": {"global_ranking": 0.5}}, InvalidRequest, "global_ranking must be a whole number; got 0.5"),
        ({"settings": {"mask_share": 1}}, InvalidRequest, "mask_share must be within 0..0.99; got 1."),
        ({"settings": {"mask_share": 0.5}, "method": "hydra"}, UnknownName, "mask_share"),
        ({"method": "r-admm", "settings": {"rho": 0.0}}, InvalidRequest, "rho must be within"),
        ({"method": "harp", "epochs": 1}, InvalidRequest, "at least 2 epochs"),
        ({"validation_samples": 101}, InvalidRequest, "t most half of the 200 training images"),
        ({"eps": "2"}, InvalidRequest, "more than 1"),
        ({"evaluate": "nothing"}, UnknownName, "margin"),
        ({"name": "dense-net"}, Conflict, "already"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_queue_refuses_what_cannot_be_run(
    parent: Checkpoint, fields: dict[str, Any], kind: type[ThinIceError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        ask(parent, **fields)
    assert prunings.list_prunings().total == 0


def test_queue_refuses_a_pruned_parent_other_shapes_and_other_classes(parent: Checkpoint, tmp_path: Path) -> None:
    child = add_checkpoint(parent.dataset_id, "child", role="pruned", parent_id=parent.id)
    with pytest.raises(InvalidRequest, match="child is pruned already"):
        ask(child)
    add_dataset(tmp_path, "few", 40, seed=6, classes=["a", "b"])
    with pytest.raises(InvalidRequest, match="few has 2"):
        ask(parent, training_dataset_id="few")
    add_dataset(tmp_path, "wide", 40, seed=7, shape=[9, 9, 1])
    with pytest.raises(InvalidRequest, match="wide has 9 x 9 x 1"):
        ask(parent, training_dataset_id="wide")
    with pytest.raises(NotFound):
        prunings.queue_pruning(
            PruningIn(parent_id=new_id(), training_dataset_id="training", method="lwm", sparsity=0.9)
        )
    assert [row.slug for row in plans.suitable_datasets(parent.id)] == ["training"]


def test_suitable_datasets_are_all_of_them_however_many(parent: Checkpoint) -> None:
    training = datasets.find_dataset("training")
    with writing() as session:
        for number in range(250):
            fields = {name: getattr(training, name) for name in ("classes", "shape", "default_norm", "default_eps")}
            session.add(
                Dataset(slug=f"d{number}", name="d", split="train", size=9, source="a test", file="none.npz", **fields)
            )
    found = plans.suitable_datasets(parent.id)
    assert len(found) == 251
    assert found[-1].slug == "training", "training splits first"


def test_measured_margins_need_an_evaluation_on_all_training_images(parent: Checkpoint, tmp_path: Path) -> None:
    wish: dict[str, Any] = {"method": "thin-ice", "settings": {"measured_margins": 1}}
    training = datasets.get_dataset("training")
    margins = measure(datasets.load_samples(datasets.find_dataset("training")).labels, seed=1)
    for samples, fields in ((100, {}), (200, {"preset": "fast", "eps": "25.5/255"}), (200, {"norm": "L2"})):
        evaluate(parent, training, margins, samples, **fields)
        with pytest.raises(InvalidRequest, match="--preset margin --dataset training --norm Linf --samples 200"):
            ask(parent, **wish)
    measured = evaluate(parent, training, margins, 200, record={"forwards": 20_000, "backwards": 19_000})
    row = ask(parent, **wish)
    assert row.record.dense_margins.evaluation_id == measured.id
    assert row.warnings == []
    spent = read_record(row.record.to_json() | {"training_sha256": "a"})
    assert spent is not None and spent.passes == row.passes + 39_000
    with writing() as session:
        session.get_one(Evaluation, measured.id).flags = ["zero-gradients"]
    assert "The attack on dense-net raised flags (zero-gradients)" in ask(parent, **wish).warnings[0]
    estimated = ask(parent, method="thin-ice")
    assert estimated.record.dense_margins is None
    images = [one.record.recipe["epoch_images"] for one in (row, estimated)]
    assert images[0] > images[1]  # the estimate is paid for by the training, the evaluation is not


def test_control_of_the_paper_schedule_says_that_methods_train_longer(parent: Checkpoint) -> None:
    control = {"method": "control", "sparsity": None, "schedule": "paper"}
    assert any("harp 120" in warning for warning in ask(parent, **control).warnings)
    assert not any("harp 120" in warning for warning in ask(parent, epochs=120, **control).warnings)


def test_paper_schedule_mirrors_no_images_whose_classes_are_numbers_unless_asked(parent: Checkpoint) -> None:
    row = ask(parent, schedule="paper")
    assert "augments" not in row.record.recipe
    assert any("may be digits" in warning for warning in row.warnings)
    asked = ask(parent, schedule="paper", augments=True, precision="bfloat16")
    assert (asked.record.recipe["augments"], asked.record.recipe["precision"]) == (True, "bfloat16")
    assert not any("may be digits" in warning for warning in asked.warnings)


def test_queue_without_an_eps_in_linf_asks_for_one(ready: Path, tmp_path: Path) -> None:
    judging = add_dataset(tmp_path, "judging", N, default_norm="L2", default_eps="0.5")
    add_dataset(tmp_path, "training", 200, seed=5)
    parent = add_checkpoint(judging.id, "dense-net")
    with pytest.raises(InvalidRequest, match="Give an eps"):
        ask(parent)
    assert ask(parent, eps=0.1).eps_text == "25.5/255"


def add_overlapping(tmp_path: Path, shared: int) -> None:
    """Training images of which the first are judging ones."""
    images, labels = make_pixels(N)
    others, more = make_pixels(100, seed=8)
    pixels = np.concatenate([images[:shared], others])
    path = write_npz(tmp_path / "o.npz", pixels, np.concatenate([labels[:shared], more]))
    datasets.add_dataset(path, name="overlapping", classes=[str(label) for label in range(CLASSES)])


def test_training_images_of_which_many_judge_are_refused(parent: Checkpoint, tmp_path: Path) -> None:
    add_overlapping(tmp_path, 20)
    with pytest.raises(TrainsOnTest, match="judged on judging, but 20 of its 60 images"):
        ask(parent, training_dataset_id="overlapping")


def test_training_images_of_which_a_few_judge_are_counted_and_said(
    parent: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_overlapping(tmp_path, 1)
    monkeypatch.setattr(plans, "MOST_SHARED", 0.02)
    row = ask(parent, training_dataset_id="overlapping")
    assert row.record.shared_samples == 1
    assert len(row.warnings) == 1 and "on judging, but 1 of its 60 images" in row.warnings[0]


def test_names_are_made_up_and_kept_free_of_each_other(parent: Checkpoint) -> None:
    first, second = ask(parent), ask(parent)
    assert (first.name, second.name) == ("dense-net-lwm-90", "dense-net-lwm-90-2")
    assert ask(parent, granularity="filter", sparsity=0.5).name == "dense-net-lwm-filter-50"
    assert ask(parent, method="control", sparsity=None).name == "dense-net-control"
    with pytest.raises(Conflict, match="is making a checkpoint"):
        ask(parent, name="dense-net-lwm-90")
    with pytest.raises(Conflict, match="is making a checkpoint"):
        checkpoints.patch_checkpoint(parent.id, CheckpointPatch(name="dense-net-lwm-90"))


def test_cancel_resume_and_delete_go_by_the_state(parent: Checkpoint) -> None:
    row = ask(parent)
    with pytest.raises(Conflict, match="cancel it first"):
        prunings.delete_pruning(row.id)
    with pytest.raises(Conflict, match="Only failed and cancelled"):
        prunings.resume_pruning(row.id)
    assert prunings.cancel_pruning(row.id).state == "cancelled"
    assert prunings.resume_pruning(row.id).state == "queued"
    prunings.cancel_pruning(row.id)
    taken = ask(parent, name=row.name)
    with pytest.raises(Conflict, match="is making a checkpoint"):
        prunings.resume_pruning(row.id)
    training_folder(row.id).mkdir(parents=True)
    prunings.delete_pruning(row.id)
    assert not training_folder(row.id).exists()
    with pytest.raises(NotFound):
        prunings.get_pruning(row.id)
    with writing() as session:
        move_state(session, Pruning, taken.id, ["queued"], state="succeeded", checkpoint_id=parent.id)
    with pytest.raises(Conflict, match="Delete the checkpoint first"):
        prunings.delete_pruning(taken.id)
    with pytest.raises(Conflict, match="1 pruning"):
        checkpoints.delete_checkpoint(parent.id)


def test_catalogue_is_that_of_the_models_with_the_control_at_its_end(ready: Path) -> None:
    items = plans.list_methods().items
    assert [row.name for row in items] == [*METHODS, "control"]
    for row in items[:-1]:
        assert (row.title, tuple(row.granularities)) == (METHODS[row.name].title, METHODS[row.name].granularities)
        assert tuple(one.name for one in row.settings) == METHODS[row.name].settings
    by_name = {row.name: {one.name: one for one in row.schedules} for row in items}
    assert set(by_name["thin-ice"]) == {"short"} and set(by_name["control"]) == {"short", "paper"}
    assert {schedules["short"].epochs for schedules in by_name.values()} == {4}
    assert (by_name["hydra"]["paper"].epochs, by_name["hydra"]["paper"].search_epochs) == (120, 20)


def test_plan_in_the_row_is_what_a_worker_reads(parent: Checkpoint) -> None:
    row = ask(parent, method="r-admm", settings={"rho": 0.5, "rounds": 4})

    with reading() as session:
        stored = session.get(Pruning, row.id)
    assert stored is not None
    plan = read_plan(stored.plan)
    assert plan.settings == {"rho": 0.5, "growth": 1.3, "rounds": 4} and plan.count_steps(200) == stored.total


def test_mask_share_reaches_the_plan_and_the_record(parent: Checkpoint) -> None:
    plain, ramped = ask(parent), ask(parent, settings={"mask_share": 0.25})
    assert [row.record.recipe["mask_share"] for row in (plain, ramped)] == [0.0, 0.25]
    with reading() as session:
        stored = session.get(Pruning, ramped.id)
    assert stored is not None and read_plan(stored.plan).finetuning.mask_share == 0.25
