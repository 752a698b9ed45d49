"""HYDRA: each weight has a score, training moves the scores, and the largest stay.

The network computes with W * m, m = 1 except for the int((1 - k) n) smallest |score| of a layer. The mask has no
gradient of its own: that of m goes straight through to |score|. W is frozen in the search and so are the biases; batch
normalisation trains on. The loss of the paper is TRADES.
Reference: Sehwag et al., "HYDRA: Pruning adversarially robust neural networks", NeurIPS 2020, arXiv 2002.10509.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from models.pruning.magnitude import keep_largest
from models.training.mask_search import MaskSearch, SearchState
from models.training.masks import Masks, find_prunable_weights


def count_removed(size: int, sparsity: float) -> int:
    """Give int(sparsity * size), as HYDRA counts: LWM rounds where this cuts off.

    A billionth is added first, because a product such as 0.57 * 100 falls short of its whole number.
    """
    return int(sparsity * size + 1e-9)


def draw_scores(weight: Tensor) -> Tensor:
    """Give the start scores sqrt(6 / fan_in) * W / max|W|, which rank like |W|; zeros for an all-zero weight."""
    fan_in = weight[0].numel()
    largest = weight.detach().abs().max().clamp_min(torch.finfo(weight.dtype).tiny)
    return math.sqrt(6.0 / fan_in) * weight.detach() / largest


def keep_best(scores: Tensor, removed: int) -> Tensor:
    """Give the bool mask of the shape of `scores` without the `removed` smallest |score|."""
    return keep_largest(scores.detach().abs().flatten(), removed).reshape(scores.shape)


def pass_straight_through(scores: Tensor, mask_gradients: Tensor) -> Tensor:
    """Give the gradient of the scores: that of the mask, straight through to |score|, times the sign of the score."""
    return scores.detach().sign() * mask_gradients


class ScoreSearch(MaskSearch):
    """The search of HYDRA at one keep rate for every layer.

    The network itself always holds W * m, so that attack, validation and loss see what is deployed; W stays here.
    """

    def __init__(self, sparsity: float) -> None:
        """Prepare to remove `count_removed` weights of every layer at `sparsity`, 0..1."""
        if not 0.0 <= sparsity < 1.0:
            raise ValueError(f"sparsity must be a share from 0 to below 1; got {sparsity} (95 % is 0.95)")
        self.sparsity = sparsity
        self.weights: dict[str, Tensor] = {}
        self.scores: dict[str, nn.Parameter] = {}

    def start(self, network: nn.Module) -> None:
        """Take the weights, draw the scores from them and put the first masks on."""
        super().start(network)
        self.weights = {name: weight.detach().clone() for name, weight in find_prunable_weights(network).items()}
        self.scores = {name: nn.Parameter(self.draw_scores(weight)) for name, weight in self.weights.items()}
        self.wear_masks(self.find_present_masks())

    def draw_scores(self, weight: Tensor) -> Tensor:
        """Give the start scores of one layer."""
        return draw_scores(weight)

    def find_parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Move scores and the parameters of normalisation layers."""
        return [
            {"params": list(self.scores.values()), "weight_decay": weight_decay},
            {"params": find_normalisation_parameters(self.network), "weight_decay": weight_decay},
        ]

    @torch.no_grad()
    def after_backward(self) -> None:
        """Turn the gradient of W * m into that of the scores."""
        for name, gradients in self.measure_mask_gradients().items():
            self.scores[name].grad = pass_straight_through(self.scores[name], gradients)

    def measure_mask_gradients(self) -> dict[str, Tensor]:
        """Give dL/dm = dL/d(W * m) * W of every layer, in the shape of the weight."""
        gradients = {}
        for name, weight in find_prunable_weights(self.network).items():
            assert weight.grad is not None
            gradients[name] = weight.grad * self.weights[name]
        return gradients

    def after_step(self) -> None:
        """Put the masks of the moved scores on."""
        self.wear_masks(self.find_present_masks())

    @torch.no_grad()
    def wear_masks(self, masks: Masks) -> None:
        """Write W * m into the network, without a -0.0 where m is 0."""
        for name, weight in find_prunable_weights(self.network).items():
            weight.copy_(self.weights[name]).masked_fill_(~masks[name], 0.0)

    def find_present_masks(self) -> Masks:
        """Give the masks that the present scores ask for."""
        return {
            name: keep_best(scores, count_removed(scores.numel(), self.sparsity))
            for name, scores in self.scores.items()
        }

    def find_masks(self) -> Masks:
        """Give the masks of the present scores."""
        return self.find_present_masks()

    def finish(self) -> Masks:
        """Give the final masks and put them on: a weight that they keep begins at W, whatever the last step wore."""
        masks = self.find_masks()
        self.wear_masks(masks)
        return masks

    def state_dict(self) -> SearchState:
        """Give W and the scores."""
        return {
            "weights": dict(self.weights),
            "scores": {name: scores.detach().clone() for name, scores in self.scores.items()},
        }

    @torch.no_grad()
    def load_state_dict(self, state: SearchState) -> None:
        """Go on with W and the scores of `state`; the parameters stay the optimiser's."""
        self.weights = dict(state["weights"])
        for name, scores in state["scores"].items():
            self.scores[name].copy_(scores)
        self.wear_masks(self.find_present_masks())


def find_normalisation_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Give weights and biases of the batch, group and layer normalisation of `network`."""
    kinds = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
    return [parameter for module in network.modules() if isinstance(module, kinds) for parameter in module.parameters()]
