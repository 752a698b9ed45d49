"""Fallback attacks: what a run does besides its primary run once a flag says that gradients may not be trusted.

They are attempts of stage 1: they make a verdict right, and comparisons leave them out, because one side alone had
them.
"""

from collections.abc import Callable

from torch import Tensor

from backend.attacks.inputs import Task
from backend.attacks.network.classifier import Classifier
from backend.attacks.network.precise import build_precise
from backend.attacks.presets.fast import seek_hidden, seek_verdict
from backend.attacks.presets.margin import seek_margin
from backend.attacks.search.plan import claim_nearest, follow_plan
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample, pull_in
from backend.attacks.search.starts import StartPool
from backend.attacks.verify import Candidate

ROUNDED = frozenset({"probabilities", "zero-gradients", "gradient-mismatch"})
HIDDEN = frozenset({"zero-gradients", "gradient-mismatch", "partial-gradients", "not-found", "masking"})
PROBES = 32

Plan = Callable[[int, AttackedSample], Script]


def claim_fallbacks(
    classifier: Classifier,
    task: Task,
    images: Tensor,
    labels: Tensor,
    *,
    codes: set[str],
    classes: int,
    pool: StartPool,
    standing: Tensor,
    transferred: Tensor | None,
) -> list[Candidate]:
    """What `codes` call for, on the samples (B, C, H, W) that still stand (bool (B,)); claims to be verified.

    `precise`: the primary run again along the scores of `fallback attacks`, where rounding hides gradients. `transfer`:
    the given adversarial examples of another network, as they are or at full eps, pulled towards the clean images.
    `hidden`: random squares inside eps, where there is one. A network that answers by chance gets
    none: nothing would hold.
    """
    if "randomised" in codes or not task.preset.fallbacks:
        return []
    claims: list[Candidate] = []
    left = standing.nonzero()[:, 0]

    def follow(name: str, plan: Plan, rows: Tensor) -> None:
        samples = follow_plan(classifier, task, images[rows], labels[rows], classes, plan)
        claims.append(claim_nearest(name, task, images, samples, rows))

    if codes & ROUNDED:
        with classifier.following(build_precise(task.network, task.images[:PROBES]).network):
            follow("precise", choose_primary(task, pool), left)
    if codes & (ROUNDED | HIDDEN) and transferred is not None:
        known = (standing & (transferred != images).flatten(1).any(1)).nonzero()[:, 0]
        points = transferred[known].to(classifier.device)
        follow("transfer", lambda row, sample: pull_in(sample, "transfer", points[row], task.eps), known)
    if codes & HIDDEN and task.eps is not None and task.norm.name == "Linf":
        eps, gives_up = task.eps, not codes & ROUNDED
        with classifier.exploring():
            follow("hidden", lambda row, sample: seek_hidden(sample, eps, gives_up), left)
    return claims


def choose_primary(task: Task, pool: StartPool) -> Plan:
    """The preset's own plan."""
    eps = task.eps
    if eps is None:
        return lambda row, sample: seek_margin(sample, task.preset, pool)
    return lambda row, sample: seek_verdict(sample, eps, pool)
