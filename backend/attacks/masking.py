"""The flag `masking`, from verified attempts: did attacks that need no gradients beat those that follow them?"""

import torch

from backend.attacks import flags as reliability
from backend.attacks.assembly import nearest
from backend.attacks.catalogue.attacks import BLACK_BOX, SEARCH
from backend.attacks.inputs import Task
from backend.attacks.verify import Verified


def shows_in_primary_run(verified: list[Verified]) -> bool:
    """Whether an attack without gradients beats those with: at eps, or in many margins by far."""
    for outcome in verified:
        if outcome.attack == BLACK_BOX and reliability.tells_masking(int(outcome.found.sum()), len(outcome.found)):
            return True
        if outcome.attack == SEARCH and bool(outcome.tried.any()):
            followed = torch.stack([other.distance for other in verified if other.attack != SEARCH]).amin(0)
            if reliability.tells_masking_of_margins(outcome.distance, followed):
                return True
    return False


def shows_in_fallbacks(task: Task, primary: list[Verified], fallbacks: list[Verified]) -> bool:
    """Whether fallback attacks came far nearer than the primary run, or broke what its verdict left standing."""
    if not fallbacks:
        return False
    return beat_primary_run(primary, fallbacks) or break_what_stood(task, fallbacks)


def beat_primary_run(primary: list[Verified], fallbacks: list[Verified]) -> bool:
    """Whether they came more than 5 % nearer than the whole primary run on more than a tenth of the samples."""
    if not len(fallbacks[0].distance):
        return False
    return reliability.tells_masking_of_margins(nearest(fallbacks)[1], nearest(primary)[1])


def break_what_stood(task: Task, fallbacks: list[Verified]) -> bool:
    """Whether they broke more than 1 % of what a verdict's primary run left standing, beyond chance."""
    if task.eps is None or task.preset.promises != "verdict":
        return False
    tried = torch.stack([outcome.tried for outcome in fallbacks]).any(0)
    broken = tried & (nearest(fallbacks)[1] <= task.eps)
    return reliability.tells_masking(int(broken.sum()), int(tried.sum()))
