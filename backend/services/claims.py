"""What checkpoints claim and what a re-evaluation leaves of it, beside the same of their parents and controls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from backend.analysis.claims import Claim, Excess, Gap, measure_excess, measure_gap
from backend.analysis.outcomes import BoolArray, Outcomes, is_held
from backend.analysis.pairing import pair
from backend.analysis.statistics import Estimate
from backend.attacks.catalogue import get_preset
from backend.eps import parse_eps
from backend.errors import NotComparable
from backend.schemas import ClaimOut, Interval, Norm, Page
from backend.schemas.claims import ClaimAgainst, ClaimCheck, ClaimDifference, Reevaluation
from backend.services.arguments import check_page
from backend.services.controls import covers, tell_kind
from backend.services.effort import find_control_differences
from backend.services.measurements import Finished, finished, load_outcomes, show_interval
from backend.store import evaluations
from backend.store.checkpoints import all_checkpoints
from backend.store.database import reading
from backend.store.tables import Checkpoint, Dataset, Evaluation

# Of evaluations of equally many samples, the first of these is what a claim is held against.
STRENGTH = ("autoattack-plus", "autoattack", "fast", "margin")
RELATIONS: dict[str, str] = {"parent": "the parent", "finetuned": "the control", "seed": "the other training seed"}
BASIS_NOTES: dict[str, str] = {
    "same samples": "Claim and re-evaluation are totals of the same images. Which of them the claim counts is not "
    "known; the interval takes every image that the claim's attack breaks to be broken by the re-evaluation too.",
    "unpaired": "Claim and re-evaluation are of different or unknown images: the interval treats the two as "
    "independent shares of {claimed} and {measured} images, which is wider than a paired one.",
    "number only": "The claim does not say of how many images: it is taken as exact, so the interval is too narrow.",
}


@dataclass(frozen=True)
class Check:
    """A checkpoint's claim at its norm and eps, and the evaluation it is held against."""

    row: Checkpoint
    dataset: Dataset
    claim: Claim
    norm: str
    eps_text: str
    evaluation: Evaluation | None

    @property
    def key(self) -> Finished | None:
        return None if self.evaluation is None else finished(self.evaluation)

    @property
    def eps(self) -> float:
        return float(parse_eps(self.eps_text))

    def is_of_all_samples(self) -> bool:
        """Whether claim and evaluation are of every image of the data set; only shipped cards say so of a claim."""
        counts = {self.claim.n, self.dataset.size, None if self.evaluation is None else self.evaluation.n}
        return self.row.origin == "zoo" and len(counts) == 1


@dataclass(frozen=True)
class Home:
    """Everything that claims are held against, read once."""

    checkpoints: dict[UUID, Checkpoint]
    datasets: dict[UUID, Dataset]
    evaluations: dict[UUID, list[Evaluation]]


def list_claims(
    limit: int = 50, offset: int = 0, *, preset: str | None = None, checkpoint_id: UUID | None = None
) -> Page[ClaimCheck]:
    """A page of claims, that of the newest checkpoint first.

    Args:
        preset: hold claims only against evaluations with this preset; by default that of most samples, and of equally
            many the strongest.
        checkpoint_id: the claim of this checkpoint alone.

    Raises:
        UnknownName: no such preset.
    """
    check_page(limit, offset)
    if preset is not None:
        get_preset(preset)
    home = read_home(preset)
    rows = [row for row in home.checkpoints.values() if row.claim and checkpoint_id in (None, row.id)]
    shown = [show_check(make_check(row, home), home) for row in rows[offset : offset + limit]]
    return Page(items=shown, total=len(rows), limit=limit, offset=offset)


def read_home(preset: str | None) -> Home:
    """Checkpoints newest first, and their finished evaluations (with that preset)."""
    with reading() as session:
        checkpoints = {row.id: row for row in all_checkpoints(session)}
        datasets = {row.id: row for row in session.query(Dataset)}
        found: dict[UUID, list[Evaluation]] = {}
        for row in evaluations.succeeded_evaluations(session):
            if preset in (None, row.preset):
                found.setdefault(row.checkpoint_id, []).append(row)
    return Home(checkpoints, datasets, found)


def make_check(row: Checkpoint, home: Home) -> Check:
    """The claim of a checkpoint that has one, with the best evaluation to hold it against."""
    assert row.claim is not None
    dataset = home.datasets[row.dataset_id]
    claim = Claim(row.claim["robust_accuracy"], row.claim.get("n"))
    norm = row.claim.get("norm") or dataset.default_norm
    eps_text = row.claim.get("eps_text") or dataset.default_eps
    fitting = [one for one in home.evaluations.get(row.id, []) if answers(one, dataset, norm, eps_text)]
    best = max(fitting, key=rank, default=None)  # the first of equals, which is the newest
    return Check(row, dataset, claim, norm, eps_text, best)


def answers(evaluation: Evaluation, dataset: Dataset, norm: str, eps_text: str) -> bool:
    """Whether an evaluation tells the robust accuracy at this norm and eps: margins at any, verdicts at their own."""
    if (evaluation.dataset_id, evaluation.norm) != (dataset.id, norm):
        return False
    if evaluation.record.get("distance_kind") != "witness":
        return True
    return evaluation.eps is not None and parse_eps(evaluation.eps) == parse_eps(eps_text)


def rank(evaluation: Evaluation) -> tuple[int, int]:
    """More samples before fewer, then stronger presets before weaker ones."""
    strength = STRENGTH.index(evaluation.preset) if evaluation.preset in STRENGTH else len(STRENGTH)
    return evaluation.n, -strength


def show_check(check: Check, home: Home) -> ClaimCheck:
    """One claim with its gap, and the gaps of its relatives."""
    row = check.row
    gap = None if check.key is None else measure(check, load_outcomes(check.key))
    relatives = find_relatives(row, home)
    against = [show_against(check, relation, relative, home) for relation, relative in relatives]
    return ClaimCheck(
        checkpoint_id=row.id,
        checkpoint_name=row.name,
        role="pruned" if row.role == "pruned" else "dense",
        method=row.method,
        sparsity=row.measured_sparsity if row.declared_sparsity is None else row.declared_sparsity,
        origin="zoo" if row.origin == "zoo" else "upload",
        dataset_id=row.dataset_id,
        parent_id=row.parent_id,
        norm=read_norm(check.norm),
        eps=check.eps,
        eps_text=check.eps_text,
        claim=ClaimOut.model_validate(row.claim),
        reevaluation=show_reevaluation(check, gap),
        gap=None if gap is None else show_difference(gap.difference, gap),
        reason=None
        if gap is not None
        else f"No finished evaluation of {row.name} tells {check.norm} {check.eps_text}.",
        against=against,
        notes=write_notes(check, gap),
    )


def find_relatives(row: Checkpoint, home: Home) -> list[tuple[Literal["parent", "finetuned", "seed"], Checkpoint]]:
    """The parent of a checkpoint that names one; of a pruned one also the parent's controls and other seeds."""
    parent = None if row.parent_id is None else home.checkpoints.get(row.parent_id)
    if parent is None:
        return []
    found: list[tuple[Literal["parent", "finetuned", "seed"], Checkpoint]] = [("parent", parent)]
    if row.role != "pruned":
        return found
    others = sorted(home.checkpoints.values(), key=lambda one: one.name)
    alike = [one for one in others if one.dataset_id == row.dataset_id and one.id != row.id]
    kinds = [(kind, one) for one in alike if (kind := tell_kind(one, parent)) is not None]
    return found + sorted(kinds, key=lambda entry: entry[0])


def show_against(
    check: Check, relation: Literal["parent", "finetuned", "seed"], relative: Checkpoint, home: Home
) -> ClaimAgainst:
    """The relative's claim held against an evaluation of the same samples and effort, and the excess over it."""
    other, reason = find_partner(check, relative, home)
    gap: Gap | None = None
    excess: Excess | None = None
    if other is not None and other.key is not None and check.key is not None:
        try:
            joined = pair(load_outcomes(other.key), load_outcomes(check.key))
        except NotComparable as error:
            reason = error.message
        else:
            held = hold(joined.pruned, check), hold(joined.dense, other)
            is_same = check.is_of_all_samples() and other.is_of_all_samples() and joined.n == check.claim.n
            gap = measure_gap(other.claim, held[1], is_same_samples=is_same)
            excess = measure_excess((check.claim, held[0]), (other.claim, held[1]), is_same_samples=is_same)
    return ClaimAgainst(
        relation=relation,
        checkpoint_id=relative.id,
        checkpoint_name=relative.name,
        claim=None if relative.claim is None else ClaimOut.model_validate(relative.claim),
        reevaluation=None if other is None else show_reevaluation(other, gap),
        gap=None if gap is None else show_difference(gap.difference, gap),
        excess=None if excess is None else show_difference(excess.difference, excess),
        reason=reason,
    )


def find_partner(check: Check, relative: Checkpoint, home: Home) -> tuple[Check | None, str | None]:
    """The relative's claim with the newest evaluation that covers this one's samples with equal effort, or why not."""
    if check.evaluation is None:
        return None, f"{check.row.name} has not been re-evaluated."
    if relative.claim is None:
        return None, f"{relative.name} claims nothing."
    other = make_check(relative, home)
    if (other.norm, parse_eps(other.eps_text)) != (check.norm, parse_eps(check.eps_text)):
        return None, f"{relative.name} claims at {other.norm} {other.eps_text}, this one at {check.eps_text}."
    for row in home.evaluations.get(relative.id, []):
        if covers(row, check.evaluation) and not find_control_differences(check.evaluation, row):
            return Check(relative, other.dataset, other.claim, other.norm, other.eps_text, row), None
    return None, f"{relative.name} has no evaluation of these samples with equal effort ({check.evaluation.preset})."


def hold(outcomes: Outcomes, check: Check) -> BoolArray:
    return is_held(outcomes, check.eps)


def measure(check: Check, outcomes: Outcomes) -> Gap:
    return measure_gap(check.claim, hold(outcomes, check), is_same_samples=check.is_of_all_samples())


def show_reevaluation(check: Check, gap: Gap | None) -> Reevaluation | None:
    """The evaluation with its own share; on shared samples where `gap` is on them."""
    if check.evaluation is None or gap is None or gap.held.value is None:
        return None
    return Reevaluation(
        evaluation_id=check.evaluation.id,
        preset=check.evaluation.preset,
        n=gap.held.n,
        robust_accuracy=gap.held.value,
        robust_accuracy_interval=show_interval(gap.held),
        flags=list(check.evaluation.flags),
    )


def show_difference(difference: Estimate, found: Gap | Excess) -> ClaimDifference:
    assert difference.value is not None and difference.low is not None and difference.high is not None
    return ClaimDifference(
        value=difference.value,
        interval=Interval(low=difference.low, high=difference.high),
        n=difference.n,
        basis=found.basis,
        answer=found.answer,
    )


def write_notes(check: Check, gap: Gap | None) -> list[str]:
    """What a reader has to know about the numbers, in sentences."""
    notes: list[str] = []
    if gap is not None:
        claimed = "an unknown number of" if check.claim.n is None else f"{check.claim.n:,}"
        notes.append(BASIS_NOTES[gap.basis].format(claimed=claimed, measured=f"{gap.held.n:,}"))
    if check.row.origin == "zoo" and check.row.method not in (None, "control"):
        notes.append("A shipped network: what it shows holds for our re-implementation, not for the method's authors'.")
    return notes


def read_norm(name: str) -> Norm:
    norms: Sequence[Norm] = ("Linf", "L2", "L1")
    return next(norm for norm in norms if norm == name)
