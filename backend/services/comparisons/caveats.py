"""Why margins of a comparison may be too large, or its parent none: mismatches that do not touch equal effort."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy.orm import Session

from backend.analysis import caveats
from backend.analysis.pairing import Pair
from backend.analysis.statistics import Estimate
from backend.attacks.catalogue import WEAKENING, get_preset
from backend.counts import count_words
from backend.errors import InvalidRequest, NotComparable
from backend.jobs.registration.inspections import question_parent, read_inspection
from backend.schemas.comparisons import MismatchOut
from backend.services.evaluations.measurements import Finished, finished, load_outcomes, load_verdicts
from backend.store import evaluations
from backend.store.tables import Checkpoint, Evaluation

LOG = logging.getLogger(__name__)

GAIN = "apparent-gain"
STRONGER = "stronger-attack"
TOLERATED = 0.02  # broken share up to which a stronger attack is only noted: no attack finds every minimum
BEYOND = "beyond every radius tried"
KEPT = 256


@dataclass(frozen=True)
class Challenge:
    """A witness evaluation of a checkpoint whose margins are compared."""

    key: Finished
    eps_text: str
    attack: str


def find_challenges(session: Session, margins: Evaluation) -> list[Challenge]:
    """Succeeded witness evaluations of the same checkpoint, data set and norm; none where `margins` holds no minima."""
    return pick_challenges(margins, evaluations.succeeded_evaluations(session, [margins.checkpoint_id]))


def pick_challenges(margins: Evaluation, rows: Iterable[Evaluation]) -> list[Challenge]:
    """The same from the succeeded evaluations of that checkpoint."""
    if margins.record.distance_kind != "minimum":
        return []
    return [
        Challenge(key, row.eps, get_preset(row.preset).title.partition(",")[0])
        for row in rows
        if (row.dataset_id, row.norm) == (margins.dataset_id, margins.norm)
        and row.record.distance_kind == "witness"
        and row.eps is not None
        and (key := finished(row)) is not None
    ]


def caveats_of_gain(joined: Pair, pruned: Checkpoint, norm: str) -> list[MismatchOut]:
    """The warning that pruned margins are far above dense ones; empty where they are not."""
    return [] if pruned.role != "pruned" else show_gain(caveats.find_gain(joined), pruned, norm)


def show_gain(gain: caveats.Gain | None, pruned: Checkpoint, norm: str) -> list[MismatchOut]:
    """The same of a gain that is known."""
    if gain is None:
        return []
    dense_median, pruned_median = _show_distance(gain.dense.value, norm), _show_distance(gain.pruned.value, norm)
    sentence = (
        f"Apparent gain: the pruned margins are far above the dense ones, median {_show_median(gain.pruned, norm)} "
        f"against {_show_median(gain.dense, norm)} over the {count_words(gain.n, 'sample')} that both get "
        f"right. That is rarely real; gradients may be masked. Run AutoAttack on {pruned.name}."
    )
    return [MismatchOut(field=GAIN, dense=dense_median, pruned=pruned_median, severity="differs", sentence=sentence)]


def caveats_of_margins(
    side: str, key: Finished, checkpoint: Checkpoint, challenges: Sequence[Challenge]
) -> list[MismatchOut]:
    """The warning that a stronger attack breaks what the margins of one side ("dense", "pruned") call robust.

    Of several such evaluations the one that breaks the largest share speaks; empty where none breaks any.
    """
    checked = [(found, one) for one in challenges if (found := _challenge(key, one.key)) is not None and found.broken]
    if not checked:
        return []
    worst, challenge = max(checked, key=lambda pair: (pair[0].share, pair[0].robust))
    counts = f"{worst.broken:,} of {worst.robust:,}"
    return [
        MismatchOut(
            field=STRONGER,
            dense=counts if side == "dense" else "-",
            pruned=counts if side == "pruned" else "-",
            severity="differs" if worst.share > TOLERATED else "note",
            sentence=(
                f"{challenge.attack} breaks {worst.broken:,} of the {count_words(worst.robust, 'shared sample')} that "
                f"these margins call robust at {challenge.eps_text}: "
                f"the margins of {checkpoint.name} are overestimates."
            ),
        )
    ]


def caveats_of_descent(dense: Checkpoint, pruned: Checkpoint) -> list[MismatchOut]:
    """What the weights of a pruned checkpoint say against its named parent; empty where they bear it out."""
    found = read_inspection(pruned)
    if found is None or found.descent is None or found.parent_id != dense.id:
        return []
    sentence = question_parent(found.descent, pruned.name, dense.name)
    if sentence is None:
        return []
    if found.likely_parent is not None:
        sentence += f" The weights fit {found.likely_parent.name}."
    return [
        MismatchOut(
            field="parent",
            dense=dense.name,
            pruned=pruned.name,
            severity="differs" if found.descent.answer == "no" else "note",
            sentence=sentence,
        )
    ]


def note_caveats(found: Sequence[MismatchOut]) -> list[str]:
    """What a reader must not conclude, in a sentence; empty without a caveat that matters."""
    names = {one.field for one in found if one.severity == "differs"}
    notes = []
    if GAIN in names:
        notes.append("Larger pruned margins are no evidence that pruning made the network more robust (apparent-gain).")
    if STRONGER in names:
        notes.append("Where a stronger attack breaks what a margin calls robust, its verdict counts, not the margin.")
    return notes


@lru_cache(maxsize=KEPT)
def _challenge(margins: Finished, witnesses: Finished) -> caveats.Overestimate | None:
    try:
        return caveats.count_overestimated(load_outcomes(margins), load_verdicts(witnesses))
    except (InvalidRequest, NotComparable) as error:
        # No shared samples, or rows that contradict each other: neither may break the comparison it would inform.
        LOG.info("evaluation %s says nothing about the margins: %s", witnesses.evaluation_id, error.message)
        return None


def _show_median(found: Estimate, norm: str) -> str:
    if found.value is None:
        return BEYOND
    high = "" if found.high is None else f" to {_show_distance(found.high, norm)}"
    return f"{_show_distance(found.value, norm)} (95 % interval from {_show_distance(found.low, norm)}{high})"


def _show_distance(value: float | None, norm: str) -> str:
    if value is None:
        return BEYOND
    return f"{value * 255:.3g}/255" if norm == "Linf" else f"{value:.3g}"


def caveat_of_flags(name: str, evaluation: Evaluation | None) -> str | None:
    """Why an evaluation may have found too little, by its own flags."""
    codes = [] if evaluation is None else [code for code in evaluation.flags if code in WEAKENING]
    return f"The attack on {name} raised flags ({', '.join(codes)}): it may overestimate robustness." if codes else None
