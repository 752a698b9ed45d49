"""Builds the mask search of a plan; `plans` has the methods as data."""

from collections.abc import Callable

from models.pruning.admm import AdmmSearch
from models.pruning.harp import RateSearch
from models.pruning.hydra import ScoreSearch
from models.pruning.lwm import MagnitudeSearch
from models.pruning.plans import CONTROL, HARP, HYDRA, LEARNED_RATES, LWM, R_ADMM, THIN_ICE, Plan, check_plan
from models.training.mask_search import MaskSearch

ImageShape = tuple[int, int, int]


def _build_lwm(plan: Plan, _image_shape: ImageShape) -> MaskSearch:
    scope: str = "layerwise" if plan.granularity == "weight" else plan.granularity
    if plan.settings.get("global_ranking"):
        scope = "global"
    return MagnitudeSearch(plan.rate, scope, plan.finetuning.mask_share)


def _build_admm(plan: Plan, _image_shape: ImageShape) -> MaskSearch:
    values = {name: plan.settings[name] for name in ("rho", "growth") if name in plan.settings}
    return AdmmSearch(plan.rate, rounds=int(plan.settings.get("rounds", 10)), **values)


def _build_hydra(plan: Plan, _image_shape: ImageShape) -> MaskSearch:
    return ScoreSearch(plan.rate)


def _build_harp(plan: Plan, image_shape: ImageShape) -> MaskSearch:
    gamma, rounds = plan.settings.get("gamma", 0.01), int(plan.settings.get("rounds", 20))
    return RateSearch(plan.rate, plan.granularity, image_shape, gamma, rounds)


def _build_thin_ice(plan: Plan, image_shape: ImageShape) -> MaskSearch:
    """Search as LWM without a search of its own, as HYDRA with one, as HARP with learned rates; the loss differs."""
    if plan.searching is None:
        return _build_lwm(plan, image_shape)
    return _build_harp(plan, image_shape) if plan.settings.get(LEARNED_RATES) else _build_hydra(plan, image_shape)


BUILDERS: dict[str, Callable[[Plan, ImageShape], MaskSearch]] = {
    LWM: _build_lwm,
    R_ADMM: _build_admm,
    HYDRA: _build_hydra,
    HARP: _build_harp,
    THIN_ICE: _build_thin_ice,
}
"""One for each row of `plans.METHODS`."""


def build_search(plan: Plan, image_shape: ImageShape) -> MaskSearch:
    """Build the search of `plan` for images (C, H, W); a control's prunes nothing.

    Raises:
        ValueError: see `plans.check_plan`.
    """
    if plan.method == CONTROL:
        return MaskSearch()
    return BUILDERS[check_plan(plan).name](plan, image_shape)
