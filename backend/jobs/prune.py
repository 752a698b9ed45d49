"""Prunes a checkpoint: trains on one data set, measures the claim on the parent's, hands the weights to the registry.

The training keeps its state in the home, under the pruning's id. A worker that takes over goes on from there, bit for
bit on a CPU; the folder goes once the result is registered, or with the pruning.
"""

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import torch
from safetensors.torch import save_file
from sqlalchemy.exc import SQLAlchemyError
from torch import Tensor, nn
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from backend.datasets.samples import SampleArrays, hash_samples, load
from backend.jobs import lifecycle, pruning_results
from backend.jobs.kinds import PRUNING
from backend.jobs.progress import Stopped, describe_error, now_and_then
from backend.jobs.subjects import dataset_file, device_title, load_checkpoint, take_images
from backend.schemas.records import PruningRecord
from backend.settings import get_settings
from backend.store import datasets
from backend.store.database import reading, writing
from backend.store.results import margins_of
from backend.store.tables import Checkpoint, Dataset, Pruning
from models.pruning.methods import build_search
from models.pruning.plans import Plan, read_plan
from models.pruning.thin_ice import build_thin_ice_loss
from models.training.losses import AdversarialLoss
from models.training.parallel import ALONE, Team, run_team
from models.training.parts import OnProgress, StateFolder, TrainingPart, prune
from models.training.progress import Progress, TrainingReport
from models.training.state import take_fingerprint
from models.zoo.build import Images, declare_sparsity, measure_claim

CLAIM_SAMPLES = 2000
TEAM_FILE, TEAM_ERROR = "team.pt", "team-error.txt"
SECONDS_TO_DIE = 30.0

logger = logging.getLogger("thinice.jobs")


@dataclass(frozen=True)
class PruningWork:
    """One run of a pruning, with the rows that it is about; `worker_id` is who does it."""

    pruning: Pruning
    parent: Checkpoint
    dataset: Dataset
    training: Dataset
    worker_id: str
    device: str

    @property
    def plan(self) -> Plan:
        return read_plan(self.pruning.plan)

    @property
    def devices(self) -> list[str]:
        """Every device that worked on it, in the order in which they took it on: only a CPU's bits repeat."""
        return list(self.pruning.record.devices or ())

    @property
    def folder(self) -> Path:
        return pruning_results.training_folder(self.pruning.id)


@dataclass(frozen=True)
class Trained:
    """What a training left in addition to the weights: its report, and the share of zeros that its masks promise."""

    report: TrainingReport
    declared_sparsity: float


def run(pruning_id: UUID, run_number: int, *, worker_id: str, device: str) -> None:
    """Do what is left of a pruning; nothing where its result is registered already.

    Raises:
        Stopped: it was cancelled meanwhile, resumed as a newer run, or taken over by another worker.
    """
    with reading() as session:
        row = session.get(Pruning, pruning_id)
    if row is not None and (row.state, row.run_number) == ("succeeded", run_number):
        return  # killed between the registration and the end of this step
    try:
        work = start(pruning_id, run_number, worker_id, device)
        train_and_register(work)
    except Stopped:
        pruning_results.forget_deleted(pruning_id)
        raise


def start(pruning_id: UUID, run_number: int, worker_id: str, device: str) -> PruningWork:
    """Mark it as running by this worker; also after a kill, when it runs already."""
    with writing() as session:
        row = lifecycle.start(session, PRUNING, pruning_id, run_number)
        row.worker_id, row.eta_seconds = worker_id, None
        devices = dict.fromkeys([*(row.record.devices or ()), device_title(device)])
        row.record = row.record.merge(PruningRecord(devices=tuple(devices)))
        return find_work(row, worker_id, device)


def find_work(row: Pruning, worker_id: str, device: str) -> PruningWork:
    """The rows that a pruning is about; inside the session of `row`."""
    return PruningWork(row, row.parent, row.dataset, row.training_dataset, worker_id, device)


def train_and_register(work: PruningWork) -> None:
    """Train, measure, and bring the result into the registry."""
    samples = load(dataset_file(work.training))
    network = load_checkpoint(work.parent, work.dataset, work.device).requires_grad_(True)
    data_sha256 = hash_samples(samples.ids, samples.labels)
    processes = count_processes(work.device)
    if processes == 1:
        trained = train(work, network, samples, data_sha256)
    else:
        trained = train_in_team(work, network, data_sha256, processes)
    report = trained.report
    breathe = breathe_in(work, "measuring the claim", done=work.pruning.total, eta_seconds=None)
    measured = measure_claim(network, take_test_images(work), work.plan.finetuning, on_batch=breathe)
    measured["claimed_source"] = f"pruned here: PGD-10 on {measured['claimed_n']:,} images of {work.dataset.slug}"
    tell(work, stage="registering")
    weights = work.folder / "result.safetensors"
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}, weights)
    made = PruningRecord(
        declared_sparsity=trained.declared_sparsity,
        training_sha256=data_sha256,
        best_epoch=report.epoch,
        validation_robust_accuracy=report.validation_robust_accuracy,
        validation_samples=report.validation_samples,
        train_seconds=round(report.train_seconds, 1),
        devices=tuple(work.devices),
        processes=processes,
        torch=torch.__version__,
        thinice=version("thinice"),
        **measured,
    )
    pruning_results.register(work.pruning, work.parent, work.dataset, weights, made)


def train(
    work: PruningWork, network: nn.Module, samples: SampleArrays, data_sha256: str, team: Team = ALONE
) -> Trained:
    """Train `network` in place from the last state on disk, or from its present weights; a team's first reports."""
    images, labels = take_images(samples, np.arange(len(samples.labels)))
    decisive = [work.pruning.plan, work.pruning.seed, work.parent.weights_sha256, work.parent.normalization]
    fingerprint = take_fingerprint(*decisive, data_sha256, torch.__version__)
    height, width, channels = work.dataset.shape
    search = build_search(work.plan, (channels, height, width))
    loss, plan = find_loss(work, images, labels), work.plan
    report = prune(
        network,
        images,
        labels,
        search=search,
        searching=None if plan.searching is None else TrainingPart(plan.searching, loss),
        finetuning=TrainingPart(plan.finetuning, loss),
        seed=work.pruning.seed,
        states=StateFolder(work.folder, fingerprint),
        team=team,
        on_progress=report_to(work) if team.rank == 0 else None,
    )
    return Trained(report, declare_sparsity(plan, search))


def count_processes(device: str) -> int:
    """How many processes share a pruning: as the settings say, on CUDA no more than the worker has devices.

    One where the settings name the device: the others are not the worker's.
    """
    settings = get_settings()
    if torch.device(device).type != "cuda":
        return settings.training_processes
    return 1 if settings.device.startswith("cuda:") else min(settings.training_processes, torch.cuda.device_count())


def train_in_team(work: PruningWork, network: nn.Module, data_sha256: str, processes: int) -> Trained:
    """Train in several processes, one per GPU, and give `network` what they found; errors as in `run`."""
    device = torch.device(work.device).type
    row = work.pruning
    arguments = (row.id, row.run_number, work.worker_id, data_sha256)
    said = work.folder / TEAM_ERROR
    work.folder.mkdir(parents=True, exist_ok=True)  # before the first state of the training makes it
    said.unlink(missing_ok=True)
    try:
        run_team(train_share, arguments, size=processes, device=device, port=find_port())
    except ProcessExitedException:  # killed: by whoever ends this worker too, which is then about to die
        time.sleep(SECONDS_TO_DIE)
        raise
    except ProcessRaisedException as error:
        tell(work, eta_seconds=None)  # Stopped where that is what ended them
        if said.exists():
            raise RuntimeError(said.read_text(encoding="utf-8")) from error
        raise
    found = torch.load(work.folder / TEAM_FILE, map_location=work.device, weights_only=True)
    network.load_state_dict(found["weights"])
    return Trained(TrainingReport(**found["report"]), found["declared_sparsity"])


def train_share(
    team: Team, device: torch.device, pruning_id: UUID, run_number: int, worker_id: str, data_sha256: str
) -> None:
    """Train as one of a team, in a process that torch ends with its parent; the first writes the result down.

    The first to fail says why, before the others notice that it is gone.
    """
    torch.set_num_threads(1)
    try:
        share(team, device, pruning_id, run_number, worker_id, data_sha256)
    except Exception as error:  # whatever it is, the worker must hear of it and not of the broken connection
        with suppress(FileExistsError), (pruning_results.training_folder(pruning_id) / TEAM_ERROR).open("x") as file:
            file.write(describe_error(error)["message"])
        raise


def share(
    team: Team, device: torch.device, pruning_id: UUID, run_number: int, worker_id: str, data_sha256: str
) -> None:
    """Train; the first of the team writes the result down."""
    with reading() as session:
        row = lifecycle.find_wanted(session, PRUNING, pruning_id, run_number, locks=False)
        work = find_work(row, worker_id, str(device))
    network = load_checkpoint(work.parent, work.dataset, work.device).requires_grad_(True)
    trained = train(work, network, load(dataset_file(work.training)), data_sha256, team)
    if team.rank == 0:
        kept = {
            "weights": network.state_dict(),
            "report": asdict(trained.report),
            "declared_sparsity": trained.declared_sparsity,
        }
        torch.save(kept, work.folder / TEAM_FILE)


def find_port() -> int:
    """A free TCP port of this machine."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def find_loss(work: PruningWork, images: Tensor, labels: Tensor) -> AdversarialLoss | None:
    """The thin-ice loss with the dense margins of all training images; None leaves it to the recipes."""
    care = work.plan.care
    if care is None:
        return None
    dense = load_checkpoint(work.parent, work.dataset, work.device)
    build = partial(build_thin_ice_loss, dense, images, labels, work.plan.finetuning.eps, care)
    if work.plan.takes_measured_margins:
        return build(margins=read_margins(work))
    return build(on_batch=breathe_in(work, "estimating the dense margins"))


def read_margins(work: PruningWork) -> Tensor:
    """The margins float32 (N,) of the training images in their order: 0 where wrong, inf where none was found."""
    source = work.pruning.record.dense_margins
    assert source is not None, "the plan takes margins that nobody measured"
    evaluation_id = source.evaluation_id
    with reading() as session:
        rows = margins_of(session, evaluation_id)
    if [index for index, _ in rows] != list(range(work.training.size)):
        raise ValueError(f"evaluation {evaluation_id} no longer has the margins of all training images")
    return torch.tensor([np.inf if margin is None else margin for _, margin in rows], dtype=torch.float32)


def take_test_images(work: PruningWork) -> Images:
    """A fixed draw of images of the parent's data set, which measure the claim and decide nothing."""
    with reading() as session:
        rows = datasets.spread_indices(session, work.dataset.id, CLAIM_SAMPLES)
    images, labels = take_images(load(dataset_file(work.dataset)), np.asarray(rows, dtype=np.int64))
    return Images(images.to(work.device), labels.to(work.device))


def report_to(work: PruningWork) -> OnProgress:
    """A callback that writes the progress of a training down."""
    write = write_now_and_then(work)

    def report(progress: Progress) -> None:
        write(stage=describe(progress), done=progress.step, eta_seconds=progress.seconds_left)

    return report


def breathe_in(work: PruningWork, stage: str, **values: Any) -> Callable[[], None]:
    """Begin a stage without progress of its own, and give what is called during it: it ends a cancelled run."""
    tell(work, stage=stage, **values)
    return partial(write_now_and_then(work), stage=stage)


def write_now_and_then(work: PruningWork) -> Callable[..., None]:
    """A callback that writes columns down at most once a second; raises Stopped where the run is no longer wanted."""

    def write(**values: Any) -> None:
        try:
            tell(work, **values)
        except SQLAlchemyError as error:  # hours of training outlive a locked or absent database; the next report comes
            logger.warning("progress of pruning %s was not kept: %s", work.pruning.id, error)

    return now_and_then(write)


def describe(progress: Progress) -> str:
    """`finetuning: epoch 2 of 4, loss 1.0312`."""
    return f"{progress.stage}: epoch {progress.epoch} of {progress.epochs}, loss {progress.loss:.4f}"


def tell(work: PruningWork, **values: Any) -> None:
    """Write progress down; Stopped where somebody else decides now."""
    lifecycle.tell(work.pruning, Pruning.worker_id == work.worker_id, **values)
