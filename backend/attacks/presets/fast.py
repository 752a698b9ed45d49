"""Preset `fast`: is there an adversarial example within eps? Staged by margin, so that what is far costs little.

Every correctly classified sample gets an untargeted minimum-norm walk and, unless that breaks it within eps, walks
towards the classes ranked nearest: the first always, the second up to twice and the third up to 1.5 times eps. Each
ends at the first broken image within eps, so that the distances of what is broken are witnesses, not margins. What
survives is attacked from diversified restarts inside the ball of eps (Tashiro et al. 2020, arXiv 2003.06878): the
nearer the margin is to eps, the more of them: samples that walks miss mostly lie within a tenth beyond eps.
In L2 a second untargeted walk and the targeted ones begin along the gradient's signs: plain ones stop at half as far
again and more from the nearest boundary on networks trained against Linf attacks, and no band would reach those. What
stands up to twice eps then gets the start on the segment to an image of another class and a bisection of the nearest.
"""

from torch import Size

from backend.attacks.catalogue.attacks import ATTACKS, BISECTION_PASSES
from backend.attacks.runs import Run, SampleGroup, StartPool
from backend.attacks.search.gradient_steps import Ascend
from backend.attacks.search.plan import follow_plan, propose_each
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample, aim_inside, minimise, polish, rank, start_from_segment
from backend.attacks.verify import Candidate

WITHIN = 1.0 - 1e-6  # of eps: attacks count as broken what lies within less than that
RANKED = 4
TARGET_BANDS = (float("inf"), 2.0, 1.5)
SEGMENT_BAND = 2.0
RESTART_BANDS = ((1.5, 1), (1.2, 6), (1.12, 12), (1.04, 12), (1.025, 36))


def is_within(sample: AttackedSample, radius: float) -> bool:
    """Whether the nearest broken image lies within a radius; also where none is known, since it may lie anywhere."""
    distance = sample.nearest[1]
    return distance <= radius or distance == float("inf")


def seek_verdict(sample: AttackedSample, eps: float, pool: StartPool) -> Script:
    """The whole sequence on one sample, until something within eps is found."""
    aim, enough, kind = aim_inside(sample, eps), eps * WITHIN, "fmn"
    yield from minimise(sample, "fmn-untargeted", -1, enough, aim)
    if sample.nearest[1] <= enough:
        return
    if sample.norm.name == "L2":
        kind = "spread"
        yield from minimise(sample, "spread-untargeted", -1, enough, aim)
        if sample.nearest[1] <= enough:
            return
    order = yield from rank(sample, RANKED)
    for number, (target, band) in enumerate(zip(order, TARGET_BANDS, strict=False), start=1):
        if not is_within(sample, band * eps):
            break
        yield from minimise(sample, f"{kind}-target-{number}", target, enough, aim)
        if sample.nearest[1] <= enough:
            return
    if sample.norm.name == "L2" and is_within(sample, SEGMENT_BAND * eps):
        yield from start_from_segment(sample, "segment", pool, enough)
        if sample.nearest[1] > enough:
            yield from polish(sample, BISECTION_PASSES)
    begun = 0
    for band, count in RESTART_BANDS:
        if sample.nearest[1] <= enough or not is_within(sample, band * eps):
            return
        yield [break_from_restart(sample, "ascent-restart", begun + more, order, aim) for more in range(count)]
        begun += count


def break_from_restart(sample: AttackedSample, attack: str, number: int, order: list[int], radius: float) -> Script:
    """One diversified restart: towards the nearest, the second nearest or a random class, in turn."""
    parameters = ATTACKS[attack].parameters
    purpose = f"{attack} {number}"
    weights = sample.draw(f"{purpose} weights", Size([sample.classes]))
    start = sample.image + radius * sample.draw(purpose, sample.image.shape)
    diversify = Ascend(parameters["diverse_steps"], radius, "weights", weights=weights, last_step=1.0, stops=True)
    walker = yield sample.send(diversify, start)
    if walker.distance == float("inf"):
        towards = [*order[:2], choose_class(sample, purpose)]
        target = towards[number % len(towards)]
        ascent = Ascend(parameters["ascent_steps"], radius, target=target, first_step=0.5, stops=True)
        walker = yield sample.send(ascent, before=walker)
    sample.note(attack, walker)


def choose_class(sample: AttackedSample, purpose: str) -> int:
    """Any class but the label, drawn by the purpose."""
    share = (float(sample.draw(f"{purpose} class", Size([1]))[0]) + 1.0) / 2
    drawn = min(int(share * (sample.classes - 1)), sample.classes - 2)
    return drawn + (drawn >= sample.label)


def attack_fast(run: Run, group: SampleGroup) -> list[Candidate]:
    """Run the preset on a group of samples; candidates are on the CPU.

    Samples that are wrong already need no verdict: the untargeted walk alone tells how far they are from another
    prediction.
    """
    eps = run.task.eps
    assert eps is not None  # check_request asks for it

    def plan(place: int, sample: AttackedSample) -> Script:
        return seek_verdict(sample, eps, run.pool) if group.is_right else minimise(sample, "fmn-untargeted")

    return propose_each(run, group, follow_plan(run, group, plan))
