"""HARP: HYDRA's scores plus a keep rate per layer that training learns, under a penalty on the total.

Layer l keeps k_l = k_min + (1 - k_min) sigmoid(r_l), k_min = 0.1 k_target, of its weights (or of its input channels),
by |score|. The gradient of k_l is the sum of its mask's gradients. The penalty gamma_t * max(sum k_l c_l / (k_target
sum c_l) - 1, 0) charges weights (c_l = n_l), or of channels multiplications; gamma_t = (round + 1) * gamma until the
penalty is 0 and is frozen from then on. Among channels a shortcut has the rate of its block's first layer. Weights are
frozen in the search.

Differs from the paper: at the end one shift, equal for all r_l, meets the target exactly (`allot`); weight decay does
not act on the rates, which it would draw towards a half; a target above the start rate starts at the target; the first
layer's input channels are the image's and stay.
Reference: Zhao and Wressnegger, "Holistic adversarially robust pruning", ICLR 2023.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.pruning.hydra import ScoreSearch, keep_best, pass_straight_through
from models.pruning.rates import allot, count_multiplications, find_shortcut_ties
from models.pruning.structured import CHANNELS, average_groups, spread_over_groups
from models.training.mask_search import SearchState
from models.training.masks import Masks, find_prunable_weights

START_RATE = 0.1
SMALLEST_SHARE = 0.1
"""k_min as a share of k_target."""


class RateSearch(ScoreSearch):
    """The search of HARP."""

    def __init__(
        self,
        sparsity: float,
        granularity: str = "weight",
        image_shape: tuple[int, int, int] | None = None,
        gamma: float = 0.01,
        rounds: int = 20,
    ) -> None:
        """Prepare the search for a total keep rate of 1 - `sparsity`.

        Args:
            sparsity: share of all weights to remove; with channels the share of the multiplications behind the first
                layer; 0..1.
            granularity: "weight" or "channel" (input channels).
            image_shape: (C, H, W), needed by "channel" to count multiplications.
            gamma: what the penalty's factor grows by in each round.
            rounds: of equal length; the paper's are its epochs.

        Raises:
            ValueError: a granularity or number that makes no search.
        """
        super().__init__(sparsity)
        if granularity not in ("weight", "channel") or (granularity == "channel" and image_shape is None):
            raise ValueError(f"granularity is weight, or channel with an image_shape; got {granularity}, {image_shape}")
        if rounds < 1 or gamma <= 0.0:
            raise ValueError(f"rounds must be at least 1 and gamma above 0; got {rounds} and {gamma}")
        self.granularity, self.image_shape, self.gamma, self.rounds = granularity, image_shape, gamma, rounds
        self.target = 1.0 - sparsity
        self.smallest = SMALLEST_SHARE * self.target
        self.round, self.gamma_now, self.has_met_target = 0, gamma, False
        self.rates: dict[str, nn.Parameter] = {}
        self.ties: dict[str, str] = {}
        self.costs: dict[str, float] = {}

    def start(self, network: nn.Module) -> None:
        """Begin with the same rate in every layer."""
        self.round, self.gamma_now, self.has_met_target = 0, self.gamma, False
        names = list(find_prunable_weights(network))
        free = names if self.granularity == "weight" else names[1:]
        self.costs = self._find_costs(network, free)
        self.ties = find_shortcut_ties(free) if self.granularity == "channel" else {}
        share = (max(START_RATE, self.target) - self.smallest) / (1.0 - self.smallest)
        device = next(network.parameters()).device
        start = math.log(share / (1.0 - share))
        self.rates = {name: nn.Parameter(torch.tensor(start, device=device)) for name in free if name not in self.ties}
        super().start(network)

    def _find_costs(self, network: nn.Module, free: list[str]) -> dict[str, float]:
        """Give what a layer costs in full: weights, or multiplications per image."""
        if self.granularity == "weight":
            return {name: float(network.get_parameter(name).numel()) for name in free}
        assert self.image_shape is not None
        multiplications = count_multiplications(network, self.image_shape)
        return {name: float(multiplications[name]) for name in free}

    def draw_scores(self, weight: Tensor) -> Tensor:
        """Give the start scores, for channels those of the mean |w|: (1, inputs, 1, ...)."""
        if self.granularity == "weight":
            return super().draw_scores(weight)
        means = average_groups(weight.detach().abs(), CHANNELS)
        return super().draw_scores(means.reshape([1, -1] + [1] * (weight.dim() - 2)))

    def find_parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Move scores, normalisation and rates."""
        rates = {"params": list(self.rates.values()), "weight_decay": 0.0}
        return [*super().find_parameter_groups(weight_decay), rates]

    def before_step(self, step: int, steps: int) -> None:
        """Raise gamma where a round begins, until the penalty was 0 once."""
        self.round = step * self.rounds // steps
        if not self.has_met_target:
            self.gamma_now = (self.round + 1) * self.gamma

    @torch.no_grad()
    def after_backward(self) -> None:
        """Turn the gradient of W * m into those of scores and rates, and add the penalty's."""
        gradients = self.measure_mask_gradients()
        for rate in self.rates.values():
            rate.grad = torch.zeros_like(rate)
        is_charged = self.measure_excess() > 0.0
        self.has_met_target |= not is_charged
        for name, gradient in gradients.items():
            grouped = gradient.sum_to_size(self.scores[name].shape)
            self.scores[name].grad = pass_straight_through(self.scores[name], grouped)
            if name in self.costs:
                charge = self.gamma_now * self.costs[name] / (self.target * sum(self.costs.values()))
                self._add_rate_gradient(name, grouped.sum() + (charge if is_charged else 0.0))

    def _add_rate_gradient(self, name: str, keep_gradient: Tensor) -> None:
        """Add dL/dk_l * dk_l/dr_l to the gradient of the rate that layer `name` follows."""
        rate = self.rates[self.ties.get(name, name)]
        share = torch.sigmoid(rate)
        assert rate.grad is not None
        rate.grad += keep_gradient * (1.0 - self.smallest) * share * (1.0 - share)

    def find_keep_shares(self, shift: float = 0.0) -> dict[str, float]:
        """Give k_l of every layer that is pruned, with `shift` added to all r_l."""
        return {
            name: self.smallest
            + (1.0 - self.smallest) * float(torch.sigmoid(self.rates[self.ties.get(name, name)].detach() + shift))
            for name in self.costs
        }

    def measure_excess(self) -> float:
        """Give sum k_l c_l / (k_target sum c_l) - 1: above 0 while too much is kept."""
        kept = sum(share * self.costs[name] for name, share in self.find_keep_shares().items())
        return kept / (self.target * sum(self.costs.values())) - 1.0

    def measure_penalty(self) -> float:
        """Give gamma_t * max(excess, 0)."""
        return self.gamma_now * max(self.measure_excess(), 0.0)

    @property
    def is_settled(self) -> bool:
        """Was the penalty 0 at some step?"""
        return self.has_met_target

    def find_present_masks(self) -> Masks:
        """Give the masks at the present rates, which need not meet the target."""
        shares = self.find_keep_shares()
        sizes = {name: self.scores[name].numel() for name in shares}
        return self._find_masks_for({name: math.ceil(shares[name] * sizes[name] - 1e-6) for name in shares})

    def find_masks(self) -> Masks:
        """Give the masks that meet the target: to the weight, or with the most channels that it affords."""
        sizes = {name: self.scores[name].numel() for name in self.costs}
        return self._find_masks_for(allot(self.find_keep_shares, sizes, self.costs, self.target))

    def _find_masks_for(self, kept: Mapping[str, int]) -> Masks:
        """Give masks that keep the `kept` best groups of the layers named, and layers not named whole."""
        masks: Masks = {}
        for name, scores in self.scores.items():
            removed = scores.numel() - min(scores.numel(), max(1, kept.get(name, scores.numel())))
            mask = keep_best(scores, removed)
            shape = self.weights[name].shape
            masks[name] = mask if mask.shape == shape else spread_over_groups(mask.flatten(), shape, CHANNELS)
        return masks

    def state_dict(self) -> SearchState:
        """Give W, scores, rates and the penalty's memory."""
        rates = {name: rate.detach().clone() for name, rate in self.rates.items()}
        memory = {"round": self.round, "gamma_now": self.gamma_now, "has_met_target": self.has_met_target}
        return {**super().state_dict(), "rates": rates, **memory}

    @torch.no_grad()
    def load_state_dict(self, state: SearchState) -> None:
        """Go on with `state`; the parameters stay the optimiser's."""
        for name, rate in state["rates"].items():
            self.rates[name].copy_(rate)
        self.round, self.gamma_now = state["round"], state["gamma_now"]
        self.has_met_target = state["has_met_target"]
        super().load_state_dict(state)
