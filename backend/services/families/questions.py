"""The three questions asked of each checkpoint of a family, as intervals that are not answered yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from backend.analysis.claims import NEGLIGIBLE
from backend.analysis.controls import FlipExcess, compare_losses
from backend.analysis.statistics import Estimate
from backend.analysis.verdicts import GUESSING, HARDLY_BETTER
from backend.errors import NotComparable
from backend.schemas.claims import ClaimAgainst, ClaimCheck, ClaimDifference, Reevaluation
from backend.schemas.families import FamilyDifference, FamilyFlips, FamilyRow, Unit
from backend.services.claims.checks import make_check
from backend.services.claims.service import show_check
from backend.services.comparisons import numbers
from backend.services.comparisons.caveats import caveat_of_flags
from backend.services.families.caveats import caveat_of_member, caveat_of_robustness
from backend.services.families.members import MARGINS, Family, Member
from backend.store.tables import Evaluation

# From here on pruning is called high: where adversarial pruning is said to hold. Filters take more weights with them.
HIGH_LEVELS = {"filter": 0.5, "channel": 0.5}
HIGH_LEVEL = 0.9
NEGLIGIBLE_BY_UNIT: dict[Unit, float] = {"points": NEGLIGIBLE, "auroc": HARDLY_BETTER, "auroc difference": NEGLIGIBLE}
DENSE, CONTROL = "beyond the dense parent", "beyond the control"
PREDICTS, LOSES = "small dense margin", "losses beyond the control"
PICKED = "Only hand-picked rows of {name} were evaluated; they say nothing about the others."
CLEAN, ROBUST = "fewer lost, clean", "fewer lost at eps"


@dataclass(frozen=True)
class AnswerPart:
    """An interval at 95 %; `estimate` counts from `origin`, which is guessing for an AUROC and 0 otherwise.

    `weak` says why a no by it may come from an attack that found too little.
    """

    name: str
    unit: Unit
    estimate: Estimate
    evaluation_ids: list[UUID]
    origin: float = 0.0
    weak: str | None = None


@dataclass(frozen=True)
class Asked:
    """A question asked of a checkpoint (or of it and a rival): all `parts` have to say yes for a yes."""

    member: Member
    parts: list[AnswerPart]
    additional: list[AnswerPart] = field(default_factory=list)
    rival: Member | None = None
    reason: str | None = None
    """Why there can be no yes: a part is missing, or has a caveat."""

    @property
    def method(self) -> str:
        return self.member.method if self.rival is None else self.rival.method


def is_high(member: Member) -> bool:
    """Whether so much is pruned that the paper's first claim speaks of it."""
    return member.level is not None and member.level >= HIGH_LEVELS.get(member.kind or "", HIGH_LEVEL)


def ask_claims(family: Family) -> list[Asked]:
    """Is the claim too high by more than the dense parent's own, and by more than the control's?"""
    return [ask_claim(family, member) for member in family.pruned if is_high(member)]


def ask_claim(family: Family, member: Member) -> Asked:
    if not member.row.claim:
        return Asked(member, [], reason="No robust accuracy is claimed.")
    check = show_check(make_check(member.row, family.snapshot), family.snapshot)
    if check.gap is None:
        at = f"{check.norm} {check.eps_text}"
        return Asked(member, [], reason=f"No finished evaluation gives the robust accuracy at {at}.")
    controls = [one for one in check.against if one.relation == "finetuned" and one.excess is not None]
    found = [(DENSE, one) for one in check.against if one.relation == "parent"]
    found += [(CONTROL, one) for one in controls[:1]]  # as in the rows: trained alike first, of those attacked alike
    parts: list[AnswerPart] = []
    aside: list[AnswerPart] = []
    reason = caveat_of_member(family, member)
    weak = reason or caveat_of_evaluation(family, member, check.reevaluation)
    if is_picked(family, member, check.reevaluation):
        return Asked(member, [], reason=PICKED.replace("{name}", member.row.name))
    for name, one in found:
        caveat = caveat_of_claim(family, member, one)
        if name == DENSE:  # a control that cannot be used is as none
            reason = reason or one.reason or caveat
        if one.excess is not None:
            part = replace(claim_part(name, one.excess, check, one), weak=weak)
            (parts if caveat is None else aside).append(part)
    own = "claimed minus re-evaluated"
    if check.by_fallbacks:  # which the differences to others leave out
        own += f" ({check.by_fallbacks:,} broken by fallback attacks alone)"
    additional = [claim_part(own, check.gap, check), *aside]
    additional += [claim_part(f"same for {one.checkpoint_name}", one.gap, check, one) for _, one in found if one.gap]
    has_parent = any(part.name == DENSE for part in parts)
    return Asked(member, parts if has_parent else [], additional, reason=reason)


def caveat_of_claim(family: Family, member: Member, other: ClaimAgainst) -> str | None:
    """Why the difference to a relative's claim decides nothing."""
    if other.excess is not None and other.excess.basis == "number only":
        return f"The claim of {member.row.name} or {other.checkpoint_name} does not say how many samples it counts."
    relative = next(one for one in family.members if one.row.id == other.checkpoint_id)
    incompatible = (
        family.snapshot.describe_training_difference(member.row, relative.row)
        if other.relation == "finetuned"
        else None
    )
    # Where the relative is called too robust, its claim looks better than it is, and this one's looks worse.
    return incompatible or caveat_of_evaluation(family, relative, other.reevaluation)


def caveat_of_evaluation(family: Family, member: Member, used: Reevaluation | None) -> str | None:
    """Why a re-evaluation may call too much robust, so that the claim looks better than it is."""
    own, row = member.chosen[MARGINS].evaluation, find_row(family, member, used)
    if own is not None and row is not None and row.id == own.id:
        return caveat_of_robustness(family, member)
    return caveat_of_flags(member.row.name, row)


def is_picked(family: Family, member: Member, used: Reevaluation | None) -> bool:
    """Whether somebody picked the rows of an evaluation, which then say nothing about the others."""
    row = find_row(family, member, used)
    return row is not None and row.explicit


def find_row(family: Family, member: Member, used: Reevaluation | None) -> Evaluation | None:
    rows = family.snapshot.evaluations.get(member.row.id, [])
    return None if used is None else next((row for row in rows if row.id == used.evaluation_id), None)


def find_picked(*members: Member) -> str | None:
    """Why margins of rows that somebody picked decide nothing; None where all are of rows in order."""
    for member in members:
        found = member.chosen[MARGINS].evaluation
        if found is not None and found.explicit:
            return PICKED.replace("{name}", member.row.name)
    return None


def claim_part(name: str, found: ClaimDifference, check: ClaimCheck, other: ClaimAgainst | None = None) -> AnswerPart:
    sides = (check.reevaluation, None if other is None else other.reevaluation)
    ids = [side.evaluation_id for side in sides if side is not None]
    return AnswerPart(name, "points", Estimate(found.value, found.interval.low, found.interval.high, found.n), ids)


def ask_thin_ice(family: Family, rows: Sequence[FamilyRow]) -> list[Asked]:
    """Does small dense margin tell what is lost, and is more lost than by the control?"""
    flips = {row.checkpoint_id: row for row in rows}
    return [ask_losses(family, member, flips[member.row.id]) for member in family.pruned]


def ask_losses(family: Family, member: Member, row: FamilyRow) -> Asked:
    found, picked = row.flips, find_picked(family.dense, member)
    if found is None or picked is not None:
        return Asked(member, [], reason=row.flips_reason if found is None else picked)
    pair = [found.dense_evaluation_id, found.evaluation_id]
    auroc = found.auroc
    parts, additional, reason = [], show_additional(found, pair), found.auroc_reason
    if auroc is not None:
        estimate = Estimate(auroc.value - GUESSING, auroc.low - GUESSING, auroc.high - GUESSING, auroc.n)
        parts.append(AnswerPart(PREDICTS, "auroc", estimate, pair, GUESSING))
    if found.beyond is None or found.beyond.clean is None:
        reason = reason or found.beyond_reason
    else:
        loses = AnswerPart(LOSES, "points", read_estimate(found.beyond.clean), [*pair, found.beyond.evaluation_id])
        if found.beyond.incompatible is None:
            parts.append(loses)
        else:  # a control of another budget may be shown, and decides nothing
            additional.append(loses)
            reason = reason or found.beyond.incompatible
    caveat = caveat_of_member(family, member) or caveat_of_robustness(
        family, family.dense
    )  # the dense margins rank the samples
    return Asked(member, [replace(part, weak=caveat) for part in parts], additional, reason=caveat or reason)


def show_additional(found: FamilyFlips, pair: list[UUID]) -> list[AnswerPart]:
    """The cheap score, the margin's lead over it, and how many are lost on the thinnest ice and on the thickest."""
    parts = []
    gap = found.logit_gap_auroc
    if gap is not None:
        parts.append(AnswerPart("logit gap", "auroc", Estimate(gap.value, gap.low, gap.high, gap.n), pair))
    if found.margin_over_logit_gap is not None:
        parts.append(
            AnswerPart("margin over logit gap", "auroc difference", read_estimate(found.margin_over_logit_gap), pair)
        )
    measured = [row for row in found.bins if row.low is not None]
    for name, row in zip(("lost on thinnest ice", "lost on thickest ice"), measured[:1] + measured[-1:], strict=False):
        parts.append(AnswerPart(name, "percent", Estimate(row.share, row.interval.low, row.interval.high, row.n), pair))
    return parts


def ask_rivals(family: Family, method: str) -> list[Asked]:
    """Does `method` lose fewer samples than each rival of the same kind and level, clean and at eps?"""
    own = [member for member in family.pruned if member.method == method]
    others = [member for member in family.pruned if member.method != method]
    return [ask_rival(family, member, rival) for member in own for rival in others if rival.group == member.group]


def ask_rival(family: Family, member: Member, rival: Member) -> Asked:
    incompatible = family.snapshot.describe_training_difference(member.row, rival.row) or find_picked(
        family.dense, member, rival
    )
    if incompatible is not None:
        return Asked(member, [], rival=rival, reason=incompatible)
    choices = [one.chosen[MARGINS] for one in (family.dense, rival, member)]
    missing = next((choice.reason for choice in choices if choice.key is None), None)
    keys = [choice.key for choice in choices if choice.key is not None]
    if missing is not None or len(keys) < 3:
        return Asked(member, [], rival=rival, reason=missing)
    dense, other, own = keys
    ids = [key.evaluation_id for key in (own, other, dense)]
    try:
        pairs = numbers.join(dense, other), numbers.join(dense, own)
        # What the rival loses, and the checkpoint does not.
        excesses = {name: compare_losses(*pairs, eps=eps) for name, eps in ((CLEAN, None), (ROBUST, family.terms.eps))}
    except NotComparable as error:
        return Asked(member, [], rival=rival, reason=error.message)
    if not all(excess.n for excess in excesses.values()):
        return Asked(member, [], rival=rival, reason=f"The dense network holds no sample at {family.terms.eps_text}.")
    descent = caveat_of_member(family, member) or caveat_of_member(family, rival)
    # A network whose attack found too little seems to lose too little at eps; of the rival, that weakens only a no.
    weak = {CLEAN: descent, ROBUST: descent or caveat_of_robustness(family, rival)}
    too_large = caveat_of_robustness(family, family.dense) or caveat_of_robustness(family, member)
    parts = {
        name: AnswerPart(name, "points", excess.difference, ids, weak=weak[name]) for name, excess in excesses.items()
    }
    additional = [part for name, excess in excesses.items() for part in show_losses(name, excess, ids)]
    if too_large is not None:
        additional.insert(0, parts.pop(ROBUST))
    return Asked(member, list(parts.values()), additional, rival, descent or too_large)


def show_losses(name: str, excess: FlipExcess, ids: list[UUID]) -> list[AnswerPart]:
    """What either of them loses, of what the dense network holds."""
    at = name.removeprefix("fewer ")
    sides = ((at, excess.control), (f"{at}, by the rival", excess.pruned))
    return [
        AnswerPart(words, "percent", Estimate(side.value, side.low, side.high, side.n), ids) for words, side in sides
    ]


def read_estimate(found: FamilyDifference) -> Estimate:
    return Estimate(found.value, found.interval.low, found.interval.high, found.n)
