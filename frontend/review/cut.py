"""What the page shows of a comparison: the choices in its address, and the samples that they leave."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from backend.errors import InvalidRequest
from backend.schemas import FlipSet
from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.services import comparisons

View = Literal["clean", "robust"]


@dataclass(frozen=True)
class Cut:
    """The state in the address.

    `eps` and `delta` as text ("25.5/255"; None: the comparison's own); `label`: a class's number.
    """

    dense: str
    pruned: str
    eps: str | None = None
    view: View = "clean"
    set: FlipSet | None = None
    label: int | None = None
    delta: str | None = None

    def sample_address(self, index: int) -> str:
        """Where one sample is shown in full, with the list it was seen in; compare.js writes the same."""
        state = {
            "eps": self.eps,
            "delta": self.delta,
            "view": None if self.view == "clean" else self.view,
            "class": self.label,
            "set": self.set,
        }
        values = {"dense": self.dense, "pruned": self.pruned, "index": index, **state}
        query = urlencode({key: value for key, value in values.items() if value is not None}, safe="/")
        return f"/sample?{query}"


def complete_pair(query: dict[str, str], seen: dict[str, str] | None = None) -> dict[str, str] | None:
    """The query with a pair filled in, where it has none and one exists.

    It is the one that the visitor saw last (`seen`, kept in the browser) if that can still be compared, otherwise the
    most telling one.
    """
    if query.get("dense") and query.get("pruned"):
        return None
    if seen and seen.get("dense") and seen.get("pruned") and comparisons.is_pair(seen["dense"], seen["pruned"]):
        return {**query, "dense": seen["dense"], "pruned": seen["pruned"]}
    pairs = comparisons.default_pairs()
    if not pairs:
        return None
    dense, pruned = pairs[0]
    return {**query, "dense": str(dense.id), "pruned": str(pruned.id)}


def read_cut(query: dict[str, Any]) -> Cut:
    """The cut that a query asks for. Raises InvalidRequest for a view, set or class that does not exist."""
    flip_set, label = query.get("set") or None, query.get("class") or None
    view: View = "robust" if query.get("view") == "robust" else "clean"
    if (query.get("view") or "clean") != view:
        raise InvalidRequest(f'The view must be "clean" or "robust"; got {query["view"]!r}.', view=query["view"])
    if flip_set is not None and flip_set not in get_args(FlipSet):
        raise InvalidRequest(f"The set must be one of {', '.join(get_args(FlipSet))}; got {flip_set!r}.", set=flip_set)
    if label is not None and not str(label).isdecimal():
        raise InvalidRequest(f"The class must be a number, counted from 0; got {label!r}.")
    number = None if label is None else int(label)
    return Cut(
        query["dense"], query["pruned"], query.get("eps") or None, view, flip_set, number, query.get("delta") or None
    )


def set_of(sample: PairedSample, view: View) -> FlipSet:
    """The set a sample belongs to, by clean or by robust correctness."""
    return sample.set if view == "clean" else sample.robust_set


def choose_flips(
    samples: list[PairedSample], cut: Cut, *, is_measured: bool = True
) -> tuple[FlipSet, list[PairedSample]]:
    """The set on the wall (the lost ones unless another is chosen) and its samples.

    Thinnest ice first; by index where no margins were measured.
    """
    name: FlipSet = cut.set or "S10"
    chosen = [
        sample
        for sample in samples
        if set_of(sample, cut.view) == name and (cut.label is None or sample.label == cut.label)
    ]
    return name, sorted(chosen, key=lambda sample: (thinness(sample) if is_measured else 0.0, sample.index))


def thinness(sample: PairedSample) -> float:
    """The distance to sort by: the dense margin; for samples already wrong, the one of the dense prediction."""
    margin = sample.dense_margin
    if margin == 0 and sample.dense_margin_pred is not None:
        margin = sample.dense_margin_pred
    return math.inf if margin is None else margin


def has_margins(comparison: ComparisonOut) -> bool:
    """Whether both sides hold minimum distances; witnesses found at one eps only bound them and are not drawn."""
    return all(side.record.distance_kind != "witness" for side in (comparison.dense, comparison.pruned))
