"""What a run says about itself while it runs and when it is over."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run stands: after `step` of `steps`, with the mean loss of the current epoch so far.

    `validation_robust_accuracy` is 0..1 in the report that ends an epoch, and None in those between. `stage` is
    "training", or "search" and "finetuning" where a method has both; epochs and steps count through both.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    validation_robust_accuracy: float | None
    elapsed_seconds: float
    stage: str = "training"

    @property
    def seconds_left(self) -> float:
        """Time left at the pace so far; validation passes are inside the pace."""
        return self.elapsed_seconds / self.step * (self.steps - self.step)


@dataclass(frozen=True)
class TrainingReport:
    """What a finished run says about itself; `epoch` (from 1) is the one whose weights were kept.

    `train_seconds` is the time of all processes that worked on the run one after the other.
    """

    epoch: int
    validation_robust_accuracy: float
    validation_samples: int
    train_seconds: float
