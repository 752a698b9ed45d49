"""A whole pruning run: the search for masks, then finetuning under them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from models.training.losses import AdversarialLoss
from models.training.mask_search import HeldMasks, MaskSearch
from models.training.parallel import ALONE, Team
from models.training.progress import Progress, TrainingReport
from models.training.recipe import Recipe
from models.training.state import StateFile
from models.training.training import train

OnProgress = Callable[[Progress], None]

PARTS = ("search", "finetuning", "training")
"""Names of the parts; the last is that of a run in one part."""


@dataclass(frozen=True)
class TrainingPart:
    """One of the two parts: its recipe, and the loss where it is not the recipe's own."""

    recipe: Recipe
    loss: AdversarialLoss | None = None


@dataclass(frozen=True)
class StateFolder:
    """Where a run keeps the states of its parts, under names that begin with its `fingerprint`."""

    folder: Path
    fingerprint: str

    def open(self, part: str) -> StateFile:
        """Give the state file of a part."""
        return StateFile(self.folder / f"{self.fingerprint[:16]}-{part}.state", f"{self.fingerprint}/{part}")

    def remove(self) -> None:
        """Delete the states of all parts; the caller does so once it has kept the result."""
        for part in PARTS:
            self.open(part).remove()


def prune(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    search: MaskSearch,
    searching: TrainingPart | None,
    finetuning: TrainingPart,
    seed: int,
    states: StateFolder | None = None,
    team: Team = ALONE,
    on_progress: OnProgress | None = None,
) -> TrainingReport:
    """Prune `network` in place and leave it with the best finetuned weights under the masks that were found.

    Args:
        network, images, labels, seed, team: as in `train`.
        search: the method.
        searching: the part in which the method searches; None lets it take part in the finetuning itself (LWM).
        finetuning: the part that decides the weights.
        states: where to keep the state of the run; a run that is found there goes on.
        on_progress: as in `train`; epochs and steps count through both parts.

    Returns:
        The report of the finetuning, with the seconds of both parts; its epoch counts from the finetuning's first.

    Raises:
        ValueError: as in `train`.
    """
    run = partial(train, network, images, labels, seed=seed, team=team)
    files = {name: states.open(name) if states else None for name in PARTS}
    if searching is None:
        recipe, loss, file = finetuning.recipe, finetuning.loss, files["training"]
        return run(recipe, search=search, loss=loss, state_file=file, on_progress=on_progress)
    span = _Span.over((searching.recipe, finetuning.recipe), len(images), team.size)
    # A search that is over resumes at its end, which costs nothing and gives its masks and its time again.
    found = run(
        searching.recipe,
        search=search,
        loss=searching.loss,
        state_file=files["search"],
        on_progress=span.relay(on_progress, "search"),
    )
    report = run(
        finetuning.recipe,
        search=HeldMasks(search.finish()),
        loss=finetuning.loss,
        state_file=files["finetuning"],
        on_progress=replace(span, seconds_before=found.train_seconds).relay(on_progress, "finetuning"),
    )
    return replace(report, train_seconds=found.train_seconds + report.train_seconds)


@dataclass(frozen=True)
class _Span:
    """The lengths of search and finetuning, to count through both."""

    epochs: tuple[int, int]
    steps: tuple[int, int]
    seconds_before: float = 0.0

    @classmethod
    def over(cls, recipes: tuple[Recipe, Recipe], images: int, processes: int) -> "_Span":
        """Measure both parts on `images` training images, validation part included."""
        first, second = recipes
        return cls(
            (first.epochs, second.epochs),
            (
                first.count_steps(images - first.validation_samples, processes),
                second.count_steps(images - second.validation_samples, processes),
            ),
        )

    def relay(self, on_progress: OnProgress | None, part: str) -> OnProgress | None:
        """Give a callback for one part that tells `on_progress` where the whole run stands."""
        if on_progress is None:
            return None
        is_second = part == "finetuning"

        def tell(progress: Progress) -> None:
            on_progress(
                replace(
                    progress,
                    stage=part,
                    epoch=progress.epoch + is_second * self.epochs[0],
                    epochs=sum(self.epochs),
                    step=progress.step + is_second * self.steps[0],
                    steps=sum(self.steps),
                    elapsed_seconds=progress.elapsed_seconds + self.seconds_before,
                )
            )

        return tell
