"""One sample's attacks, as scripts for the queue: what each starts from, and what it is credited with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.norms import Norm
from backend.attacks.runs import StartPool
from backend.attacks.search.gradient_free_steps import Bisect, Choose, Search, Squares
from backend.attacks.search.gradient_steps import Ascend, Minimise, Rank
from backend.attacks.search.phases import Walker
from backend.attacks.search.scheduler import Script
from backend.attacks.search.starts import find_nearest, make_generator

STEP_AFTER_RESTART = 0.3
PATTERN_ASCENT_FIRST, RESTART_ASCENT_FIRST = 2.0, 0.5
# A point at eps sharp may be rounded out of the ball: attacks aim a little inside. A pixel is rounded by up to 3e-8.
AIM, ROUNDING = 1.0 - 4e-6, 6e-8
PATTERN_AXES = (None, 2, 3, 2)  # per pixel, columns, rows, columns: the axis of (P, C, H, W) that shares a sign


@dataclass
class AttackedSample:
    """A sample under attack, on the network's device, and the nearest broken image of each attack so far.

    image float32 (C, H, W) in [0, 1], classified as `label` of `classes`. content: the image's bytes, from which every
    draw comes. limit: length of the whole box.
    """

    norm: Norm
    image: Tensor
    label: int
    classes: int
    seed: int
    content: bytes
    limit: float
    results: dict[str, tuple[Tensor, float]] = field(default_factory=dict)

    def draw(self, purpose: str, shape: torch.Size) -> Tensor:
        """Uniform draws in [-1, 1], float32, on the network's device; the same for the same purpose."""
        generator = make_generator(self.seed, purpose.encode(), self.content)
        return (2.0 * torch.rand(shape, generator=generator) - 1.0).to(self.image.device)

    def draw_unit(self, purpose: str) -> Tensor:
        """A uniform perturbation (C, H, W), scaled to length 1."""
        noise = self.draw(purpose, self.image.shape)
        return noise / self.norm.measure(noise[None])[0]

    @property
    def nearest(self) -> tuple[Tensor, float]:
        """The nearest broken image of all attacks, and its distance; the image itself and inf where none."""
        return min(self.results.values(), key=lambda result: result[1], default=(self.image, torch.inf))

    @property
    def radius(self) -> float:
        """The distance of the nearest, at most the whole box."""
        return min(self.nearest[1], self.limit)

    def note(self, attack: str, walker: Walker) -> None:
        """Credit an attack with what it reached; only its nearest is kept."""
        if walker.distance < self.results.get(attack, (None, torch.inf))[1]:
            self.results[attack] = (walker.best, walker.distance)
        else:
            self.results.setdefault(attack, (self.image, torch.inf))

    def send(self, phase: Any, point: Tensor | None = None, before: Walker | None = None) -> Walker:
        """A walker of this sample: from its clean image, from `point`, or from where a phase `before` ended."""
        if before is not None:
            point = before.point if point is None else point
            best, distance = before.best, before.distance
        else:
            best, distance = self.image, torch.inf
        start = self.image if point is None else point
        return Walker(self.image, self.label, self.classes, phase, start, best, distance)


def rank(sample: AttackedSample, classes: int) -> Script:
    """The other classes with the largest logits, nearest boundary first by estimate."""
    walker = yield sample.send(Rank(min(classes, sample.classes - 1)))
    order = walker.notes["estimates"].argsort(stable=True)
    return walker.notes["others"][order].tolist()


def minimise(sample: AttackedSample, attack: str, target: int = -1, enough: float = 0.0, aim: float = 0.0) -> Script:
    """A minimum-norm walk from the clean image, with noise where the catalogue says so; it ends at `enough`."""
    parameters = ATTACKS[attack].parameters
    share = parameters.get("noise", 0.0)
    noise = share * sample.draw_unit(attack) if share else None
    first_step, spread = parameters.get("first_step", 1.0), parameters.get("spread", False)
    walker = yield sample.send(Minimise(parameters["steps"], target, first_step, noise, spread, enough, aim))
    sample.note(attack, walker)


def start_from_segment(sample: AttackedSample, attack: str, pool: StartPool, enough: float = 0.0) -> Script:
    """Bisect the segment to the nearest image of another class, then descend from where it crosses the boundary."""
    parameters = ATTACKS[attack].parameters
    label = torch.tensor([sample.label], device=sample.image.device)
    others, exists = find_nearest(pool, sample.image[None], label)
    if not bool(exists[0]):
        sample.note(attack, sample.send(None))
        return
    walker = yield sample.send(Bisect(parameters["passes"]), others[0])
    walker = yield sample.send(Minimise(parameters["steps"], enough=enough), walker.best, walker)
    sample.note(attack, walker)


def restart(sample: AttackedSample, attack: str) -> Script:
    """Diversify within the radius of the best known example, then minimise from there.

    Output-diversified initialisation (Tashiro et al. 2020, Diversity Can Be Transferred: Output Diversification for
    White- and Black-box Attacks, arXiv 2003.06878): first a few steps along the gradient of a random combination of
    the logits, then ascent on the logit gap. Differs from the paper: the ball is that of the best example known so far,
    and what comes out only starts a minimum-norm walk.
    """
    parameters, radius = ATTACKS[attack].parameters, sample.radius
    weights = sample.draw(f"{attack} weights", torch.Size([sample.classes]))
    diversify = Ascend(parameters["diverse_steps"], radius, "weights", weights=weights, last_step=1.0)
    walker = yield sample.send(diversify, sample.image + radius * sample.draw_unit(attack))
    ascend = Ascend(parameters["ascent_steps"], radius, first_step=RESTART_ASCENT_FIRST)
    walker = yield sample.send(ascend, before=walker)
    walker = yield sample.send(Minimise(parameters["steps"], first_step=STEP_AFTER_RESTART), before=walker)
    sample.note(attack, walker)


def draw_patterns(sample: AttackedSample, purpose: str, count: int) -> Tensor:
    """Signs (P, C, H, W), -1 or 1: per pixel, or the same along columns or rows, in turn."""
    noise = sample.draw(purpose, torch.Size([count, *sample.image.shape]))
    for number in range(count):
        axis = PATTERN_AXES[number % len(PATTERN_AXES)]
        if axis is not None:
            noise[number] = noise[number].narrow(axis - 1, 0, 1).expand_as(noise[number])
    return torch.where(noise < 0, -1.0, 1.0)


def follow_pattern(sample: AttackedSample, attack: str) -> Script:
    """Start from the best pattern, raise the cross-entropy within its radius, then minimise from there; Linf only.

    On a heavily pruned network most pixels have no gradient at all (89 % on the shipped one with 1 % of its weights),
    so a walk from the clean image never moves them, though what they feed may decide. A start where every pixel stands
    at full strength, per pixel or in stripes (the start of the Square attack), wakes these parts; of a few such starts
    the one with the lowest logit gap is followed, first on the cross-entropy, which all classes share in.
    """
    parameters = ATTACKS[attack].parameters
    signs = draw_patterns(sample, attack, parameters["patterns"])
    walker = yield sample.send(Choose(signs, min(sample.nearest[1], 1.0), parameters["radius_share"]))
    radius = float(walker.notes["radius"])
    ascend = Ascend(parameters["ascent_steps"], radius, "cross-entropy", first_step=PATTERN_ASCENT_FIRST)
    walker = yield sample.send(ascend, before=walker)
    walker = yield sample.send(Minimise(parameters["steps"], first_step=STEP_AFTER_RESTART), before=walker)
    sample.note(attack, walker)


def search(sample: AttackedSample, attack: str) -> Script:
    """Random squares around the best known example, inside a radius that shrinks with every success; Linf only."""
    parameters = ATTACKS[attack].parameters
    draws = sample.draw(attack, torch.Size([parameters["queries"], 2 + len(sample.image)]))
    draws = ((draws + 1.0) / 2).clamp_max(1.0 - 1e-6)
    point, distance = sample.nearest
    walker = yield sample.send(Search(draws, min(distance, 1.0), parameters["p_init"]), point)
    if walker.distance < distance:
        sample.note(attack, walker)
    else:
        sample.note(attack, sample.send(None))


def aim_inside(sample: AttackedSample, eps: float) -> float:
    """The radius that attacks work in, so that what they reach is within eps after each pixel was rounded."""
    return max(eps * AIM - ROUNDING * sample.limit, 0.5 * eps)


def break_by_squares(
    sample: AttackedSample, attack: str, purpose: str, parameters: Mapping[str, Any], radius: float, gives_up: bool
) -> Script:
    """The Square attack inside the radius, from the lowest of a few patterns; gives the share of the gap that is left.

    It is 0 where the sample is broken. `purpose` fixes the draws; `parameters` as those of `hidden` in the catalogue.
    """
    signs = draw_patterns(sample, f"{purpose} patterns", parameters["patterns"])
    walker = yield sample.send(Choose(signs, min(radius, 1.0), 1.0))
    if walker.distance == float("inf"):
        draws = sample.draw(purpose, torch.Size([parameters["queries"], 2 + len(sample.image)]))
        draws = ((draws + 1.0) / 2).clamp_max(1.0 - 1e-6)
        squares = Squares(draws, min(radius, 1.0), parameters["p_init"], gives_up)
        walker = yield sample.send(squares, before=walker)
    sample.note(attack, walker)
    return float(walker.notes["left"]) if walker.distance == float("inf") else 0.0


def pull_in(sample: AttackedSample, attack: str, point: Tensor, eps: float | None) -> Script:
    """Bisect the segment to another network's adversarial example; where that does not break this one, to eps.

    The nearest example of a network lies on its own boundary, and that of a network made from it may lie a little
    behind. Without an eps the segment goes on to twice the example's distance.
    """
    parameters = ATTACKS[attack].parameters
    passes = parameters["passes"]
    walker = yield sample.send(Bisect(passes), point)
    if walker.distance == torch.inf:
        perturbation = point - sample.image
        length = sample.norm.measure(perturbation[None])[0]
        reach = parameters["reach"] * length if eps is None else eps
        walker = yield sample.send(Bisect(passes), sample.image + perturbation * (reach / length))
    sample.note(attack, walker)


def polish(sample: AttackedSample, passes: int) -> Script:
    """Bisect the segment to the nearest broken image; the attack that had found it is credited."""
    point, distance = sample.nearest
    if distance == torch.inf:
        return
    winner = next(name for name, result in sample.results.items() if result[1] == distance)
    sample.note(winner, (yield sample.send(Bisect(passes), point)))
