"""Keep rates per layer: what layers cost, which share a rate, and how a total is met exactly."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from models.training.masks import PRUNABLE_LAYERS, find_prunable_weights

SHORTCUTS = ("shortcut.0.weight", "downsample.0.weight", "convShortcut.weight")
SHIFT_LIMIT = 60.0
"""A sigmoid is 0 or 1 in double precision beyond it."""


def count_multiplications(network: nn.Module, image_shape: tuple[int, int, int]) -> dict[str, int]:
    """Count the multiplications of every prunable layer for one image (C, H, W): weight name -> count."""
    weights = find_prunable_weights(network)
    names = {id(weight): name for name, weight in weights.items()}
    counts = dict.fromkeys(weights, 0)

    def count(layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        positions = output[0, 0].numel() if output.dim() > 2 else 1
        counts[names[id(layer.weight)]] += layer.weight.numel() * positions

    handles = [
        module.register_forward_hook(count) for module in network.modules() if isinstance(module, PRUNABLE_LAYERS)
    ]
    was_training = [module for module in network.modules() if module.training]
    try:
        network.eval()
        with torch.no_grad():
            network(torch.zeros(1, *image_shape, device=next(network.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module in was_training:
            module.training = True
    return counts


def find_shortcut_ties(names: list[str]) -> dict[str, str]:
    """Tie the convolution on a residual shortcut to the first convolution of its block: both read the same input.

    Returns:
        name of the shortcut's weight -> name of the weight whose rate it follows.
    """
    ties: dict[str, str] = {}
    for name in names:
        for ending in SHORTCUTS:
            first = f"{name.removesuffix(ending)}conv1.weight"
            if name.endswith(ending) and first in names:
                ties[name] = first
    return ties


def allot(
    find_shares: Callable[[float], Mapping[str, float]],
    sizes: Mapping[str, int],
    costs: Mapping[str, float],
    target: float,
) -> dict[str, int]:
    """Decide how many groups each layer keeps so that the total cost is the target's, and not above.

    One shift of all rates meets the total; each layer keeps the whole groups of its share, at least one; what is left
    goes to the largest remainders as long as it is affordable. Where every group costs 1, as weights do, the total is
    round(target * sum of sizes) exactly.

    Args:
        find_shares: shift -> keep share of each layer, 0..1, growing with the shift.
        sizes: groups of each layer.
        costs: what each layer costs in full; a group costs costs / sizes.
        target: share of the total cost to keep, 0..1.
    """
    unit = {name: costs[name] / sizes[name] for name in sizes}
    budget = target * sum(costs.values())
    if all(value == 1.0 for value in unit.values()):
        budget = float(round(budget))
    low, high = -SHIFT_LIMIT, SHIFT_LIMIT
    for _ in range(100):
        middle = (low + high) / 2
        cost = sum(share * costs[name] for name, share in find_shares(middle).items())
        low, high = (middle, high) if cost <= budget else (low, middle)
    wanted = {name: share * sizes[name] for name, share in find_shares(low).items()}
    kept = {name: max(1, min(sizes[name], int(wanted[name]))) for name in sizes}
    left = budget - sum(kept[name] * unit[name] for name in sizes)
    while True:
        affordable = [name for name in sizes if kept[name] < sizes[name] and unit[name] <= left + 1e-6]
        if not affordable:
            return kept
        best = max(affordable, key=lambda name: wanted[name] - kept[name])
        kept[best] += 1
        left -= unit[best]
