"""Why a family's numbers may not say what they seem to: no descendant, flagged margins, margins others undercut."""

from functools import lru_cache

from backend.analysis import doubts
from backend.errors import NotComparable
from backend.schemas import Mismatch
from backend.services import findings
from backend.services.doubts import doubt_descent, doubt_margins, pick_challenges, show_gain
from backend.services.family_members import MARGINS, Family, Member
from backend.services.measurements import Finished
from backend.store.tables import Evaluation

KEPT = 256

# Flags after which an attack may have found too little, so that margins are too large.
WEAKENING = frozenset(
    {
        *("randomised", "probabilities", "zero-gradients", "gradient-mismatch", "partial-gradients", "not-found"),
        *("masking", "optimises-at-inference", "train-mode", "apparent-gain"),
    }
)


def doubt_member(family: Family, member: Member) -> str | None:
    """Why it may not have been made from the dense network; None where nothing speaks against it."""
    return choose(doubt_descent(family.dense.row, member.row)) if member.place == "pruned" else None


def doubt_flags(name: str, evaluation: Evaluation | None) -> str | None:
    """Why an evaluation may have found too little, by its own flags."""
    codes = [] if evaluation is None else [code for code in evaluation.flags if code in WEAKENING]
    return f"The attack on {name} is flagged ({', '.join(codes)}): it may call too much robust." if codes else None


def doubt_robustness(family: Family, member: Member) -> str | None:
    """Why the margins of a member may be too large: its flags, a stronger attack, or a gain that is rarely real."""
    own = member.chosen[MARGINS]
    if own.evaluation is None or own.key is None:
        return None
    challenges = pick_challenges(own.evaluation, family.home.evaluations.get(member.row.id, []))
    side = "dense" if member is family.dense else "pruned"
    return (
        doubt_flags(member.row.name, own.evaluation)
        or choose(doubt_margins(side, own.key, member.row, challenges))
        or choose(find_gain(family, member))
    )


def find_gain(family: Family, member: Member) -> list[Mismatch]:
    dense, own = family.dense.chosen[MARGINS].key, member.chosen[MARGINS].key
    if dense is None or own is None or member.row.role != "pruned":
        return []
    return show_gain(_measure_gain(dense, own), member.row, family.terms.norm)


@lru_cache(maxsize=KEPT)
def _measure_gain(dense: Finished, pruned: Finished) -> doubts.Gain | None:
    try:
        return doubts.find_gain(findings.join(dense, pruned))
    except NotComparable:
        return None


def choose(found: list[Mismatch]) -> str | None:
    """The first that matters; notes do not."""
    return next((one.sentence for one in found if one.severity == "differs"), None)
