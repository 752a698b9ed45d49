"""R-ADMM: training is pulled towards the nearest sparse weights, which follow it in rounds.

The training loss is L(adversarial) + sum over layers of rho / 2 * ||W - Z + U||^2: W the weights, Z the nearest sparse
ones, U the scaled dual. At the end the smallest |w| of each layer go for good and the rest is finetuned.
Differs from the paper's code: the projection keeps an exact count where that code compares with a percentile, which
removes more or fewer weights in ties.
Reference: Ye et al., "Adversarial robustness vs model compression, or both?", ICCV 2019, arXiv 1903.12561.
"""

import torch
from torch import Tensor, nn

from models.pruning.magnitude import find_layerwise_masks
from models.training.mask_search import MaskSearch, SearchState
from models.training.masks import Masks, find_prunable_weights


def project(weight: Tensor, sparsity: float) -> Tensor:
    """Give the nearest tensor to `weight` with the share `sparsity` of zeros: its smallest |w| are zero.

    The result is a copy: written into a view it would overwrite live weights.
    """
    (mask,) = find_layerwise_masks({"weight": weight}, sparsity).values()
    return weight.detach().clone().masked_fill_(~mask, 0.0)


class AdmmSearch(MaskSearch):
    """The search of ADMM at one sparsity for every layer."""

    def __init__(self, sparsity: float, rho: float = 1e-3, growth: float = 1.3, rounds: int = 10) -> None:
        """Prepare `rounds` rounds of equal length, with an update of rho, Z and U between two of them.

        Args:
            sparsity: share of every layer that is zero at the end, 0..1.
            rho: strength of the pull. What counts is rho * learning rate * steps: a schedule that is shortened by a
                factor needs a rho that is larger by it.
            growth: factor of rho at each update; 1 keeps it.
            rounds: at least 1.
        """
        if rounds < 1 or rho <= 0.0 or growth <= 0.0:
            raise ValueError(f"rounds must be at least 1, rho and growth above 0; got {rounds}, {rho}, {growth}")
        self.sparsity, self.start_rho, self.growth, self.rounds = sparsity, rho, growth, rounds
        self.rho, self.round = rho, 0
        self.sparse: dict[str, Tensor] = {}
        self.duals: dict[str, Tensor] = {}

    @property
    def is_settled(self) -> bool:
        """Only in the last round: before it W is hardly pulled, and validates best because nothing is taken away."""
        return self.round == self.rounds - 1

    def start(self, network: nn.Module) -> None:
        """Begin with Z = project(W) and U = 0."""
        super().start(network)
        self.rho, self.round = self.start_rho, 0
        weights = find_prunable_weights(network)
        self.sparse = {name: project(weight, self.sparsity) for name, weight in weights.items()}
        self.duals = {name: torch.zeros_like(weight) for name, weight in self.sparse.items()}

    def before_step(self, step: int, steps: int) -> None:
        """Update rho, Z and U where a round begins, apart from the first."""
        if (present := step * self.rounds // steps) > self.round:
            self.round = present
            self.update_duals()

    @torch.no_grad()
    def update_duals(self) -> None:
        """Apply rho *= growth, Z = project(W + U), U += W - Z, in this order."""
        self.rho *= self.growth
        for name, weight in find_prunable_weights(self.network).items():
            self.sparse[name] = project(weight + self.duals[name], self.sparsity)
            self.duals[name] += weight - self.sparse[name]

    @torch.no_grad()
    def after_backward(self) -> None:
        """Add the penalty's gradient, rho * (W - Z + U), to that of the loss."""
        for name, weight in find_prunable_weights(self.network).items():
            assert weight.grad is not None
            weight.grad += self.rho * (weight - self.sparse[name] + self.duals[name])

    @torch.no_grad()
    def measure_penalty(self) -> float:
        """Give sum over layers of rho / 2 * ||W - Z + U||^2."""
        weights = find_prunable_weights(self.network)
        pulls = (weight - self.sparse[name] + self.duals[name] for name, weight in weights.items())
        return self.rho / 2 * sum(float((pull**2).sum()) for pull in pulls)

    def find_masks(self) -> Masks:
        """Mask the smallest |w| of each layer as the weights stand now."""
        return find_layerwise_masks(find_prunable_weights(self.network), self.sparsity)

    def state_dict(self) -> SearchState:
        """Give rho, the round, Z and U."""
        return {"rho": self.rho, "round": self.round, "sparse": dict(self.sparse), "duals": dict(self.duals)}

    def load_state_dict(self, state: SearchState) -> None:
        """Go on with rho, the round, Z and U of `state`."""
        self.rho, self.round = state["rho"], state["round"]
        self.sparse, self.duals = dict(state["sparse"]), dict(state["duals"])
