"""Two evaluations of the same samples, joined by sample id and never by row."""

from dataclasses import dataclass, replace

import numpy as np

from backend.analysis.outcomes import IntArray, Outcomes, TextArray, decides_at
from backend.errors import NotComparable


@dataclass(frozen=True, eq=False)
class Pair:
    """Dense and pruned outcomes on their shared samples, row i of both being sample i, sorted by sample id.

    `n_dense` and `n_pruned` are the sizes before joining; `relabelled` counts shared images left out because the two
    evaluations give them different labels (being right then means different things).
    """

    dense: Outcomes
    pruned: Outcomes
    n_dense: int
    n_pruned: int
    relabelled: int

    @property
    def n(self) -> int:
        """Number of shared samples."""
        return self.dense.n

    @property
    def sample_ids(self) -> TextArray:
        """Ids of the shared samples, ascending."""
        return self.dense.sample_ids


def pair(dense: Outcomes, pruned: Outcomes) -> Pair:
    """Join two evaluations by sample id.

    Raises:
        NotComparable: no sample is shared, or every shared one carries two different labels.
    """
    rows_dense, rows_pruned = match_samples(dense, pruned)
    if len(rows_dense) == 0:
        raise NotComparable(
            f"The two evaluations share no samples (they have {dense.n:,} and {pruned.n:,}). "
            "Evaluate both checkpoints on the same data set and split.",
            n_dense=dense.n,
            n_pruned=pruned.n,
        )
    is_same = dense.labels[rows_dense] == pruned.labels[rows_pruned]
    relabelled = int((~is_same).sum())
    if relabelled == len(rows_dense):
        raise NotComparable(
            f"The two evaluations share {len(rows_dense):,} images, but label every one of them differently.",
            shared=len(rows_dense),
        )
    return Pair(
        dense=dense.take(rows_dense[is_same]),
        pruned=pruned.take(rows_pruned[is_same]),
        n_dense=dense.n,
        n_pruned=pruned.n,
        relabelled=relabelled,
    )


def match_samples(first: Outcomes, second: Outcomes) -> tuple[IntArray, IntArray]:
    """Rows of the samples that both have, in each of them and in the order of their ids."""
    if np.array_equal(first.sample_ids, second.sample_ids):  # as nearly always; the order is kept with the outcomes
        return first.order, first.order
    _, rows_first, rows_second = np.intersect1d(
        first.sample_ids, second.sample_ids, assume_unique=True, return_indices=True
    )
    return rows_first, rows_second


def restrict(first: Pair, second: Pair) -> tuple[Pair, Pair]:
    """Two pairs cut to the samples that both have, in the same order.

    Raises:
        NotComparable: they share none.
    """
    rows_first, rows_second = match_samples(first.dense, second.dense)
    if len(rows_first) == 0:
        raise NotComparable("The comparison and its control share no samples.", n_first=first.n, n_second=second.n)
    return _take(first, rows_first), _take(second, rows_second)


def judge_at(pair: Pair, eps: float) -> Pair:
    """The pair with every witness side judged at its own eps, where both hold witnesses of two different ones.

    Witnesses decide at their own eps alone. Asked at the eps of either side, each side's verdicts stand as they are,
    as if found at `eps`; at any other eps, and for any other pair, nothing changes.
    """
    own = {side.eps for side in (pair.dense, pair.pruned) if side.kind == "witness" and side.eps is not None}
    if len(own) != 2 or not any(decides_at(side, eps) for side in (pair.dense, pair.pruned)):
        return pair
    return replace(pair, dense=_move_witnesses(pair.dense, eps), pruned=_move_witnesses(pair.pruned, eps))


def _move_witnesses(outcomes: Outcomes, eps: float) -> Outcomes:
    is_witness = outcomes.correct & outcomes.found
    return replace(outcomes, margin=np.where(is_witness, eps, outcomes.margin), eps=eps)


def _take(whole: Pair, rows: np.ndarray) -> Pair:
    return Pair(whole.dense.take(rows), whole.pruned.take(rows), whole.n_dense, whole.n_pruned, whole.relabelled)
