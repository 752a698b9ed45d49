"""Which pairs of finished evaluations stand ready for a comparison, the most telling first."""

from uuid import UUID

from backend.attacks.catalogue import promises_margins
from backend.errors import ThinIceError
from backend.schemas.evaluations import EvaluationOut
from backend.services.comparisons import numbers
from backend.services.comparisons.controls import covers
from backend.services.comparisons.sides import load_sides
from backend.services.evaluations.service import show_all
from backend.store import evaluations
from backend.store.checkpoints import all_checkpoints
from backend.store.database import reading
from backend.store.tables import Checkpoint, Evaluation
from models.pruning.plans import BASELINE

INTERESTING_SPARSITY = 0.95  # where adversarial pruning is said to hold and thin ice begins to show


def default_pairs() -> list[tuple[EvaluationOut, EvaluationOut]]:
    """Every (parent, child) pair of succeeded evaluations that were attacked alike, the most telling first.

    Attacked alike: with one preset, norm and (for verdicts) eps, and the samples of one side are among those of the
    other. A child is paired with the evaluation of its parent that shares most samples with it, at best the same ones
    with the same seed, then the newest.

    Telling is what can answer the question: pruned networks of a parent that the weights do not deny before controls,
    samples in order before picked ones, margins before verdicts, more shared samples before fewer. At as many samples
    users' evaluations come before the demo's, then the sparsity nearest 95 %, the plainest method, and the newest.
    """
    with reading() as session:
        checkpoints = {row.id: row for row in all_checkpoints(session)}
        parents = {row.id: row.parent_id for row in checkpoints.values() if row.parent_id is not None}
        rows = evaluations.succeeded_evaluations(session, [*{*parents, *parents.values()}])
        by_checkpoint: dict[UUID, list[Evaluation]] = {}
        for row in rows:
            by_checkpoint.setdefault(row.checkpoint_id, []).append(row)
        pairs = [
            (dense, pruned)
            for pruned in rows
            if pruned.checkpoint_id in parents
            and (dense := _find_partner(pruned, by_checkpoint.get(parents[pruned.checkpoint_id], []))) is not None
        ]
        # `rows` is newest first and sorting is stable.
        pairs.sort(key=lambda pair: _rank(pair[0], pair[1], checkpoints[pair[1].checkpoint_id]))
        unique = {row.id: row for pair in pairs for row in pair}
        shown = dict(zip(unique, show_all(session, list(unique.values())), strict=True))
    return [(shown[dense.id], shown[pruned.id]) for dense, pruned in pairs]


def count_shared(dense: EvaluationOut | Evaluation, pruned: EvaluationOut | Evaluation) -> int:
    """How many samples the sides of a pair share: all of the smaller one."""
    return min(dense.n, pruned.n)


def is_pair(dense_id: UUID | str, pruned_id: UUID | str) -> bool:
    """Whether both evaluations are there, have succeeded and share samples."""
    try:
        with reading() as session:
            sides = load_sides(session, dense_id, pruned_id)
        numbers.join(sides.dense_key, sides.pruned_key)
    except ThinIceError:
        return False
    return True


def _find_partner(pruned: Evaluation, rows: list[Evaluation]) -> Evaluation | None:
    """The evaluation of the parent that shares most samples; `rows` are the parent's, newest first."""
    fitting = [row for row in rows if covers(row, pruned) or covers(pruned, row)]
    # The first of equals, which is the newest.
    return max(
        fitting, key=lambda row: (count_shared(row, pruned), row.n == pruned.n, row.seed == pruned.seed), default=None
    )


def _rank(
    dense: Evaluation, pruned: Evaluation, checkpoint: Checkpoint
) -> tuple[bool, bool, bool, int, bool, float, bool]:
    sparsity = checkpoint.declared_sparsity
    if sparsity is None:
        sparsity = checkpoint.measured_sparsity
    descent = (checkpoint.inspection or {}).get("descent") or {}
    return (
        checkpoint.role == "dense" or descent.get("answer") == "no",
        dense.explicit or pruned.explicit,
        not promises_margins(pruned.preset),
        -count_shared(dense, pruned),
        pruned.purpose != "user",
        abs(sparsity - INTERESTING_SPARSITY),
        checkpoint.method != BASELINE,
    )
