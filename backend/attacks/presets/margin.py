"""Preset `margin`: minimum-norm walks from the image and from elsewhere, a random search, and a bisection of the best.

The walks from the image are one without a target and some towards the nearest classes.
"""

import torch

from backend.attacks.catalogue import Preset
from backend.attacks.catalogue.attacks import SEARCH
from backend.attacks.runs import Run, SampleGroup, StartPool
from backend.attacks.search.plan import follow_plan, propose_each
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import (
    AttackedSample,
    follow_pattern,
    minimise,
    polish,
    rank,
    restart,
    search,
    start_from_segment,
)
from backend.attacks.verify import Candidate

RANKED_EXTRA = 1
LINF_TARGETS = 2  # the third target found least of all attacks in Linf; patterns take its place


def seek_margin(sample: AttackedSample, preset: Preset, pool: StartPool) -> Script:
    """Every attack of the preset on one sample; an attack that needs more classes than there are does not run."""
    is_linf = sample.norm.name == "Linf"
    targets = preset.parameters["targets"]
    order = yield from rank(sample, targets + RANKED_EXTRA)
    kind = "fmn" if is_linf else "spread"
    walks = [minimise(sample, "fmn-untargeted")]
    if not is_linf:
        walks.append(minimise(sample, "spread-untargeted"))
    for number, target in enumerate(order[: LINF_TARGETS if is_linf else targets], start=1):
        walks.append(minimise(sample, f"{kind}-target-{number}", target))
    yield walks
    if not is_linf or sample.nearest[1] == torch.inf:
        yield from start_from_segment(sample, "segment", pool)
    if is_linf:
        for name in preset.attacks:
            if name.startswith("fmn-pattern"):
                yield from follow_pattern(sample, name)
            elif name.startswith("fmn-restart"):
                yield from restart(sample, name)
        yield from search(sample, SEARCH)
    yield from polish(sample, preset.parameters["passes"])


def attack_margins(run: Run, group: SampleGroup) -> list[Candidate]:
    """Run the preset on a group of samples; candidates are on the CPU."""
    samples = follow_plan(run, group, lambda place, sample: seek_margin(sample, run.task.preset, run.pool))
    return propose_each(run, group, samples)
