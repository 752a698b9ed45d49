"""The checks of the official code (pyautoattack, checks.py) on a network, called by us and turned into flags.

The official functions warn through a logger and return nothing. Here an `Alarm` stands in the logger's place and
remembers that it was called; the text is never read.
Left out: the check whether Square lowered the robust accuracy. It asks for a fixed 0.2 points of all samples, which one
lucky break in a chunk exceeds, and in version plus it cannot warn at all, since attacks after Square only lower the
accuracy it is compared with. `masking` asks the same over the whole evaluation, beyond chance.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier


class Alarm:
    """Where the official checks expect a logger: `is_raised` once one of them warned."""

    def __init__(self) -> None:
        self.is_raised = False

    def warning(self, message: object, *arguments: object) -> None:
        """Called by a check that fails."""
        self.is_raised = True


def does_warn(check: Callable[..., Any], *arguments: Any, **options: Any) -> bool:
    """Whether an official check warns."""
    alarm = Alarm()
    check(*arguments, logger=alarm, **options)
    return alarm.is_raised


@contextmanager
def keep_trace(counts: dict[str, int]) -> Iterator[None]:
    """The check for optimisation traces calls and counts into a global that it never empties; both are put back."""
    before = sys.gettrace()
    counts.update(dict.fromkeys(counts, 0))
    try:
        yield
    finally:
        sys.settrace(before)
        counts.update(dict.fromkeys(counts, 0))


def inspect_network(
    classifier: Classifier, images: Tensor, labels: Tensor, batches: Batches, official: Any
) -> set[str]:
    """Flags of the checks that the official loop makes before its attacks, on the first batch as there.

    `randomised` (five passes differ), `probabilities` (outputs like a softmax), `optimises-at-inference` (the forward
    pass differentiates), `few-classes` (fewer than the attacks' losses and targets need). Cost: seven forward passes
    for the first batch. Nothing without samples.

    Args:
        images, labels: (B, C, H, W) in [0, 1] and int64 (B,), on the CPU.
        official: the official AutoAttack object, which says what will run with how many targets.
    """
    if len(images) == 0:
        return set()
    # Imported where it is used: the margins need none of it.
    from pyautoattack import checks

    def inspect(part: slice) -> set[str]:
        batch, classes_given = images[part].to(classifier.device), labels[part].to(classifier.device)
        codes = set()
        if does_warn(checks.check_randomized, classifier.classify, batch, classes_given, bs=len(batch)):
            codes.add("randomised")
        if does_warn(checks.check_range_output, classifier.classify, batch):
            codes.add("probabilities")
        with keep_trace(checks.funcs):
            if does_warn(checks.check_dynamic, classifier.classify, batch, False):
                codes.add("optimises-at-inference")
        classes = classifier.classify(batch[:1]).shape[1]
        targets = official.apgd_targeted.n_target_classes, official.fab.n_target_classes
        if does_warn(checks.check_n_classes, classes, official.attacks_to_run, *targets):
            codes.add("few-classes")
        return codes

    _, codes = next(batches.run(len(images), inspect))
    return codes
