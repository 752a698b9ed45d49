"""The claims of the paper answered for a family: yes, no or cannot tell, by one rule, corrected for all that is asked.

The rule, for each of the three questions (decision 0003 of services):

1. Every interval that decides is widened so that all of one question hold together in 95 of 100 cases (Bonferroni).
2. An interval above 0 says yes; one below what is negligible (1 point of samples; an AUROC of 0.55) says no.
3. A checkpoint's answer needs all of its intervals: yes if all say yes, no if one says no, otherwise cannot tell.
4. A method's answer, and the family's, is what more than half of its checkpoints say, if none says the opposite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from backend.analysis.claims import answer_of
from backend.analysis.statistics import Estimate
from backend.analysis.verdicts import joint_confidence, require_all, settle, widen
from backend.counts import count_words
from backend.schemas import OURS, Answer, Interval
from backend.schemas.families import FamilyAnswer, FamilyFinding, FindingPart, MethodAnswer, Question, Unit
from backend.services.families.questions import NEGLIGIBLE_BY_UNIT, AnswerPart, Asked

Reimplemented = Literal["all", "some", "none"]
ORIGIN_WORDS: dict[Reimplemented, str] = {
    "all": ", for our re-implementations",
    "some": ", partly for our re-implementations",
    "none": "",
}
ANSWERS: tuple[Answer, ...] = ("yes", "no", "cannot tell")
LEAD: Unit = "auroc difference"  # of the margin over the logit gap: answered in addition to the question
RULE = (
    "Yes: every interval lies above 0 (for an AUROC, above 0.5). No: at least one interval lies below the negligible "
    "size (1 point, or an AUROC of 0.55). Otherwise: cannot tell. Intervals that decide are widened so that all of one "
    "question hold together in 95 of 100 cases. A method or a family gets the answer of more than half of its "
    "checkpoints, if none of them says the opposite."
)


@dataclass(frozen=True)
class Words:
    """A question in words: what it asks, what its intervals are, and how counts are introduced."""

    asks: str
    intervals: str
    noun: str


WORDS: dict[Question, Words] = {
    "claims": Words(
        "Is the claimed robustness of highly pruned networks overestimated?",
        "Claimed minus re-evaluated robust accuracy, minus the same difference for the dense parent, and for the "
        "control where there is one. Highly pruned means at least 90 % of the weights, or half of the filters or "
        "channels.",
        "checkpoint",
    ),
    "thin ice": Words(
        "Are the samples that pruning loses the ones near the dense network's boundary?",
        "The AUROC with which a small dense margin predicts a loss, and the share lost minus the share that the "
        "control loses (the dense network finetuned for as long, nothing pruned). Without a control, the answer is "
        "never yes.",
        "checkpoint",
    ),
    "rivals": Words(
        "Does {method} lose fewer samples than the other methods at the same level?",
        "The share that the rival loses minus the share that {method} loses, of the same samples: those that the dense "
        "network gets right, and those that it holds at eps.",
        "comparison",
    ),
}


def write_answer(question: Question, asked: Sequence[Asked], **names: str) -> FamilyAnswer:
    """The answer to a question from the intervals that were asked; `names` fill its words."""
    count = sum(len(one.parts) for one in asked)
    leads = sum(part.unit == LEAD for one in asked for part in one.additional)
    found = [answer_one(one, count, leads) for one in asked]
    methods = settle_methods(found)
    answer = settle([one.answer for one in found])
    words, reimplemented = WORDS[question], find_origin(asked)
    counts = write_counts(found, methods, words.noun)
    told = count_words(count, "interval decides", "intervals decide")
    confidence = f"{100 * joint_confidence(count):.4g} %"
    return FamilyAnswer(
        question=question,
        asks=words.asks.format(**names),
        answer=answer,
        sentence=write_sentence(answer, reimplemented, counts),
        counts=counts,
        reimplemented=reimplemented,
        basis=f"{words.intervals.format(**names)} {told}, each at {confidence} confidence.",
        asked=count,
        confidence=joint_confidence(count),
        methods=methods,
        findings=found,
    )


def answer_one(asked: Asked, count: int, leads: int) -> FamilyFinding:
    """A checkpoint's answer from its `count` widened intervals; `leads` are asked in addition, at once."""
    parts = [show_part(part, count, decides=True) for part in asked.parts]
    answers: list[Answer] = [part.answer for part in parts if part.answer is not None]
    answer = require_all(answers)
    reason = asked.reason
    if answer == "yes" and asked.reason is not None:
        answer = "cannot tell"  # a part is missing, and what there is cannot make a yes
    denying = [one.weak for part, one in zip(parts, asked.parts, strict=True) if part.answer == "no"]
    if answer == "no" and None not in denying:
        answer, reason = "cannot tell", denying[0]
    rival = None if asked.rival is None else asked.rival.row
    return FamilyFinding(
        checkpoint_id=asked.member.row.id,
        checkpoint_name=asked.member.row.name,
        method=asked.method,
        group=asked.member.group,
        rival_id=None if rival is None else rival.id,
        rival_name=None if rival is None else rival.name,
        parts=parts,
        additional=[
            show_part(part, leads, decides=True) if part.unit == LEAD else show_part(part, 1, decides=False)
            for part in asked.additional
        ],
        answer=answer,
        reason=reason,
    )


def show_part(part: AnswerPart, count: int, *, decides: bool) -> FindingPart:
    """An interval as it is shown: from 0 for an AUROC too, and as one of `count`, with an answer where it decides."""
    wide = widen(part.estimate, count)
    assert wide.value is not None and wide.low is not None and wide.high is not None
    ends = replace_origin(wide, part.origin)
    return FindingPart(
        name=part.name,
        unit=part.unit,
        value=wide.value + part.origin,
        interval=Interval(low=ends[0], high=ends[1], confidence=joint_confidence(count)),
        n=wide.n,
        answer=answer_of(wide, NEGLIGIBLE_BY_UNIT[part.unit]) if decides else None,
        evaluation_ids=part.evaluation_ids,
    )


def replace_origin(wide: Estimate, origin: float) -> tuple[float, float]:
    """Both ends counted from 0, and inside the range that shares, AUROC and their differences have."""
    assert wide.low is not None and wide.high is not None
    floor = 0.0 if origin else -1.0
    return max(floor, wide.low + origin), min(1.0, wide.high + origin)


def settle_methods(found: Sequence[FamilyFinding]) -> list[MethodAnswer]:
    """Each method's answer, in the order in which the methods come."""
    by_method: dict[str, list[FamilyFinding]] = {}
    for one in found:
        by_method.setdefault(one.method, []).append(one)
    return [
        MethodAnswer(method=method, answer=settle([one.answer for one in each]), findings=len(each))
        for method, each in by_method.items()
    ]


def find_origin(asked: Sequence[Asked]) -> Reimplemented:
    """Whether Thin Ice made all, some or none of the networks that were asked about."""
    members = [member for one in asked for member in (one.member, one.rival) if member is not None]
    is_ours = {member.row.origin in OURS for member in members}
    return "all" if is_ours == {True} else "some" if True in is_ours else "none"


def write_sentence(answer: Answer, reimplemented: Reimplemented, counts: str) -> str:
    """`No, for our re-implementations. Of 3 checkpoints: ...`."""
    return f"{answer.capitalize()}{ORIGIN_WORDS[reimplemented]}. {counts}"


def write_counts(found: Sequence[FamilyFinding], methods: Sequence[MethodAnswer], noun: str) -> str:
    """How many findings say what, the methods' answers, and what the cheap score would have said."""
    if not found:
        return "This question applies to no checkpoint of the family."
    given = [one.answer for one in found]
    counts = ", ".join(f"{each} for {given.count(each):,}" for each in ANSWERS if each in given)
    bare = sum(not one.parts for one in found)
    if bare:
        counts += f" ({bare:,} of these lack what the question needs)"
    by_method = "; ".join(
        f"{each} for {', '.join(one.method for one in methods if one.answer == each)}"
        for each in ANSWERS
        if any(one.answer == each for one in methods)
    )
    sentence = f"Of {count_words(len(found), noun)}: {counts}. By method: {by_method}."
    return f"{sentence}{compare_with_logit_gap(found)}"


def compare_with_logit_gap(found: Sequence[FamilyFinding]) -> str:
    """Whether the cheap score would have done as well, where that was measured."""
    given = [part.answer for one in found for part in one.additional if part.unit == LEAD]
    if not given:
        return ""
    counts = ", ".join(f"{each} for {given.count(each):,}" for each in ANSWERS if each in given)
    return f" Does the margin rank lost samples better than the cheap logit gap? {counts.capitalize()}."
