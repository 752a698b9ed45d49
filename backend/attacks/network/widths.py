"""How many images go through the network at once, so that no sample's bits depend on the others in its pass.

Arithmetic depends on the number of images in a pass (about 5e-7 of the logits between some widths). A run
therefore fixes one width and pads its last passes to it. Narrower passes are allowed only where a probe has shown that
they give the very bits of the full width on this network and device; then the tail of a run costs less.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from backend.attacks.network.batches import is_out_of_memory

PROBED_SHARES = ((3, 4), (1, 2), (1, 4), (1, 8), (1, 16))
NARROW_WIDTH = 16  # below, three quarters save less than their probe costs
SMALLEST_WIDTH = 2
TRIED_WIDTHS = {"cpu": (8, 16, 32, 64, 128), "cuda": (64, 128, 256, 512, 1024)}
GAIN_WORTH_A_WIDER_PASS = 1.05


def pad(images: Tensor, width: int) -> Tensor:
    """Repeat the last image until there are `width` of them."""
    missing = width - len(images)
    return images if missing <= 0 else torch.cat([images, images[-1:].expand(missing, *images.shape[1:])])


def differentiate_first_logits(network: Callable[[Tensor], Tensor], images: Tensor) -> list[Tensor]:
    """Logits, the gradient of the first minus the last one, and the sums that attacks take of it; per image."""
    points = images.detach().clone().requires_grad_()
    logits = network(points)
    gap = logits[:, 0] - logits[:, -1] + 0.0 * points.flatten(1)[:, 0]
    (gradient,) = torch.autograd.grad(gap.sum(), points)
    flat = gradient.flatten(1)
    return [logits.detach(), gradient, flat.abs().sum(1), flat.norm(dim=1), flat.abs().amax(1)]


def find_widths(network: Callable[[Tensor], Tensor], images: Tensor, width: int) -> tuple[int, ...]:
    """The width and those of its `PROBED_SHARES` that give its bits; from the widest.

    Each narrower pass is compared with the tail of the full one, where its images stand in other places, on images
    (B, C, H, W) on the network's device, repeated until they fill the width. Cost: under three gradients for each image
    of the width.
    """
    if width < 2 * SMALLEST_WIDTH:
        return (width,)
    filled = images[torch.arange(width, device=images.device) % len(images)]
    try:
        full = differentiate_first_logits(network, filled)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return (width,)  # the next pass finds out, and halves it
    allowed = [width]
    for upper, lower in PROBED_SHARES:
        narrow = width * upper // lower
        if upper > 1 and width < NARROW_WIDTH:
            continue
        if width * upper % lower or narrow < SMALLEST_WIDTH:
            continue
        part = differentiate_first_logits(network, filled[-narrow:])
        if all(torch.equal(whole[-narrow:], own) for whole, own in zip(full, part, strict=True)):
            allowed.append(narrow)
    return tuple(allowed)


def tune_width(network: Callable[[Tensor], Tensor], images: Tensor, seconds: float = 1.0) -> int:
    """The narrowest of a few widths within 5 % of the most images a second, timed for about `seconds`.

    Timed, so another call may give another width: an evaluation asks once, records the width and keeps it.
    """
    device = images.device
    tried = TRIED_WIDTHS.get(device.type, TRIED_WIDTHS["cpu"])
    rates: dict[int, float] = {}
    for width in tried:
        filled = images[torch.arange(width, device=device) % len(images)]
        try:
            rates[width] = measure_rate(network, filled, seconds / len(tried))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            break
    if not rates:
        return tried[0]
    best = max(rates.values())
    return min(width for width, rate in rates.items() if rate * GAIN_WORTH_A_WIDER_PASS >= best)


def measure_rate(network: Callable[[Tensor], Tensor], images: Tensor, seconds: float) -> float:
    """Images a second through one forward and one backward pass; at least two passes, of which the fastest counts."""
    fastest, spent, passes = float("inf"), 0.0, 0
    while passes < 2 or spent < seconds:
        began = time.perf_counter()
        differentiate_first_logits(network, images)
        if images.is_cuda:
            torch.cuda.synchronize(images.device)
        elapsed = time.perf_counter() - began
        fastest, spent, passes = min(fastest, elapsed), spent + elapsed, passes + 1
    return len(images) / fastest
