"""LWM as part of a training: masks by magnitude, all at once or growing while the network trains."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from models.pruning.magnitude import cubic_sparsity, find_global_masks, find_layerwise_masks
from models.pruning.structured import find_channel_masks, find_filter_masks
from models.training.mask_search import MaskSearch, SearchState
from models.training.masks import Masks, apply_masks, find_prunable_weights

STEPS_BETWEEN_MASKS = 50

FindMasks = Callable[[Mapping[str, Tensor], float, Mapping[str, Tensor] | None], Masks]

SCOPES: dict[str, FindMasks] = {
    "layerwise": find_layerwise_masks,
    "global": find_global_masks,
    "filter": find_filter_masks,
    "channel": find_channel_masks,
}


class MagnitudeSearch(MaskSearch):
    """Mask what is smallest and hold it, while all that is left trains.

    With a `mask_share` above 0 the masks grow along `cubic_sparsity` every 50 steps and are final after that share of
    all steps (iterative); with 0 they are final before the first step (one-shot).
    """

    def __init__(self, rate: float, scope: str = "layerwise", mask_share: float = 0.0) -> None:
        """Prepare to remove the share `rate` of what `scope` (a key of `SCOPES`) ranks.

        Raises:
            ValueError: an unknown scope; the message lists what exists.
        """
        if scope not in SCOPES:
            raise ValueError(f"there is no scope {scope!r}; known: {', '.join(SCOPES)}")
        self.rate, self.scope, self.mask_share = rate, scope, mask_share
        self.masks: Masks | None = None
        self.is_final = False

    def start(self, network: nn.Module) -> None:
        """Begin with every weight."""
        super().start(network)
        self.masks, self.is_final = None, False

    def before_step(self, step: int, steps: int) -> None:
        """Renew the masks where the schedule says so."""
        final_step = int(self.mask_share * steps)
        if step > final_step or (step % STEPS_BETWEEN_MASKS and step != final_step):
            return
        now = cubic_sparsity(step, final_step, self.rate) if final_step else self.rate
        self.masks = SCOPES[self.scope](find_prunable_weights(self.network), now, self.masks)
        self.is_final = step == final_step
        apply_masks(self.network, self.masks)

    def after_step(self) -> None:
        """Zero the masked weights again: momentum and weight decay move them."""
        apply_masks(self.network, self.masks or {})

    @property
    def is_settled(self) -> bool:
        """Have the masks stopped growing?"""
        return self.is_final

    def find_masks(self) -> Masks:
        """Give the masks held now."""
        return self.masks or {}

    def state_dict(self) -> SearchState:
        """Give the masks held now."""
        return {"masks": self.masks, "is_final": self.is_final}

    def load_state_dict(self, state: SearchState) -> None:
        """Go on with the masks of `state`."""
        self.masks, self.is_final = state["masks"], state["is_final"]
