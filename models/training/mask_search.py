"""How a pruning method takes part in a training: the one interface of all methods.

A part of a training (search or finetuning) calls `start` once, then for every step `before_step`, (adversarials, loss,
backward) `after_backward`, (the optimiser's step) `after_step`, and `finish` when it is over. `MaskSearch` itself takes
no part: plain training.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from models.training.masks import Masks, apply_masks

SearchState = dict[str, Any]
"""Tensors, numbers and dictionaries of them: what `torch.save` writes and `torch.load(weights_only=True)` reads."""


class MaskSearch:
    """A part of a training that prunes nothing; methods override what they need."""

    network: nn.Module

    def start(self, network: nn.Module) -> None:
        """Take hold of `network`, which the part trains in place from its present weights."""
        self.network = network

    def find_parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Give what the optimiser moves, as parameter groups; the default is the whole network."""
        return [{"params": list(self.network.parameters()), "weight_decay": weight_decay}]

    def before_step(self, step: int, steps: int) -> None:
        """Prepare `step` (0..steps - 1); the adversarials of the step come after it."""

    def after_backward(self) -> None:
        """Change gradients before the optimiser uses them."""

    def after_step(self) -> None:
        """Change the network after the optimiser moved it."""

    @property
    def is_settled(self) -> bool:
        """May the network as it stands be kept as the part's best? False while a target is not reached."""
        return True

    def find_masks(self) -> Masks:
        """Give the final masks as the present state has them, changing nothing; empty where nothing is pruned."""
        return {}

    def finish(self) -> Masks:
        """Give the final masks and leave the network with the weights that finetuning starts from."""
        return self.find_masks()

    def state_dict(self) -> SearchState:
        """Give everything that `load_state_dict` needs to go on bit for bit, apart from the network's own state."""
        return {}

    def load_state_dict(self, state: SearchState) -> None:
        """Go on from `state`; called after `start`, on a network that holds its own saved state."""


class HeldMasks(MaskSearch):
    """Finetuning under fixed masks.

    Masking the gradients alone is not enough: momentum gathered before pruning still moves a pruned weight, and
    weight decay acts after the gradient. Zeroing after the step holds through both.
    """

    def __init__(self, masks: Mapping[str, Tensor]) -> None:
        self.masks: Masks = dict(masks)

    def start(self, network: nn.Module) -> None:
        """Zero the masked weights; errors as in `apply_masks`."""
        super().start(network)
        apply_masks(network, self.masks)

    def after_step(self) -> None:
        """Zero the masked weights again."""
        apply_masks(self.network, self.masks)

    def find_masks(self) -> Masks:
        """Give the masks that are held."""
        return self.masks

    def state_dict(self) -> SearchState:
        """Give the masks."""
        return {"masks": dict(self.masks)}

    def load_state_dict(self, state: SearchState) -> None:
        """Hold the masks of `state` from here on."""
        self.masks = dict(state["masks"])
        apply_masks(self.network, self.masks)
