"""Which samples of a pair are listed, and in what order: one list behind the wall and behind a sample's arrows."""

import bisect
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from backend.analysis.outcomes import largest_within
from backend.errors import InvalidRequest
from backend.schemas import FlipSet
from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.schemas.datasets import DatasetOut
from backend.services import comparisons, datasets
from backend.services.comparisons.selection import Pick, read_pick
from frontend.figures.units import Unit, unit_of
from frontend.review.cut import Cut, View, has_margins, read_cut, set_of, thinness
from frontend.review.sliders import Sliders, read_sliders

Sort = Literal["thinnest", "drop", "thickest", "index"]
SORT_WORDS: dict[Sort, str] = {
    "thinnest": "dense margin",
    "drop": "drop of the margin, largest first",
    "thickest": "dense margin, largest first",
    "index": "index",
}
"""The orders of a list of samples, as words after "by"; assets/sample_lists.js has their buttons."""
SETS: tuple[FlipSet, ...] = get_args(FlipSet)
STATE_KEYS = ("eps", "delta", "view", "set", "class", "thin", "sort", "list", "pick")
"""The query keys in addition to the pair that decide what is listed; every address keeps them."""


@dataclass(frozen=True)
class Filters:
    """What is asked of a sample. `set` None: any; `label` None: any class."""

    view: View = "clean"
    set: FlipSet | None = None
    label: int | None = None
    is_thin: bool = False


@dataclass(frozen=True)
class ShownPair:
    """A comparison with its samples and what an address says about them."""

    cut: Cut
    query: dict[str, str]
    comparison: ComparisonOut
    samples: list[PairedSample]
    dataset: DatasetOut
    unit: Unit
    sliders: Sliders
    filters: Filters
    sort: Sort
    pick: Pick | None = None

    @property
    def eps(self) -> float:
        """eps in shown units."""
        return self.sliders.eps

    @property
    def delta(self) -> float:
        """The threshold of thin ice in shown units."""
        return self.sliders.delta

    @property
    def has_margins(self) -> bool:
        """False where the distances only witness that eps is enough."""
        return has_margins(self.comparison)

    def is_on_thin_ice(self, sample: PairedSample) -> bool:
        """Right for the dense model, with a margin within delta; ice.js says the same in the browser."""
        margin = sample.dense_margin
        return (
            self.has_margins
            and sample.set in ("S11", "S10")
            and margin is not None
            and margin <= largest_within(self.delta / self.unit.scale)
        )

    def is_listed(self, sample: PairedSample, filters: Filters) -> bool:
        return (
            (filters.label is None or sample.label == filters.label)
            and (filters.set is None or set_of(sample, filters.view) == filters.set)
            and (not filters.is_thin or self.is_on_thin_ice(sample))
            and (self.pick is None or self.pick.holds(sample))
        )

    def listed(self, filters: Filters | None = None) -> list[PairedSample]:
        """The samples that pass, in the chosen order."""
        asked = self.filters if filters is None else filters
        chosen = [sample for sample in self.samples if self.is_listed(sample, asked)]
        return sorted(chosen, key=lambda sample: sort_key(sample, self.sort))

    def address(self, path: str, **changes: str | int | None) -> str:
        """A page of this pair with the state kept, but for `changes` (None removes a key)."""
        values: dict[str, Any] = {"dense": self.cut.dense, "pruned": self.cut.pruned}
        values |= {key: self.query[key] for key in STATE_KEYS if self.query.get(key)}
        values |= changes
        return f"{path}?{urlencode({key: value for key, value in values.items() if value is not None}, safe='/')}"


def load_pair(query: dict[str, str]) -> ShownPair:
    """The pair that a query names, with its samples.

    Raises:
        InvalidRequest: a value of the query cannot be used.
        and what `comparisons.compare` raises.
    """
    cut = read_cut(query)
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    samples = comparisons.paired_samples(cut.dense, cut.pruned, cut.eps)
    unit = unit_of(comparison.dense.norm)
    return ShownPair(
        cut=cut,
        query={key: value for key, value in query.items() if value},
        comparison=comparison,
        samples=samples,
        dataset=datasets.get_dataset(str(comparison.dense.dataset_id)),
        unit=unit,
        sliders=read_sliders(comparison, samples, cut, unit),
        filters=Filters(cut.view, cut.set, cut.label, query.get("thin") == "1"),
        sort=read_sort(query.get("sort")) if has_margins(comparison) else "index",
        pick=read_pick(query.get("pick")),
    )


def read_sort(text: str | None) -> Sort:
    for name in SORT_WORDS:
        if (text or "thinnest") == name:
            return name
    raise InvalidRequest(f"The sort order must be one of {', '.join(SORT_WORDS)}; got {text!r}.", sort=text)


def sort_key(sample: PairedSample, sort: Sort) -> tuple[float, float, int]:
    """Ascending; samples without a distance come last, and the thinner of two equals first."""
    if sort == "index":
        return (float(sample.index), 0.0, 0)
    if sort == "thinnest":
        return (thinness(sample), 0.0, sample.index)
    dense, pruned = sample.dense_margin, sample.pruned_margin
    if dense is None or (sort == "drop" and pruned is None):
        return (math.inf, thinness(sample), sample.index)
    largest = dense if sort == "thickest" or pruned is None else dense - pruned
    return (-largest, thinness(sample), sample.index)


@dataclass(frozen=True)
class Place:
    """Where a sample stands in a list: its number from 1 (None: not in it), and what lies before and after."""

    number: int | None
    total: int
    before: int | None
    after: int | None


def find_place(listed: list[PairedSample], sample: PairedSample, sort: Sort) -> Place:
    """The neighbours of a sample in a sorted list, also of one that is not in the list itself."""
    keys = [sort_key(other, sort) for other in listed]
    spot = bisect.bisect_left(keys, sort_key(sample, sort))
    is_inside = spot < len(listed) and listed[spot].index == sample.index
    after = spot + 1 if is_inside else spot
    return Place(
        number=spot + 1 if is_inside else None,
        total=len(listed),
        before=listed[spot - 1].index if spot > 0 else None,
        after=listed[after].index if after < len(listed) else None,
    )
