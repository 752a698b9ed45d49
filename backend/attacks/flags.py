"""Reliability flags that a few passes can see (protocol 4.7); what each means is in the catalogue."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from backend.attacks.batches import Batches
from backend.attacks.catalogue import FLAGS
from backend.attacks.classifier import Classifier
from backend.attacks.losses import measure_gap
from backend.attacks.norms import TINY, expand, measure_l1
from backend.attacks.walks import differentiate_gap

LOOKED_AT = 128
REPEAT_TOLERANCE = 1e-4
PROBABILITY_TOLERANCE = 1e-5
SATURATED_SHARE = 0.5
ZERO_SHARE = 0.02
AGREEING_SHARE = 0.9
AGREEING_RATIO = (0.5, 2.0)
STEP_SHARE = 1 / 20
MASKING_SHARE = 0.01
MASKED_MARGINS_SHARE = 0.1
MASKED_MARGIN_RATIO = 0.95

LAYERS_WITH_MODE = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)


def tells_masking(found: int, tried: int, share_allowed: float = MASKING_SHARE) -> bool:
    """Whether a black-box attack that broke `found` of the `tried` survivors of gradient attacks means masking.

    The lower end of the 95 % Wilson interval must exceed `share_allowed`: one lucky break in a small chunk is no alarm.
    """
    if tried == 0:
        return False
    share, z = found / tried, 1.96
    centre = share + z * z / (2 * tried)
    spread = z * ((share * (1 - share) + z * z / (4 * tried)) / tried) ** 0.5
    return (centre - spread) / (1 + z * z / tried) > share_allowed


def tells_masking_of_margins(searched: Tensor, followed: Tensor) -> bool:
    """Whether a random search beats the gradients: distances (B,) of the search and the best of the attacks with them.

    On sound networks the search, which starts from their best, comes more than 5 % nearer on hardly any sample.
    """
    is_far_nearer = searched < MASKED_MARGIN_RATIO * followed
    return tells_masking(int(is_far_nearer.sum()), len(searched), MASKED_MARGINS_SHARE)


def order_flags(codes: set[str]) -> tuple[str, ...]:
    """Codes in the catalogue's order."""
    return tuple(code for code in FLAGS if code in codes)


def inspect_modes(network: nn.Module) -> set[str]:
    """`train-mode` where a layer stays in training mode after eval()."""
    is_training = any(module.training and isinstance(module, LAYERS_WITH_MODE) for module in network.modules())
    return {"train-mode"} if is_training else set()


def inspect_logits(logits: Tensor) -> set[str]:
    """`non-finite`, `probabilities` and `saturated`, from the clean logits (B, K)."""
    codes = set()
    is_finite = logits.isfinite().all(1)
    if not bool(is_finite.all()):
        codes.add("non-finite")
    logits = logits[is_finite]
    if len(logits) == 0:
        return codes
    is_in_range = bool(((logits > -PROBABILITY_TOLERANCE) & (logits < 1 + PROBABILITY_TOLERANCE)).all())
    if is_in_range and bool(((logits.sum(1) - 1).abs() < PROBABILITY_TOLERANCE * logits.shape[1]).all()):
        codes.add("probabilities")
    if float((logits.softmax(1).amax(1) == 1.0).float().mean()) > SATURATED_SHARE:
        codes.add("saturated")
    return codes


def inspect_repeat(classifier: Classifier, images: Tensor, batches: Batches) -> set[str]:
    """`randomised` where two passes over the same batch differ; two forward passes for up to 128 images."""
    differs = False

    def repeat(part: slice) -> bool:
        batch = images[part].to(classifier.device)
        first, second = classifier.classify(batch), classifier.classify(batch)
        scale = first.abs().amax(1, keepdim=True).clamp_min(TINY)
        # NaN compares as different from itself: only places where both passes are numbers tell something.
        return bool((((first - second).abs() / scale).nan_to_num(nan=0.0) > REPEAT_TOLERANCE).any())

    for _, part_differs in batches.run(min(len(images), LOOKED_AT), repeat):
        differs |= part_differs
    return {"randomised"} if differs else set()


def inspect_gradients(classifier: Classifier, images: Tensor, labels: Tensor, batches: Batches) -> set[str]:
    """`zero-gradients` and `gradient-mismatch`: does a small step change the gap as its gradient predicts?

    The step goes along the sign of the gradient, by a twentieth of the median first-order Linf margin: a length that
    fits the network, so the answer depends neither on the norm nor on the eps of the run. Cost: one gradient and one
    forward pass for up to 128 images.

    Args:
        images, labels: correctly classified samples (or the network's own predictions as labels), on the CPU.
    """
    images, labels = images[:LOOKED_AT], labels[:LOOKED_AT]
    if len(images) == 0:
        return set()
    parts = [answer for _, answer in batches.run(len(images), lambda part: _gap_on(classifier, images, labels, part))]
    gaps, gradients = (torch.cat(column) for column in zip(*parts, strict=True))
    lengths = measure_l1(gradients)
    is_flat = lengths == 0
    codes = {"zero-gradients"} if float(is_flat.float().mean()) > ZERO_SHARE else set()
    images, labels, gaps, gradients = images[~is_flat], labels[~is_flat], gaps[~is_flat], gradients[~is_flat]
    if len(images) == 0:
        return codes
    scale = float((gaps / lengths[~is_flat]).median())
    steps = expand(torch.full_like(gaps, min(scale, 1.0) * STEP_SHARE), images) * gradients.sign()
    moved = (images + steps).clamp(0.0, 1.0)
    predicted = ((moved - images) * gradients).flatten(1).sum(1)

    def measure(part: slice) -> Tensor:
        logits = classifier.classify(moved[part].to(classifier.device))
        return measure_gap(logits, labels[part].to(classifier.device)).cpu()

    change = torch.cat([answer for _, answer in batches.run(len(moved), measure)]) - gaps
    can_move = predicted > 0
    ratio = change[can_move] / predicted[can_move]
    agrees = (ratio >= AGREEING_RATIO[0]) & (ratio <= AGREEING_RATIO[1])
    if len(ratio) and float(agrees.float().mean()) < AGREEING_SHARE:
        codes.add("gradient-mismatch")
    return codes


def _gap_on(classifier: Classifier, images: Tensor, labels: Tensor, part: slice) -> tuple[Tensor, Tensor]:
    batch = images[part].to(classifier.device), labels[part].to(classifier.device)
    _, gap, gradient = differentiate_gap(classifier, *batch)
    return gap.cpu(), gradient.cpu()


def inspect_inner_optimisation(classifier: Classifier, image: Tensor) -> set[str]:
    """`optimises-at-inference` where a forward pass differentiates; one pass of an image (1, C, H, W)."""
    watched = {torch.autograd.grad.__code__, torch.autograd.backward.__code__}
    seen: list[str] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in watched:
            seen.append(frame.f_code.co_name)

    before: Callable[..., Any] | None = sys.getprofile()
    sys.setprofile(watch)
    try:
        classifier.classify(image.to(classifier.device))
    finally:
        sys.setprofile(before)
    return {"optimises-at-inference"} if seen else set()
