"""The adversarial training loop: one recipe, one seed, one network.

On one thread of one machine the same recipe, seed and start give the same weights bit for bit, killed in between or
not; with more threads, or on a GPU, the order of additions, and so the last bits, may change.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from models.training.augmentation import crop_and_flip
from models.training.losses import AdversarialLoss, Batch, build_loss
from models.training.mask_search import MaskSearch
from models.training.parallel import ALONE, Team
from models.training.pgd import check_robust
from models.training.progress import Progress, TrainingReport
from models.training.recipe import Recipe
from models.training.schedules import cosine_factor, cycle_factor, drop_factor
from models.training.state import StateFile

VALIDATION_SPLIT_SEED = 20_231
"""Fixed for every run: a child must not validate on images that its parent was trained on."""

VALIDATION_ATTACK_SEED = 0
"""Fixed for every epoch, so that epochs are compared under the same random starts."""

STEPS_BETWEEN_REPORTS = 50

SECONDS_BETWEEN_REPORTS = 5.0
"""On a slow device fifty steps take long, and a caller may want to end the run."""


def train(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    *,
    seed: int,
    search: MaskSearch | None = None,
    loss: AdversarialLoss | None = None,
    state_file: StateFile | None = None,
    team: Team = ALONE,
    on_progress: Callable[[Progress], None] | None = None,
) -> TrainingReport:
    """Train `network` in place by adversarial training and leave it, and the search, as after its best epoch.

    Best is the highest PGD robust accuracy on a validation split of the training images, never on test images; the
    later epoch wins a tie. Epochs after which the search is not settled do not count; where none counts the last
    one stays.

    Args:
        network: float32 images (B, C, H, W) -> logits (B, K); trained from its present weights, on its device.
        images: float32 (N, C, H, W) in [0, 1], the training images, validation part included.
        labels: int64 (N,).
        recipe: the run.
        seed: of the batch order and of the attack's random starts. The start weights are the caller's.
        search: how a pruning method takes part; None trains without pruning.
        loss: what is minimised; None takes the loss that the recipe names.
        state_file: where the run keeps its state; a run that is found there goes on. The caller removes it.
        team: the processes that share this run.
        on_progress: called every 50 steps, after 5 seconds without a call, validation included, and at the end of
            each epoch; what it raises ends the run, whose state on disk stays.

    Returns:
        The report; the network is in `eval()` mode.

    Raises:
        ValueError: the validation part would take all images, or the state file is another run's.
    """
    rows, held_rows = split_rows(len(images), recipe.validation_samples)
    device = next(network.parameters()).device
    held_images, held_labels = images[held_rows].to(device), labels[held_rows].to(device)
    run = _Run(network, images, labels, rows, recipe, seed, search or MaskSearch(), loss or build_loss(recipe), team)
    run.resume(state_file)
    while run.epoch < recipe.epochs:
        mean_loss = run.train_epoch(state_file, on_progress)
        tell = partial(run.report_late, on_progress, mean_loss)
        accuracy = team.share_value(measure_robust_accuracy(network, held_images, held_labels, recipe, tell), device)
        run.epoch += 1
        run.judge(accuracy)
        run.report(on_progress, mean_loss, accuracy)
        run.write_state(state_file)
    run.take_best()
    network.eval()
    return TrainingReport(run.best["epoch"], run.best["accuracy"], len(held_rows), run.elapsed_seconds)


def measure_robust_accuracy(
    network: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe, on_batch: Callable[[], None] | None = None
) -> float:
    """Give the share of validation images that PGD leaves right, 0..1; `on_batch` is called after each batch."""
    attack: dict[str, Any] = {"steps": recipe.validation_pgd_steps, "seed": VALIDATION_ATTACK_SEED}
    robust = check_robust(network, images, labels, eps=recipe.eps, **attack, on_batch=on_batch)
    return float(robust.double().mean().item())


def split_rows(count: int, samples: int) -> tuple[Tensor, Tensor]:
    """Set `samples` of `count` training rows apart by a fixed seed.

    Returns:
        int64 rows to train on, then rows to validate on.

    Raises:
        ValueError: nothing would be left to train on.
    """
    if samples >= count:
        raise ValueError(f"{samples} validation images leave none of the {count} images to train on")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(VALIDATION_SPLIT_SEED))
    return order[samples:], order[:samples]


def find_rate_factor(recipe: Recipe, step: int, steps: int) -> float:
    """Give the factor of the learning rate at `step` under the schedule that `recipe` names.

    Raises:
        ValueError: no such schedule.
    """
    if recipe.schedule == "cosine":
        return cosine_factor(step, steps, recipe.warmup_share)
    if recipe.schedule == "drops":
        return drop_factor(step, steps, recipe.drops)
    if recipe.schedule == "cycles":
        return cycle_factor(step, steps, recipe.cycles)
    raise ValueError(f"there is no schedule {recipe.schedule!r}; known: cosine, drops, cycles")


@dataclass
class _Run:
    """The moving parts of one call of `train`."""

    network: nn.Module
    images: Tensor
    labels: Tensor
    rows: Tensor
    recipe: Recipe
    seed: int
    search: MaskSearch
    loss: AdversarialLoss
    team: Team
    epoch: int = 0
    step: int = 0
    position: int = 0
    loss_sum: float = 0.0
    seconds_before: float = 0.0
    best: dict[str, Any] = field(default_factory=lambda: {"epoch": 0, "accuracy": -1.0})
    optimizer: Optimizer = field(init=False)
    order: torch.Generator = field(init=False)
    epoch_start: Tensor = field(init=False)
    started: float = field(default_factory=time.monotonic)
    reported: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.search.start(self.network)
        groups = self.search.find_parameter_groups(self.recipe.weight_decay)
        self.optimizer = SGD(groups, lr=self.recipe.learning_rate, momentum=self.recipe.momentum)
        self.order = torch.Generator().manual_seed(self.seed)
        self.epoch_start = self.order.get_state()
        self.device = next(self.network.parameters()).device

    @property
    def elapsed_seconds(self) -> float:
        """Wall time of the run, earlier processes included."""
        return self.seconds_before + time.monotonic() - self.started

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.recipe.count_steps(len(self.rows), self.team.size)

    @property
    def is_report_late(self) -> bool:
        """Was it long since the last report?"""
        return time.monotonic() - self.reported >= SECONDS_BETWEEN_REPORTS

    @property
    def is_report_due(self) -> bool:
        """Were there enough steps, or was it long, since the last report?"""
        return self.is_report_late or self.step % STEPS_BETWEEN_REPORTS == 0

    def train_epoch(self, state_file: StateFile | None, on_progress: Callable[[Progress], None] | None) -> float:
        """Go through the rest of the present epoch and give its mean loss."""
        resumed_at = self.order.get_state() if self.position else None
        if resumed_at is None:
            self.epoch_start = self.order.get_state()
        self.order.set_state(self.epoch_start)
        drawn = torch.randperm(len(self.rows), generator=self.order)[: self.recipe.count_epoch_images(len(self.rows))]
        if resumed_at is not None:
            self.order.set_state(resumed_at)
        batches = drawn.tensor_split(self.find_cuts())
        while self.position < len(batches):
            self.loss_sum += self.take_step(self.rows[batches[self.position]])
            self.step += 1
            self.position += 1
            if self.is_report_due and self.position < len(batches):
                self.report(on_progress, self.loss_sum / self.position, None)
            if state_file is not None and state_file.is_due and self.position < len(batches):
                self.write_state(state_file)
        self.team.average_buffers(self.network)
        mean_loss, self.loss_sum, self.position = self.loss_sum / len(batches), 0.0, 0
        return mean_loss

    def find_cuts(self) -> list[int]:
        """Give where an epoch's images are cut into batches; the last batch takes what is left."""
        size, batches = self.recipe.batch_size, self.recipe.count_batches(len(self.rows), self.team.size)
        return list(range(size, batches * size, size))

    def take_step(self, positions: Tensor) -> float:
        """Take one optimiser step on a batch of rows and give its loss; the update runs in training mode."""
        self.search.before_step(self.step, self.steps)
        rate = self.recipe.learning_rate * find_rate_factor(self.recipe, self.step, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        share = self.team.take_share(positions)
        batch = self.load_batch(share)
        is_low = self.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_low):
            adversarials = self.loss.find_adversarials(self.network, batch, self.recipe.attack, self.find_noise())
            self.network.train()
            self.network.zero_grad(set_to_none=True)
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss.measure(self.network, batch, adversarials)
        torch.autograd.backward(loss if self.team.is_alone else loss * (len(share) / len(positions)))
        self.team.sum_gradients(self.network.parameters())
        self.search.after_backward()
        self.optimizer.step()
        self.search.after_step()
        return float(loss.item())

    def load_batch(self, rows: Tensor) -> Batch:
        """Bring rows to the network's device, augmented if the recipe says so."""
        images = self.images[rows].to(self.device)
        if self.recipe.augments:
            images = crop_and_flip(images, self.find_crops())
        return Batch(images, self.labels[rows].to(self.device), rows)

    def find_crops(self) -> torch.Generator:
        """Give the generator of the crops: that of the order, and in a team one of each process and step.

        Shares differ in size, and the order has to stay the same in all processes.
        """
        if self.team.is_alone:
            return self.order
        return torch.Generator().manual_seed(self.find_step_seed() + 1)

    def find_step_seed(self) -> int:
        """Give a seed that follows from the seed of the run, the step and the process; the next number is free too."""
        return 2 * ((self.seed * 1_000_003 + self.step) * self.team.size + self.team.rank)

    def find_noise(self) -> torch.Generator:
        """Give the generator of the attack's random start.

        A single process on the CPU draws order and noise from one generator. Elsewhere the noise of a step follows
        from its number, so that a resumed run needs no generator states of other devices and processes.
        """
        if self.team.is_alone and self.device.type == "cpu":
            return self.order
        return torch.Generator(self.device).manual_seed(self.find_step_seed())

    def judge(self, accuracy: float) -> None:
        """Keep the state as the best so far, where it counts and nothing better was seen."""
        is_last_resort = self.epoch == self.recipe.epochs and self.best["epoch"] == 0
        if (self.search.is_settled and accuracy >= self.best["accuracy"]) or is_last_resort:
            self.best = {
                "epoch": self.epoch,
                "accuracy": accuracy,
                "network": copy.deepcopy(self.network.state_dict()),
                "search": copy.deepcopy(self.search.state_dict()),
            }

    def take_best(self) -> None:
        """Go back to the best epoch."""
        self.network.load_state_dict(self.best["network"])
        self.search.load_state_dict(self.best["search"])

    def report(self, on_progress: Callable[[Progress], None] | None, loss: float, accuracy: float | None) -> None:
        """Tell the caller where the run stands, if it asked; `epoch` counts finished ones."""
        if on_progress is not None:
            epoch = self.epoch if accuracy is not None else self.epoch + 1
            seconds, self.reported = self.elapsed_seconds, time.monotonic()
            on_progress(Progress(epoch, self.recipe.epochs, self.step, self.steps, loss, accuracy, seconds))

    def report_late(self, on_progress: Callable[[Progress], None] | None, loss: float) -> None:
        """Tell the caller during the validation, where it was long since the last report."""
        if self.is_report_late:
            self.report(on_progress, loss, None)

    def write_state(self, state_file: StateFile | None) -> None:
        """Write everything down that `resume` needs; in a team the first process does."""
        if state_file is None or self.team.rank > 0:
            return
        counters = {"epoch": self.epoch, "step": self.step, "position": self.position, "loss_sum": self.loss_sum}
        generators = {"order": self.order.get_state(), "epoch_start": self.epoch_start}
        parts = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "search": self.search.state_dict(),
            "best": self.best,
        }
        state_file.write({**counters, **generators, **parts, "seconds": self.elapsed_seconds})

    def resume(self, state_file: StateFile | None) -> None:
        """Go on from the state on disk, if there is one; otherwise write the first."""
        state = state_file.read(self.device) if state_file is not None else None
        if state is None:
            self.write_state(state_file)
            return
        self.epoch, self.step, self.position = state["epoch"], state["step"], state["position"]
        self.loss_sum, self.seconds_before, self.best = state["loss_sum"], state["seconds"], state["best"]
        self.order.set_state(state["order"].cpu())
        self.epoch_start = state["epoch_start"].cpu()
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.search.load_state_dict(state["search"])
