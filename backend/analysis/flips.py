"""Which samples pruning loses and repairs, counted in four sets, clean or robust at an eps."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from backend.analysis.outcomes import BoolArray, TextArray, is_held
from backend.analysis.pairing import Pair
from backend.analysis.statistics import CONFIDENCE, Share, holm, mcnemar, wilson

SETS = ("S11", "S10", "S01", "S00")


@dataclass(frozen=True)
class Counts:
    """Samples by (dense holds, pruned holds): n11 kept, n10 lost, n01 gained, n00 wrong on both."""

    n11: int
    n10: int
    n01: int
    n00: int

    @property
    def n(self) -> int:
        """All samples."""
        return self.n11 + self.n10 + self.n01 + self.n00

    @property
    def dense(self) -> int:
        """Samples that the dense model holds."""
        return self.n11 + self.n10

    @property
    def pruned(self) -> int:
        """Samples that the pruned model holds."""
        return self.n11 + self.n01


@dataclass(frozen=True)
class Flips:
    """The four sets and what follows from them; `eps` None means clean correctness.

    negative_flip_rate = n10 / n, positive_flip_rate = n01 / n, lost_share = n10 / (n10 + n11): the same losses among
    what the dense model held. churn = share of samples whose clean prediction changes at all. net = n01 - n10.
    mcnemar_p: exact, two-sided, of n10 against n01.
    """

    eps: float | None
    counts: Counts
    negative_flip_rate: Share
    positive_flip_rate: Share
    lost_share: Share
    churn: Share
    net: int
    mcnemar_p: float


@dataclass(frozen=True)
class ClassFlips:
    """What one class pays. Shares carry intervals that hold for all classes at once (Bonferroni, 95 %).

    `lost` is of the class's samples the dense model holds, `gained` of those it does not. `p_value`: Fisher's exact
    test of this class's lost share against all other classes'; `p_holm` corrects for the number of classes. Both are
    None where the class or its rest has no sample the dense model holds.
    """

    label: int
    n: int
    counts: Counts
    lost: Share
    gained: Share
    p_value: float | None
    p_holm: float | None


def find_held(pair: Pair, eps: float | None = None) -> tuple[BoolArray, BoolArray]:
    """(dense holds, pruned holds), bool (N,) each: right, and at an eps also margin > eps."""
    return is_held(pair.dense, eps), is_held(pair.pruned, eps)


def find_lost(pair: Pair, eps: float | None = None) -> BoolArray:
    """Members of S10, bool (N,)."""
    dense, pruned = find_held(pair, eps)
    return dense & ~pruned


def name_sets(pair: Pair, eps: float | None = None) -> TextArray:
    """The set of every sample, text (N,) of S11, S10, S01, S00."""
    dense, pruned = find_held(pair, eps)
    names: TextArray = np.array(SETS)[2 * (~dense) + (~pruned)]
    return names


def count_sets(pair: Pair, eps: float | None = None) -> Counts:
    """The 2x2 counts."""
    return count_held(*find_held(pair, eps))


def summarise(pair: Pair, eps: float | None = None) -> Flips:
    """Counts, rates with Wilson intervals, churn, net and McNemar's p; `eps` None for clean correctness."""
    counts = count_sets(pair, eps)
    changed = int((pair.dense.predictions != pair.pruned.predictions).sum())
    return Flips(
        eps=eps,
        counts=counts,
        negative_flip_rate=wilson(counts.n10, counts.n),
        positive_flip_rate=wilson(counts.n01, counts.n),
        lost_share=wilson(counts.n10, counts.dense),
        churn=wilson(changed, counts.n),
        net=counts.n01 - counts.n10,
        mcnemar_p=mcnemar(counts.n10, counts.n01),
    )


def by_class(pair: Pair, eps: float | None = None) -> list[ClassFlips]:
    """Who pays: flips of every class present, ascending by label, corrected for the number of classes."""
    dense, pruned = find_held(pair, eps)
    labels = np.unique(pair.dense.labels)
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(labels))
    whole = count_held(dense, pruned)
    rows: list[tuple[int, Counts, float | None]] = []
    for label in labels:
        is_class = pair.dense.labels == label
        counts = count_held(dense[is_class], pruned[is_class])
        rows.append((int(label), counts, _test_against_rest(counts, whole)))
    corrected = iter(holm(np.array([p for _, _, p in rows if p is not None])))
    return [
        ClassFlips(
            label=label,
            n=counts.n,
            counts=counts,
            lost=wilson(counts.n10, counts.dense, confidence),
            gained=wilson(counts.n01, counts.n - counts.dense, confidence),
            p_value=p,
            p_holm=None if p is None else float(next(corrected)),
        )
        for label, counts, p in rows
    ]


def count_held(dense: BoolArray, pruned: BoolArray) -> Counts:
    """The 2x2 counts of two verdicts on the same samples, bool (N,) each."""
    return Counts(
        n11=int((dense & pruned).sum()),
        n10=int((dense & ~pruned).sum()),
        n01=int((~dense & pruned).sum()),
        n00=int((~dense & ~pruned).sum()),
    )


def _test_against_rest(counts: Counts, whole: Counts) -> float | None:
    if counts.dense == 0 or counts.dense == whole.dense:
        return None
    table = [[counts.n10, counts.n11], [whole.n10 - counts.n10, whole.n11 - counts.n11]]
    return float(stats.fisher_exact(table).pvalue)
