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

from torch import Size, Tensor

from backend.attacks.catalogue.attacks import ATTACKS, BISECTION_PASSES
from backend.attacks.inputs import Task
from backend.attacks.network.classifier import Classifier
from backend.attacks.search.gradient_free_steps import Choose, Squares
from backend.attacks.search.gradient_steps import Ascend
from backend.attacks.search.plan import claim_each, follow_plan
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample, draw_patterns, minimise, polish, rank, start_from_segment
from backend.attacks.search.starts import StartPool
from backend.attacks.verify import Candidate

# A point at eps sharp may be rounded out of the ball: attacks aim a little inside, and count as broken what lies within
# less than that. A pixel is rounded by up to 3e-8.
AIM, ROUNDING, WITHIN = 1.0 - 4e-6, 6e-8, 1.0 - 1e-6
RANKED = 4
TARGET_BANDS = (float("inf"), 2.0, 1.5)
SEGMENT_BAND = 2.0
RESTART_BANDS = ((1.5, 1), (1.2, 6), (1.12, 12), (1.04, 12), (1.025, 36))
CLOSE = 0.1  # share of the first logit gap that is left after all queries


def aim_inside(sample: AttackedSample, eps: float) -> float:
    """The radius that attacks work in, so that what they reach is within eps after each pixel was rounded."""
    return max(eps * AIM - ROUNDING * sample.limit, 0.5 * eps)


def is_within(sample: AttackedSample, radius: float) -> bool:
    """Whether the nearest broken image lies within a radius; also where none is known, since it may lie anywhere."""
    distance = sample.nearest[1]
    return distance <= radius or distance == float("inf")


def seek_verdict(sample: AttackedSample, eps: float, pool: StartPool) -> Script:
    """Every stage on one sample, until something within eps is found."""
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


def seek_hidden(sample: AttackedSample, eps: float, gives_up: bool) -> Script:
    """The fallback attack where gradients do not tell: the Square attack inside eps; Linf only.

    `gives_up`: whether squares leave hopeless samples early, by their logit gaps. Then who comes close without success
    gets other draws once: on 900 training images and `cnn-lwm-99`, three seeds each, runs then miss 8 instead of 13.
    """
    for number in range(ATTACKS["hidden"].parameters["restarts"]):
        left = yield from break_by_squares(sample, f"hidden {number}", aim_inside(sample, eps), gives_up)
        if not gives_up or not 0.0 < left <= CLOSE:
            return


def break_by_squares(sample: AttackedSample, purpose: str, radius: float, gives_up: bool) -> Script:
    """The Square attack inside the radius, from the lowest of a few patterns; gives the share of the gap that is left.

    It is 0 where the sample is broken.
    """
    parameters = ATTACKS["hidden"].parameters
    signs = draw_patterns(sample, f"{purpose} patterns", parameters["patterns"])
    walker = yield sample.send(Choose(signs, min(radius, 1.0), 1.0))
    if walker.distance == float("inf"):
        draws = sample.draw(purpose, Size([parameters["queries"], 2 + len(sample.image)]))
        draws = ((draws + 1.0) / 2).clamp_max(1.0 - 1e-6)
        squares = Squares(draws, min(radius, 1.0), parameters["p_init"], gives_up)
        walker = yield sample.send(squares, before=walker)
    sample.note("hidden", walker)
    return float(walker.notes["left"]) if walker.distance == float("inf") else 0.0


def choose_class(sample: AttackedSample, purpose: str) -> int:
    """Any class but the label, drawn by the purpose."""
    share = (float(sample.draw(f"{purpose} class", Size([1]))[0]) + 1.0) / 2
    drawn = min(int(share * (sample.classes - 1)), sample.classes - 2)
    return drawn + (drawn >= sample.label)


def attack_fast(
    classifier: Classifier,
    task: Task,
    images: Tensor,
    labels: Tensor,
    *,
    pool: StartPool,
    classes: int,
    is_right: bool = True,
) -> list[Candidate]:
    """Run the preset on samples classified as `labels`; images and candidates (B, C, H, W) are on the CPU.

    Samples that are wrong already (`is_right` False) need no verdict: the untargeted walk alone tells how far they are
    from another prediction.
    """
    eps = task.eps
    assert eps is not None  # check_request asks for it

    def plan(row: int, sample: AttackedSample) -> Script:
        return seek_verdict(sample, eps, pool) if is_right else minimise(sample, "fmn-untargeted")

    samples = follow_plan(classifier, task, images, labels, classes, plan)
    return claim_each(task, images, samples)
