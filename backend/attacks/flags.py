"""Reliability flags that a few passes can see (Help has the protocol); what each means is in the catalogue."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from backend.attacks.catalogue import FLAGS
from backend.attacks.losses import are_probabilities, measure_gap
from backend.attacks.network.batches import Batches
from backend.attacks.network.call_watch import CallWatch
from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import TINY, measure_l1
from backend.attacks.search.gradient_steps import differentiate_gap
from backend.attacks.search.starts import draw_noise

FLAG_IMAGES = 128
REPEAT_TOLERANCE = 1e-4
SATURATED_SHARE = 0.5
ZERO_SHARE = 0.02
AGREEING_SHARE = 0.9
AGREEING_RATIO = (0.5, 2.0)
HIDDEN_SHARE = 0.5
STEP_SHARE = 1 / 20
MASKING_SHARE = 0.01
MASKED_MARGINS_SHARE = 0.1
FEWEST_JUDGED = 20
MASKED_MARGIN_RATIO = 0.95

LAYERS_WITH_MODE = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)


def exceeds(found: int, tried: int, share_allowed: float) -> bool:
    """Whether `found` of `tried` is more than `share_allowed` beyond chance: the lower end of the 95 % Wilson interval.

    One odd sample of a small chunk is no alarm.
    """
    if tried == 0:
        return False
    share, z = found / tried, 1.96
    centre = share + z * z / (2 * tried)
    spread: float = z * ((share * (1 - share) + z * z / (4 * tried)) / tried) ** 0.5
    return (centre - spread) / (1 + z * z / tried) > share_allowed


def tells_masking(found: int, tried: int) -> bool:
    """Whether a black-box attack that broke `found` of the `tried` survivors of gradient attacks means masking."""
    return exceeds(found, tried, MASKING_SHARE)


def tells_masking_of_margins(searched: Tensor, followed: Tensor) -> bool:
    """Whether a random search beats the gradients: distances (B,) of the search and the best of the attacks with them.

    On sound networks the search, which starts from their best, comes more than 5 % nearer on hardly any sample; under
    twenty samples say nothing.
    """
    if len(searched) < FEWEST_JUDGED:
        return False
    is_far_nearer = searched < MASKED_MARGIN_RATIO * followed
    return exceeds(int(is_far_nearer.sum()), len(searched), MASKED_MARGINS_SHARE)


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
    if are_probabilities(logits):
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

    for _, part_differs in batches.run(min(len(images), FLAG_IMAGES), repeat):
        differs |= part_differs
    return {"randomised"} if differs else set()


@dataclass(frozen=True)
class Slopes:
    """Images (B, C, H, W), the labels and gaps (B,) of their logits, and the gaps' gradients; all on the CPU."""

    images: Tensor
    labels: Tensor
    gaps: Tensor
    gradients: Tensor

    def select(self, rows: Tensor) -> "Slopes":
        """Some of the samples."""
        return Slopes(self.images[rows], self.labels[rows], self.gaps[rows], self.gradients[rows])

    def predict_change(self, moved: Tensor) -> Tensor:
        """What the gradients say the gaps (B,) change by on the way to other images."""
        return ((moved - self.images) * self.gradients).flatten(1).sum(1)


def inspect_gradients(
    classifier: Classifier, images: Tensor, labels: Tensor, batches: Batches, most: int = FLAG_IMAGES
) -> set[str]:
    """`zero-gradients`, `gradient-mismatch` and `partial-gradients`: do gradients tell what small steps change?

    Steps are measured by the median first-order Linf margin, a length that fits the network, so that the flags depend
    neither on the norm nor on the eps of the run. Shares must be exceeded beyond chance. Cost: one gradient and one
    forward pass for up to `most` images, and one more forward pass where pixels without a gradient exist.

    Args:
        images, labels: correctly classified samples (or the network's own predictions as labels), on the CPU.
    """
    images, labels = images[:most], labels[:most]
    if len(images) == 0:
        return set()
    parts = [found for _, found in batches.run(len(images), lambda part: _gap_on(classifier, images, labels, part))]
    gaps, gradients = (torch.cat(column) for column in zip(*parts, strict=True))
    lengths = measure_l1(gradients)
    is_flat = lengths == 0
    codes = {"zero-gradients"} if exceeds(int(is_flat.sum()), len(images), ZERO_SHARE) else set()
    if bool(is_flat.all()):
        return codes
    slopes = Slopes(images, labels, gaps, gradients).select(~is_flat)
    radius = min(float((slopes.gaps / lengths[~is_flat]).median()), 1.0)
    if disagrees_with_steps(classifier, slopes, radius * STEP_SHARE, batches):
        codes.add("gradient-mismatch")
    if hangs_on_hidden_pixels(classifier, slopes, radius, batches):
        codes.add("partial-gradients")
    return codes


def disagrees_with_steps(classifier: Classifier, slopes: Slopes, length: float, batches: Batches) -> bool:
    """Whether a step of `length` along the sign of the gradient changes the gap otherwise than the gradient predicts.

    Cost: one forward pass per image.
    """
    moved = (slopes.images + length * slopes.gradients.sign()).clamp(0.0, 1.0)
    predicted = slopes.predict_change(moved)
    change = measure_gaps(classifier, moved, slopes.labels, batches) - slopes.gaps
    can_move = predicted > 0
    ratio = change[can_move] / predicted[can_move]
    agrees = (ratio >= AGREEING_RATIO[0]) & (ratio <= AGREEING_RATIO[1])
    return exceeds(int((~agrees).sum()), len(ratio), 1.0 - AGREEING_SHARE)


def hangs_on_hidden_pixels(classifier: Classifier, slopes: Slopes, radius: float, batches: Batches) -> bool:
    """Whether pixels without a gradient, moved alone at random by `radius`, change most gaps by more than themselves.

    A gradient says that these pixels do nothing. In a network with most of its weights pruned away they do nothing only
    until a unit wakes up that they feed. Borders that no weight reaches change nothing and raise no alarm. Cost: one
    forward pass per image where such pixels exist.
    """
    is_hidden = slopes.gradients == 0
    if not bool(is_hidden.any()):
        return False
    signs = draw_noise(slopes.images, 0, "hidden pixels").sign()
    moved = (slopes.images + radius * signs * is_hidden).clamp(0.0, 1.0)
    change = measure_gaps(classifier, moved, slopes.labels, batches) - slopes.gaps
    return exceeds(int((change.abs() > slopes.gaps.abs()).sum()), len(change), HIDDEN_SHARE)


def measure_gaps(classifier: Classifier, images: Tensor, labels: Tensor, batches: Batches) -> Tensor:
    """Logit gaps (B,) on the CPU of images on the CPU; one forward pass each."""

    def measure(part: slice) -> Tensor:
        logits = classifier.classify(images[part].to(classifier.device))
        return measure_gap(logits, labels[part].to(classifier.device)).cpu()

    return torch.cat([gaps for _, gaps in batches.run(len(images), measure)])


def _gap_on(classifier: Classifier, images: Tensor, labels: Tensor, part: slice) -> tuple[Tensor, Tensor]:
    batch = images[part].to(classifier.device), labels[part].to(classifier.device)
    _, gap, gradient = differentiate_gap(classifier, *batch)
    return gap.cpu(), gradient.cpu()


def inspect_inner_optimisation(classifier: Classifier, image: Tensor) -> set[str]:
    """`optimises-at-inference` where a forward pass differentiates; one pass of an image (1, C, H, W)."""
    network, watch = classifier.network, CallWatch(torch.autograd.grad, torch.autograd.backward)
    with classifier.following(lambda images: watch.call(network, images)):
        classifier.classify(image.to(classifier.device))
    return {"optimises-at-inference"} if watch.is_called else set()
