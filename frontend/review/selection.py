"""Samples picked on Compare, as an address carries them; assets/selection.js writes and reads the same text.

`dense_wrong_7/255_pruned_0.02_none` are ranges of margins (above the first end, up to the second; "wrong": a margin of
0, "found": the largest one, "none": not found). `rows_5.3-2.k` are rows: gaps in base 36, each with how many neighbours
follow.
"""

import math
import re
from dataclasses import dataclass, field

from backend.errors import InvalidRequest
from backend.schemas.comparisons import PairedSample
from frontend.words import count_words

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
