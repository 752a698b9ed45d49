"""What attacks lower, and when a sample counts as broken. Logits are float (B, K), labels int64 (B,)."""

import torch
from torch import Tensor
from torch.nn import functional

# Two passes of one point at different batch widths differ by about 5e-7 of the logits. An attack asks for four times
# that, so that a candidate still holds when the point is classified again on its own.
SLACK = 2e-6
PROBABILITY_TOLERANCE = 1e-5


def measure_gap(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
    """Logit of the label minus that of the target, or minus the best other logit without targets; (B,)."""
    true = logits.gather(1, labels[:, None])[:, 0]
    if targets is not None:
        return true - logits.gather(1, targets[:, None])[:, 0]
    return true - logits.scatter(1, labels[:, None], -torch.inf).amax(1)


def find_best_other(logits: Tensor, labels: Tensor) -> Tensor:
    """The class with the largest logit other than the label; int64 (B,)."""
    return logits.scatter(1, labels[:, None], -torch.inf).argmax(1)


def measure_slack(logits: Tensor) -> Tensor:
    """How far below zero the gap must be to hold at any batch width; (B,)."""
    return SLACK * logits.detach().abs().amax(1)


def is_lost(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether another class wins clearly (bool (B,)); False where logits are not finite."""
    lost = measure_gap(logits, labels) < -measure_slack(logits)
    return lost & logits.isfinite().all(1)


def predict(logits: Tensor) -> Tensor:
    """Predicted class int64 (B,); entries that are NaN never win."""
    return logits.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf).argmax(1)


def measure_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy per sample (B,), in nats."""
    return functional.cross_entropy(logits, labels, reduction="none")


def are_probabilities(outputs: Tensor) -> bool:
    """Whether outputs (B, K) are in [0, 1] and sum to one in every row; rows that are not finite do not count."""
    outputs = outputs[outputs.isfinite().all(1)]
    if len(outputs) == 0:
        return False
    is_in_range = bool(((outputs > -PROBABILITY_TOLERANCE) & (outputs < 1 + PROBABILITY_TOLERANCE)).all())
    return is_in_range and bool(((outputs.sum(1) - 1).abs() < PROBABILITY_TOLERANCE * outputs.shape[1]).all())
