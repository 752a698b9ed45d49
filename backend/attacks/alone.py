"""Single attacks as functions, for notebooks: no catalogue, no flags, no fallback attacks; the examples are verified.

Each is called with a network, images and labels, and gives `contract.VerifiedExamples`. `attacks.run` with a preset of
the catalogue finds nearer examples and says whether the network can be trusted to have none.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from backend.attacks.assembly import place_nearest
from backend.attacks.attempts import attack_group
from backend.attacks.catalogue import Preset
from backend.attacks.contract import OnStep, VerifiedExamples
from backend.attacks.first_passes import build_classifier, classify_clean
from backend.attacks.inputs import Request, Task, check_count, check_label_range, check_labels, check_request
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import prepare
from backend.attacks.runs import AttackFunction, Run, SampleGroup, StartPool
from backend.attacks.search.gradient_steps import Minimise
from backend.attacks.search.plan import follow_plan, propose_each
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample, aim_inside, break_by_squares
from backend.attacks.verify import Candidate
from backend.errors import InvalidRequest


def fmn(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str = "Linf",
    steps: int = 30,
    targets: Tensor | None = None,
    noise: float = 0.0,
    spread: bool = False,
    seed: int = 0,
    batch_size: int | None = None,
    on_step: OnStep | None = None,
) -> VerifiedExamples:
    """The smallest perturbation that one minimum-norm walk finds, per sample; the preset `margin` runs many.

    Kind: minimum norm, with gradients. Cost per image: `steps` gradients (one forward and one backward pass each), two
    forward passes, and what fills up the last passes.

    Args:
        network: images (B, C, H, W) in [0, 1] to logits (B, K), K at least 2; the normalisation is inside. Called as
            it is, in evaluation mode and with frozen parameters; afterwards everything is as it was.
        images: float32 (B, C, H, W) in [0, 1], B at least 1; on any device.
        labels: whole numbers (B,) in [0, K).
        norm: "Linf" or "L2".
        steps: gradient steps, at least 1.
        targets: whole numbers (B,) in [0, K), the class to walk to, other than the label; by default the class with the
            largest other logit at every step. An example counts whichever class wins.
        noise: length of a random perturbation mixed into the first step, as a share of that step's length.
        spread: begin along the signs of the gradient and end along the gradient (worth it in L2, with about 80 steps).
        seed: from 0; fixes the noise.
        batch_size: samples per pass (default by the network's size), halved when memory runs out.
        on_step: called before every pass, see `contract.OnStep`.
    Returns:
        VerifiedExamples; `distance` is an upper bound, 0 where already wrong, inf where not found, never NaN.
    Raises:
        InvalidRequest: an input is malformed, or the network does not return logits (B, K).
        UnknownName: no such norm.

    Differs from the paper: steps relative to each sample's radius and a first step to the estimated boundary, see
    `search.gradient_steps.Minimise`.
    Reference: Pintor et al. 2021, Fast Minimum-norm Adversarial Attacks through Adaptive Norm Constraints,
    arXiv 2102.12827.

    Example: the first class wins where the four pixels sum to more than 2.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    >>> _ = network.load_state_dict({
    ...     "1.weight": torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]),
    ...     "1.bias": torch.tensor([0.0, 2.0]),
    ... })
    >>> images = torch.stack([torch.full((1, 2, 2), 0.75), torch.full((1, 2, 2), 0.25)])
    >>> result = fmn(network, images, torch.tensor([0, 0]), norm="L2")
    >>> [round(distance, 3) for distance in result.distance.tolist()], result.found.tolist()
    ([0.5, 0.0], [True, True])
    """
    check_count("steps", steps)
    if not noise >= 0.0:
        raise InvalidRequest(f"noise must be a share of at least 0; got {noise!r}.")
    preset = describe("fmn", "margin", ("Linf", "L2"))
    request = Request(preset, network, images, labels, norm, None, seed, batch_size)
    with torch.inference_mode(False):
        task = check_request(request)
        chosen = None if targets is None else check_labels(targets, len(task.images), "target")
        if chosen is not None and bool((chosen == task.labels).any()):
            raise InvalidRequest("A target must differ from the label.")

    def attack(run: Run, group: SampleGroup) -> list[Candidate]:
        if chosen is not None:
            check_label_range(chosen, run.classes, "target")

        def walk(place: int, sample: AttackedSample) -> Script:
            target = -1 if chosen is None else int(chosen[group.rows[place]])
            drawn = noise * sample.draw_unit("fmn") if noise else None
            sample.note("fmn", (yield sample.send(Minimise(steps, target, noise=drawn, spread=spread))))

        return propose_each(run, group, follow_plan(run, group, walk))

    return run_alone(task, attack, on_step)


def square(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    eps: float,
    queries: int = 5000,
    p_init: float = 0.8,
    patterns: int = 8,
    seed: int = 0,
    batch_size: int | None = None,
    on_step: OnStep | None = None,
) -> VerifiedExamples:
    """Whether random squares break a sample within eps in Linf, without any gradient.

    Kind: witness, black box. Cost per image that stands: `patterns`, `queries` and three more forward passes; a sample
    that breaks leaves at once.

    Args:
        network, images, labels, seed, batch_size, on_step: as for `fmn`.
        eps: radius in Linf, in pixels of [0, 1].
        queries: squares to try, at least 1.
        p_init: share of the image that the first squares cover, above 0 and at most 1.
        patterns: random starts of full strength (per pixel or in stripes), of which the best is followed; at least 1.
    Returns:
        VerifiedExamples; `distance` is at most eps where found, 0 where already wrong, inf where not found.
    Raises:
        InvalidRequest: an input is malformed, or the network does not return logits (B, K).

    Differs from the paper: several starts; the lowest logit gap decides.
    Reference: Andriushchenko et al. 2020, Square Attack, arXiv 1912.00049.
    """
    check_count("queries", queries)
    check_count("patterns", patterns)
    if not 0.0 < p_init <= 1.0:
        raise InvalidRequest(f"p_init must be above 0 and at most 1; got {p_init!r}.")
    preset = describe("square", "verdict", ("Linf",))
    request = Request(preset, network, images, labels, "Linf", eps, seed, batch_size)
    with torch.inference_mode(False):
        task = check_request(request)
    parameters = {"queries": queries, "p_init": p_init, "patterns": patterns}

    def attack(run: Run, group: SampleGroup) -> list[Candidate]:
        def search(place: int, sample: AttackedSample) -> Script:
            yield from break_by_squares(sample, "square", "square", parameters, aim_inside(sample, eps), False)

        return propose_each(run, group, follow_plan(run, group, search))

    return run_alone(task, attack, on_step)


def describe(name: str, promises: Literal["margin", "verdict"], norms: tuple[str, ...]) -> Preset:
    """The attack as a preset of its own, which no catalogue holds."""
    return Preset(
        name=name,
        title=name,
        short_title=name,
        description="",
        promises=promises,
        rank=0,
        runs="",
        norms=norms,
        attacks=(name,),
    )


def run_alone(task: Task, attack: AttackFunction, on_step: OnStep | None) -> VerifiedExamples:
    """Classify the clean images, attack those that are right, verify what is found. Costs two passes per image."""
    with prepare(task.network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, on_step, batches)
        classifier.total = len(task.images)
        clean = classify_clean(task, classifier, batches)
        run = Run(task, attack, classifier, batches, clean, StartPool(task.images[:0], task.labels[:0]), set())
        classifier.done = classifier.total - len(run.right.rows)
        found = place_nearest(run, run.right.rows, attack_group(run, run.right))
    return VerifiedExamples(
        adversarial=found.adversarial,
        found=found.distance.isfinite(),
        distance=found.distance,
        adversarial_prediction=found.prediction,
        forwards=classifier.forwards,
        backwards=classifier.backwards,
    )
