"""The pruning methods as a table, and a plan: one method with everything that decides its run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from models.pruning.admm import AdmmSearch
from models.pruning.harp import RateSearch
from models.pruning.hydra import ScoreSearch
from models.pruning.lwm import MagnitudeSearch
from models.pruning.search import MaskSearch
from models.pruning.thin_ice import Care
from models.training.recipe import Recipe

Granularity = Literal["weight", "filter", "channel"]
ImageShape = tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """How to prune: `rate` 0..1 of what `granularity` names goes away, weights by default.

    `searching` is the recipe of the mask search, None for a method that finds its masks while it finetunes.
    `settings` are numbers of the method's own, by the names of its row in `METHODS`.
    """

    method: str
    rate: float
    finetuning: Recipe
    searching: Recipe | None = None
    granularity: Granularity = "weight"
    settings: Mapping[str, float] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        """Give what the finetuning's recipe does not say, as plain JSON values; empty for one-stage LWM."""
        record: dict[str, Any] = {}
        if self.searching is not None:
            record["search"] = {"training": self.searching.loss, **self.searching.to_record()}
        if self.settings:
            record["settings"] = dict(self.settings)
        return record


@dataclass(frozen=True)
class Method:
    """One row: what the method can prune, the names of its settings, whether it has a stage of search."""

    name: str
    title: str
    granularities: tuple[Granularity, ...]
    settings: tuple[str, ...]
    searches: bool
    build: Callable[[Plan, ImageShape], MaskSearch]


CARE_SETTINGS = tuple(field.name for field in fields(Care))
"""The factors of the thin-ice loss."""

LEARNED_RATES = "learned_rates"


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
    """Search as LWM without a stage of search, as HYDRA with one, as HARP with learned rates; the loss differs."""
    if plan.searching is None:
        return _build_lwm(plan, image_shape)
    return _build_harp(plan, image_shape) if plan.settings.get(LEARNED_RATES) else _build_hydra(plan, image_shape)


def read_care(plan: Plan) -> Care | None:
    """Give the care that a thin-ice plan takes of its samples; None for the other methods."""
    if plan.method != "thin-ice":
        return None
    return Care(**{name: value for name, value in plan.settings.items() if name in CARE_SETTINGS})


ROWS = (
    Method("lwm", "Lowest weight magnitude", ("weight", "filter", "channel"), ("global_ranking",), False, _build_lwm),
    Method("r-admm", "R-ADMM", ("weight",), ("rho", "growth", "rounds"), True, _build_admm),
    Method("hydra", "HYDRA", ("weight",), (), True, _build_hydra),
    Method("harp", "HARP", ("weight", "channel"), ("gamma", "rounds"), True, _build_harp),
    Method("thin-ice", "Thin-ice-aware", ("weight",), (*CARE_SETTINGS, LEARNED_RATES), False, _build_thin_ice),
)

METHODS: dict[str, Method] = {row.name: row for row in ROWS}


def build_search(plan: Plan, image_shape: ImageShape) -> MaskSearch:
    """Build the search of `plan` for images (C, H, W).

    Raises:
        ValueError: an unknown method, or a granularity, setting or stage that the method does not have; the message
            lists what exists.
    """
    if plan.method not in METHODS:
        raise ValueError(f"no pruning method is called {plan.method!r}; there are: {', '.join(METHODS)}")
    method = METHODS[plan.method]
    if plan.granularity not in method.granularities:
        raise ValueError(f"{method.name} prunes {', '.join(method.granularities)}; not {plan.granularity!r}")
    if unknown := sorted(set(plan.settings) - set(method.settings)):
        raise ValueError(f"{method.name} has no settings {', '.join(unknown)}; it has: {', '.join(method.settings)}")
    if method.searches and plan.searching is None:
        raise ValueError(f"{method.name} needs a recipe for its mask search")
    return method.build(plan, image_shape)
