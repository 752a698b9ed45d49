"""Yes, no or cannot tell: how intervals become an answer when many are asked at once, and answers a common one."""

from collections.abc import Sequence

from scipy import special

from backend.analysis.statistics import CONFIDENCE, Estimate
from backend.errors import InvalidRequest
from backend.schemas import Answer

GUESSING = 0.5  # the AUROC of a score that knows nothing
HARDLY_BETTER = 0.05  # an AUROC that is surely less above guessing than this predicts nothing worth knowing


def joint_confidence(asked: int) -> float:
    """The confidence of each of `asked` intervals with which all of them hold together in 95 of 100 cases.

    Bonferroni's bound, which needs no independence: intervals here share samples, the dense network and the control.
    """
    if asked < 0:
        raise InvalidRequest(f"The number of intervals must be at least 0; got {asked}.", asked=asked)
    return 1 - (1 - CONFIDENCE) / max(1, asked)


def widen(estimate: Estimate, asked: int) -> Estimate:
    """A 95 % interval as one of `asked` that hold together: each half grows by the ratio of the normal quantiles.

    Exact where the estimate is normal on its own scale; Newcombe's and bootstrap intervals keep their skew. One rule
    for all kinds, so that no interval has to be computed a second time. Ends that are None stay None.
    """
    if estimate.value is None:
        return estimate
    ratio = _quantile(joint_confidence(asked)) / _quantile(CONFIDENCE)
    low = None if estimate.low is None else estimate.value - ratio * (estimate.value - estimate.low)
    high = None if estimate.high is None else estimate.value + ratio * (estimate.high - estimate.value)
    return Estimate(estimate.value, low, high, estimate.n, estimate.reason)


def require_all(answers: Sequence[Answer]) -> Answer:
    """The answer where every part is needed: yes if all say yes, no if one says no, otherwise it cannot be told."""
    if "no" in answers:
        return "no"
    return "yes" if answers and all(answer == "yes" for answer in answers) else "cannot tell"


def settle(answers: Sequence[Answer]) -> Answer:
    """The answer that stands for several: what more than half of them say, provided that none says the opposite.

    A single yes among many that cannot tell is no answer for all, and where they contradict each other it depends on
    the case: both are "cannot tell", and the counts have to be read.
    """
    yes, no = answers.count("yes"), answers.count("no")
    if 2 * yes > len(answers) and not no:
        return "yes"
    return "no" if 2 * no > len(answers) and not yes else "cannot tell"


def _quantile(confidence: float) -> float:
    return float(special.ndtri(0.5 + confidence / 2))
