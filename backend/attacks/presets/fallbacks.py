"""Fallback attacks: what a run tries besides its primary run once a flag says that gradients may not be trusted.

They are attempts of series 1: they make a verdict right, and comparisons leave them out, because one side alone had
them.
"""

from torch import Tensor

from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.network.precise import build_precise
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.search.plan import Plan, follow_plan, keep_nearest, propose_nearest
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample, aim_inside, break_by_squares, pull_in
from backend.attacks.verify import Candidate

ROUNDED = frozenset({"probabilities", "zero-gradients", "gradient-mismatch"})
HIDDEN = frozenset({"zero-gradients", "gradient-mismatch", "partial-gradients", "not-found", "masking"})
PROBES = 32
CLOSE = 0.1  # share of the first logit gap that is left after all queries


def propose_fallbacks(run: Run, group: SampleGroup, standing: Tensor) -> list[Candidate]:
    """What the flags of the run call for, on the samples of the group that still stand (bool (B,)).

    `precise`: the preset's own attacks again, along the scores of `network.precise`, where rounding hides gradients.
    `transfer`: another network's adversarial examples, pulled towards the clean images or pushed to eps. `hidden`:
    random squares inside eps, where there is one; Linf only. A randomised network gets none: nothing found would hold.
    """
    flags, names, task = run.flags, run.task.preset.fallbacks, run.task
    if "randomised" in flags or not names:
        return []
    candidates: list[Candidate] = []
    left = standing.nonzero()[:, 0]
    kind = task.preset.distance_kind

    def follow(name: str, plan: Plan, rows: Tensor) -> None:
        samples = follow_plan(run, group.select(rows), plan)
        candidates.append(propose_nearest(name, kind, group.images, samples, rows))

    if "precise" in names and flags & ROUNDED:
        with run.classifier.following(build_precise(task.network, task.images[:PROBES]).network):
            found = run.attack(run, group.select(left))
        candidates.append(keep_nearest("precise", kind, group.images, found, task.norm, left))
    if "transfer" in names and flags & (ROUNDED | HIDDEN) and run.transferred is not None:
        examples = run.transferred[group.rows]
        known = (standing & (examples != group.images).flatten(1).any(1)).nonzero()[:, 0]
        points = examples[known].to(run.classifier.device)
        follow("transfer", lambda place, sample: pull_in(sample, "transfer", points[place], task.eps), known)
    if "hidden" in names and flags & HIDDEN and task.eps is not None and task.norm.name == "Linf":
        eps, gives_up = task.eps, not flags & ROUNDED
        with run.classifier.exploring():
            follow("hidden", lambda place, sample: seek_hidden(sample, eps, gives_up), left)
    return candidates


def seek_hidden(sample: AttackedSample, eps: float, gives_up: bool) -> Script:
    """The fallback attack where gradients do not lead: the Square attack inside eps; Linf only.

    `gives_up`: whether squares leave hopeless samples early, by their logit gaps. Then a sample that came close without
    success gets other draws once: on 900 training images and `cnn-lwm-99`, three seeds each, runs then miss 8 instead
    of 13.
    """
    parameters = ATTACKS["hidden"].parameters
    for number in range(parameters["restarts"]):
        radius = aim_inside(sample, eps)
        left = yield from break_by_squares(sample, "hidden", f"hidden {number}", parameters, radius, gives_up)
        if not gives_up or not 0.0 < left <= CLOSE:
            return
