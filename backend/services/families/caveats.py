"""Why a family's numbers may not say what they seem to: no descendant, flagged margins, margins others undercut."""

from functools import lru_cache

from backend.analysis import caveats
from backend.errors import NotComparable
from backend.schemas.comparisons import MismatchOut
from backend.services.comparisons import numbers
from backend.services.comparisons.caveats import (
    caveat_of_flags,
    caveats_of_descent,
    caveats_of_margins,
    pick_challenges,
    show_gain,
)
from backend.services.evaluations.measurements import Finished
from backend.services.families.members import MARGINS, Family, Member

KEPT = 256


def caveat_of_member(family: Family, member: Member) -> str | None:
    """Why it may not have been made from the dense network; None where nothing speaks against it."""
    return choose(caveats_of_descent(family.dense.row, member.row)) if member.place == "pruned" else None


def caveat_of_robustness(family: Family, member: Member) -> str | None:
    """Why the margins of a member may be too large: its flags, a stronger attack, or a gain that is rarely real."""
    own = member.chosen[MARGINS]
    if own.evaluation is None or own.key is None:
        return None
    challenges = pick_challenges(own.evaluation, family.snapshot.evaluations.get(member.row.id, []))
    side = "dense" if member is family.dense else "pruned"
    return (
        caveat_of_flags(member.row.name, own.evaluation)
        or choose(caveats_of_margins(side, own.key, member.row, challenges))
        or choose(find_gain(family, member))
    )


def find_gain(family: Family, member: Member) -> list[MismatchOut]:
    dense, own = family.dense.chosen[MARGINS].key, member.chosen[MARGINS].key
    if dense is None or own is None or member.row.role != "pruned":
        return []
    return show_gain(_measure_gain(dense, own), member.row, family.terms.norm)


@lru_cache(maxsize=KEPT)
def _measure_gain(dense: Finished, pruned: Finished) -> caveats.Gain | None:
    try:
        return caveats.find_gain(numbers.join(dense, pruned))
    except NotComparable:
        return None


def choose(found: list[MismatchOut]) -> str | None:
    """The first that matters; notes do not."""
    return next((one.sentence for one in found if one.severity == "differs"), None)
