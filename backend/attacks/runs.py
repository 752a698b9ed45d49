"""One run from its first pass to its result, as everything that takes part in it sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name

from torch import Tensor

from backend.attacks.catalogue import Preset
from backend.attacks.inputs import Task
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.verify import Candidate


@dataclass(frozen=True)
class StartPool:
    """Images (N, C, H, W) to start from and what the network takes them for, int64 (N,); on its device."""

    images: Tensor
    predictions: Tensor


@dataclass(frozen=True)
class Clean:
    """The network on the clean images, on the CPU: logits (B, K), and per sample (B,) what they say.

    prediction: int64; is_correct: bool, False where the logits are not finite; is_finite: bool.
    """

    logits: Tensor
    prediction: Tensor
    is_correct: Tensor
    is_finite: Tensor


@dataclass(frozen=True)
class SampleGroup:
    """Samples of a run that are attacked together, on the CPU: either those classified rightly or those that are not.

    rows: int64 (B,), their places among the run's samples. images: float32 (B, C, H, W) in [0, 1]. labels: int64 (B,),
    the class that the network gives them, which attacks are to change; the true label where is_right.
    """

    rows: Tensor
    images: Tensor
    labels: Tensor
    is_right: bool

    def select(self, chosen: Tensor) -> "SampleGroup":
        """Some of them, by their places in the group."""
        return SampleGroup(self.rows[chosen], self.images[chosen], self.labels[chosen], self.is_right)


AttackFunction = Callable[["Run", SampleGroup], list[Candidate]]
"""What a preset of the catalogue names: candidates for a group, one for each attack of the preset, in their order."""


@dataclass(frozen=True)
class Run:
    """What is fixed before the first attack.

    task: the checked request. attack: what runs its preset. classifier: the network, or the copy that attacks follow;
    counts passes, reports progress. batches: cuts samples into passes. pool: images to start from. is_randomised:
    whether two passes over the same images differed. transferred: float32 (B, C, H, W), another network's adversarial
    examples for the same samples, or None. flags: codes raised so far; the one thing that grows while the run lasts.
    """

    task: Task
    attack: AttackFunction
    classifier: Classifier
    batches: Batches
    clean: Clean
    pool: StartPool
    flags: set[str]
    is_randomised: bool = False
    transferred: Tensor | None = None

    @property
    def classes(self) -> int:
        """How many classes the network has."""
        return self.clean.logits.shape[1]

    @property
    def right(self) -> SampleGroup:
        """The samples that the network classifies rightly."""
        return self.gather(self.clean.is_correct, is_right=True)

    @property
    def wrong(self) -> SampleGroup:
        """Those that it classifies wrongly, without those whose logits are not finite."""
        return self.gather(self.clean.is_finite & ~self.clean.is_correct, is_right=False)

    def gather(self, chosen: Tensor, *, is_right: bool) -> SampleGroup:
        """The samples where `chosen` (bool (B,)) is True."""
        rows = chosen.nonzero()[:, 0]
        return SampleGroup(rows, self.task.images[rows], self.clean.prediction[rows], is_right)


def find_attack(preset: Preset) -> AttackFunction:
    """The function that a preset names in `runs`, imported on first use."""
    found: AttackFunction = resolve_name(preset.runs)
    return found
