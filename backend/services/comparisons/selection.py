"""Which samples of a comparison are meant: those of a set or a class, or picked ones, as an address carries them.

frontend/assets/selection.js writes and reads the same text of a selection.

`dense_wrong_7/255_pruned_0.02_none` are ranges of margins (above the first end, up to the second; "wrong": a margin of
0, "found": the largest one, "none": not found). `rows_5.3-2.k` are rows: gaps in base 36, each with how many neighbours
follow.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from backend.counts import count_words
from backend.errors import InvalidRequest
from backend.schemas.comparisons import PairedSample

ROUNDING = 1 + 1e-12
TOKEN = re.compile(r"[0-9a-z]+(-[0-9a-z]+)?")
MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class Pick:
    """Picked samples: their rows, or by side the two ends of a range of margins."""

    rows: frozenset[int] | None = None
    ranges: dict[str, tuple[str, str]] = field(default_factory=dict)

    def holds(self, sample: PairedSample) -> bool:
        """Whether the sample is one of them."""
        if self.rows is not None:
            return sample.index in self.rows
        margins = {"dense": sample.dense_margin, "pruned": sample.pruned_margin}
        return all(is_inside(margins[side], *ends) for side, ends in self.ranges.items())

    @property
    def words(self) -> str:
        """What is picked, without its numbers: the list says how many."""
        return "selected" if self.rows is None else f"of {count_words(len(self.rows), 'selected sample')}"


@dataclass(frozen=True)
class SampleFilter:
    """What a list of samples is narrowed to.

    `set` is that without attack, or at eps in the robust view; `thin` the largest dense margin of samples that the
    dense network gets right, as a text of a number like those of an eps.
    """

    set: str | None = None
    view: Literal["clean", "robust"] = "clean"
    label: int | None = None
    pick: str | None = None
    thin: str | None = None

    def narrow(self, samples: Sequence[PairedSample]) -> list[PairedSample]:
        """Those that are meant, in the order given. Raises InvalidRequest for a selection that is none."""
        pick = read_pick(self.pick)
        return [
            sample
            for sample in samples
            if (self.set is None or self.set == (sample.robust_set if self.view == "robust" else sample.set))
            and (self.label is None or self.label == sample.label)
            and (pick is None or pick.holds(sample))
            and (self.thin is None or is_inside(sample.dense_margin, "0", self.thin))
        ]


def read_pick(text: str | None) -> Pick | None:
    """The selection that an address names. Raises InvalidRequest for a text that is none."""
    if not text:
        return None
    kind, *parts = text.split("_")
    if kind == "rows" and len(parts) == 1:
        return Pick(rows=frozenset(read_rows(parts[0])))
    words = [kind, *parts]
    if len(words) % 3 or any(side not in ("dense", "pruned") for side in words[::3]):
        raise InvalidRequest(f"The selection must be ranges of margins or rows; got {text[:80]!r}.")
    ranges = {side: (low, high) for side, low, high in zip(words[::3], words[1::3], words[2::3], strict=True)}
    for low, high in ranges.values():
        read_end(low), read_end(high)
    return Pick(ranges=ranges)


def read_rows(text: str) -> list[int]:
    """Rows in ascending order."""
    rows: list[int] = []
    last = -1
    for token in text.split(".") if text else []:
        if not TOKEN.fullmatch(token):
            raise InvalidRequest(f"A selection of rows has an unknown part: {token[:20]!r}.")
        gap, more = (int(part, 36) for part in (*token.split("-"), "0")[:2])
        if len(rows) + more > MOST_ROWS:
            raise InvalidRequest(f"A selection may hold {MOST_ROWS:,} rows.")
        last += gap + 1
        rows += range(last, last + more + 1)
        last += more
    return rows


def read_end(text: str) -> float:
    """An end of a range as stored: 0 for "wrong", infinite for "found" and "none"."""
    if text in ("wrong", "found", "none"):
        return 0.0 if text == "wrong" else math.inf
    try:
        over, under = (float(part) for part in (*text.split("/"), "1")[:2])
        return over / under
    except (ValueError, ZeroDivisionError) as error:
        raise InvalidRequest(f"An end of a range of margins must be a number; got {text[:20]!r}.") from error


def is_inside(margin: float | None, low: str, high: str) -> bool:
    """Whether a margin lies above `low` and up to `high`; None is a margin that was not found."""
    if margin == 0:
        return low == "wrong"
    if margin is None:
        return high == "none"
    if low == "none" or high == "wrong":
        return False
    return (low == "wrong" or margin > read_end(low) * ROUNDING) and margin <= read_end(high) * ROUNDING
