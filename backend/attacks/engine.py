"""`run`: one preset on one network, from checked inputs to a verified result with flags and counts."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from backend.attacks import flags as reliability
from backend.attacks.assembly import Clean, assemble, nearest
from backend.attacks.catalogue.attacks import ATTACKS, BLACK_BOX, SEARCH
from backend.attacks.contract import AttackResult, OnStep
from backend.attacks.inputs import Task, check_label_range, check_pool, check_request, check_transfer
from backend.attacks.losses import predict
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.network.prepared import Prepared
from backend.attacks.network.widths import find_widths
from backend.attacks.presets.autoattack import attack_officially
from backend.attacks.presets.fallbacks import claim_fallbacks
from backend.attacks.presets.fast import attack_fast
from backend.attacks.presets.margin import attack_margins
from backend.attacks.search.starts import StartPool, classify_on, gather_pool
from backend.attacks.verify import Candidate, Verified, verify
from backend.errors import AttackFailed

MOST_LOOKED_AT = 512

METHODS: dict[str, Callable[..., list[Candidate]]] = {
    "margin": attack_margins,
    "fast": attack_fast,
    "autoattack": attack_officially,
    "autoattack-plus": attack_officially,
}


def run(
    preset: str,
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str = "Linf",
    eps: float | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    on_step: OnStep | None = None,
    pool_images: Tensor | None = None,
    transfer_images: Tensor | None = None,
    prepared: Prepared | None = None,
    early_flags: Collection[str] = (),
) -> AttackResult:
    """Attack every sample with a preset of the catalogue and give back the per-sample worst case, verified.

    The network is called as it is: never copied, traced or changed (fallback attacks follow a copy once a flag calls
    for it). During the run it is in evaluation mode with frozen parameters; afterwards, also after an error, every
    module, parameter and buffer is as it was. The caller's tensors are never written to, and torch's global random
    state is left alone.

    Cost per image on ten classes: `margin` takes 184 gradients (one forward and one backward pass each) in Linf and 392
    in L2, and 243 or 20 more forward passes; `fast` about 110 gradients in Linf on a robust network; those of
    AutoAttack up to the sum over their `catalogue.ATTACKS`. Each adds one pass per attack for the verification, two for
    the clean verdict and the rounding, for up to 128 images five more passes, one of them with a gradient, for the
    flags, and what fills up passes that are not full. Fallback attacks come on top where a flag calls for them.

    What a result depends on: network, images, labels, norm, seed, and for presets that need it eps. A sample's draws
    come from the seed and its own pixels, and every pass has one width, so at one batch size neither
    order nor company changes a bit; another batch size changes float32 noise (which on a network that is not smooth can
    lead a run to another local minimum). Three exceptions: fallback attacks run where flags call for them, and those
    are seen on the call's own samples (give `early_flags` to all parts of an evaluation alike); the attack `segment`
    starts from `pool_images`, by default the other samples of the same call, so that what is found in L2 may then
    depend on which samples it is attacked with; and the official code of AutoAttack draws by position in the batch.

    Args:
        preset: name in `catalogue.PRESETS`.
        network: images (B, C, H, W) in [0, 1] to logits (B, K), K at least 2; the normalisation is inside.
        images: float32 (B, C, H, W) in [0, 1], B at least 1; on any device.
        labels: whole numbers (B,) in [0, K).
        norm: "Linf" or "L2".
        eps: radius in the norm's unit, needed by presets that give a verdict, checked and ignored by others.
        seed: from 0; fixes every draw, so that the same call on the same device repeats bit for bit.
        batch_size: samples per pass (default by the network's size), halved when memory runs out.
        on_step: called before every pass, see `contract.OnStep`; what it raises ends the run and reaches the caller.
        pool_images: float32 (P, C, H, W) in [0, 1], P at least 1, images to start `segment` from (the first 512; one
            forward pass each); the same ones for every part of an evaluation make it independent of the parts. By
            default the call's own images.
        transfer_images: float32 (B, C, H, W) in [0, 1], adversarial examples of another network for the same samples
            (a parent's), the clean image where there is none; tried, as a fallback attack, once a flag doubts the
            gradients.
        prepared: a cheaper copy of the network (`preparation.build_prepared`) for our own attacks to walk on. Clean
            verdicts, flags and every verification ask the network itself. Never the official code.
        doubts: flags that `find_early_flags` saw on images of the whole evaluation; raised here too, with their
            fallback attacks.
    Returns:
        AttackResult, all tensors on the CPU; `distance` is 0 where already wrong, inf where not found, never NaN.
    Raises:
        InvalidRequest: an input is malformed (details hold `flag="out-of-box"` where pixels leave [0, 1]), or the
            network does not answer logits (B, K).
        UnknownName: no such preset or norm.
        AttackFailed: `fast` on a network that answers by chance (details hold `flag="randomised"`).
        RuntimeError: the network's own errors, and torch's when memory runs out for a single sample.

    Example: the first class wins where the four pixels sum to more than 2.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    >>> _ = network.load_state_dict({
    ...     "1.weight": torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]),
    ...     "1.bias": torch.tensor([0.0, 2.0]),
    ... })
    >>> images = torch.stack([torch.full((1, 2, 2), 0.75), torch.full((1, 2, 2), 0.25)])
    >>> result = run("margin", network, images, torch.tensor([0, 0]), norm="L2")
    >>> [round(margin, 3) for margin in result.distance.tolist()], result.attack[1]
    ([0.5, 0.0], 'clean')
    >>> [round(margin, 3) for margin in result.margin_pred.tolist()]
    [0.5, 0.5]
    """
    with torch.inference_mode(False):
        task = check_request(preset, network, images, labels, norm, eps, seed, batch_size, prepared)
        others = None if pool_images is None else check_pool(pool_images, task.images)
        transferred = None if transfer_images is None else check_transfer(transfer_images, task.images)
    with prepare(task.network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, on_step, batches)
        classifier.total = len(task.images)
        if classifier.batches is not None:
            classifier.stage = "widths"
            batches.narrower = find_narrower(task, classifier)
        return evaluate(task, classifier, batches, others, transferred, early_flags)


def find_early_flags(network: nn.Module, images: Tensor, *, batch_size: int | None = None) -> tuple[str, ...]:
    """The flags that a few passes over images (B, C, H, W) in [0, 1] see, for every part of an evaluation alike.

    A share of samples decides most of them, and near its threshold a part of an evaluation would raise what another
    does not. Up to 512 images are looked at: one gradient and three forward passes each, which no result counts.
    """
    with torch.inference_mode(False):
        labels = torch.zeros(len(images), dtype=torch.int64)
        looked_at = images[:MOST_LOOKED_AT], labels[:MOST_LOOKED_AT]
        task = check_request("margin", network, *looked_at, "Linf", None, 0, batch_size)
    with prepare(task.network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, None, batches)
        clean = look_at_clean(task, classifier, batches)
        return reliability.order_flags(collect_flags(task, classifier, clean, batches, MOST_LOOKED_AT))


def build_classifier(task: Task, on_step: OnStep | None, batches: Batches) -> Classifier:
    """What counts and answers for the task's network and its prepared copy."""
    padded = None if task.preset.is_official else batches
    if task.prepared is None:
        return Classifier(task.network, on_step, padded)
    is_rough = task.prepared.precision != "float32"
    return Classifier(task.network, on_step, padded, task.prepared.network, explores_roughly=is_rough)


def find_narrower(task: Task, classifier: Classifier) -> tuple[int, ...]:
    """Widths below the full one at which both the network and what walks follow give the bits of the full one.

    None in low precision, whose kernels are not probed.
    """
    if classifier.explores_roughly:
        return ()
    head = task.images[: task.batch_size].to(classifier.device)
    widths = find_widths(classifier, head, task.batch_size)[1:]
    if task.prepared is not None:
        with classifier.exploring():
            explored = find_widths(classifier, head, task.batch_size)
        widths = tuple(width for width in widths if width in explored)
    return widths


def evaluate(
    task: Task,
    classifier: Classifier,
    batches: Batches,
    others: Tensor | None,
    transferred: Tensor | None,
    early_flags: Collection[str],
) -> AttackResult:
    """The run proper: clean pass, flags, attacks on the right and on the wrong samples, verification, assembly."""
    clean = look_at_clean(task, classifier, batches)
    codes = collect_flags(task, classifier, clean, batches) | set(early_flags)
    if "randomised" in codes and task.preset.name == "fast":
        raise AttackFailed(
            "The network gives different answers to the same image, so a plain verdict does not exist for it. Is "
            "dropout or noise active at inference?",
            flag="randomised",
        )
    right = clean.is_correct.nonzero()[:, 0]
    wrong = (clean.is_answered & ~clean.is_correct).nonzero()[:, 0]
    pool = build_pool(task, classifier, clean, batches, others)
    is_randomised = "randomised" in codes
    verified = attack(task, classifier, clean, pool, right, batches, is_randomised, codes)
    verified_wrong = attack(task, classifier, clean, pool, wrong, batches, is_randomised)
    if not task.preset.is_official and not bool(nearest(verified)[1].isfinite().all()):
        codes.add("not-found")
    codes |= inspect_masking(verified)
    verified += fallback(task, classifier, clean, pool, right, verified, batches, codes, transferred)
    if beats_the_primary_run(verified) or breaks_what_stood(task, verified):
        codes.add("masking")
    return assemble(task, classifier, clean, codes, (right, verified), (wrong, verified_wrong), batches)


def build_pool(task: Task, classifier: Classifier, clean: Clean, batches: Batches, others: Tensor | None) -> StartPool:
    """What `segment` starts from: the given images, classified here, or the task's own."""
    limit = ATTACKS["segment"].parameters["pool"]
    is_used = "segment" in task.preset.attacks and (task.preset.name == "margin" or task.norm.name == "L2")
    if others is None or not is_used:
        return gather_pool(classifier, task.images, clean.logits, task.seed, limit, batches)
    classifier.stage = "clean"
    others = others[:limit]
    answers = [answer for _, answer in batches.run(len(others), lambda part: classify_on(classifier, others[part]))]
    return gather_pool(classifier, others, torch.cat(answers), task.seed, limit, batches)


def look_at_clean(task: Task, classifier: Classifier, batches: Batches) -> Clean:
    """Classify the clean images; a sample whose logits are not finite has no right answer."""
    classifier.stage = "clean"
    answers = [a for _, a in batches.run(len(task.images), lambda part: classify_on(classifier, task.images[part]))]
    logits = torch.cat(answers)
    check_label_range(task.labels, logits.shape[1])
    prediction = predict(logits)
    is_answered = logits.isfinite().all(1)
    return Clean(logits, prediction, is_answered & (prediction == task.labels), is_answered)


def collect_flags(
    task: Task, classifier: Classifier, clean: Clean, batches: Batches, most: int = reliability.LOOKED_AT
) -> set[str]:
    """Everything that can be seen before an attack, gradients on up to `most` images."""
    classifier.stage = "flags"
    codes = reliability.inspect_modes(task.network) | reliability.inspect_logits(clean.logits)
    codes |= reliability.inspect_repeat(classifier, task.images, batches)
    codes |= reliability.inspect_inner_optimisation(classifier, task.images[:1])
    chosen = clean.is_answered
    codes |= reliability.inspect_gradients(classifier, task.images[chosen], clean.prediction[chosen], batches, most)
    if clean.logits.shape[1] - 1 < task.preset.parameters["targets"]:
        codes.add("few-classes")
    return codes


def inspect_masking(verified: list[Verified]) -> set[str]:
    """`masking` where an attack without gradients beats those with: at eps, or in many margins by far."""
    for outcome in verified:
        if outcome.attack == BLACK_BOX and reliability.tells_masking(int(outcome.found.sum()), len(outcome.found)):
            return {"masking"}
        if outcome.attack == SEARCH and bool(outcome.tried.any()):
            followed = torch.stack([other.distance for other in verified if other.attack != SEARCH]).amin(0)
            if reliability.tells_masking_of_margins(outcome.distance, followed):
                return {"masking"}
    return set()


def attack(
    task: Task,
    classifier: Classifier,
    clean: Clean,
    pool: StartPool,
    rows: Tensor,
    batches: Batches,
    is_randomised: bool,
    codes: set[str] | None = None,
) -> list[Verified]:
    """Run the preset on some samples against the class the network gives them, and verify each attack's claims.

    What a verdict left because a prepared copy called it broken, and is not, is attacked on the network itself.
    With `codes`, the flags that the official code's own checks raise are added.
    """
    images, labels = task.images[rows], clean.prediction[rows]
    method = METHODS[task.preset.name]
    options: dict[str, Any] = {"codes": codes, "batches": batches} if method is attack_officially else {}
    if method is attack_fast:
        options["is_right"] = codes is not None
    radius = task.eps if task.preset.is_official else None

    def follow(chosen: Tensor, walks: AbstractContextManager[None]) -> tuple[list[Candidate], list[Verified]]:
        classifier.stage = task.preset.name
        own, truth = images[chosen], labels[chosen]
        with walks:
            claims = method(classifier, task, own, truth, pool=pool, classes=clean.logits.shape[1], **options)
        classifier.stage = "verification"
        return claims, [
            verify(classifier, task.norm, own, truth, claim, batches, radius, is_randomised=is_randomised)
            for claim in claims
        ]

    claims, verified = follow(torch.arange(len(rows)), classifier.exploring())
    if method is attack_fast and task.prepared is not None:
        lost = find_lost(task, images, claims, verified).nonzero()[:, 0]
        if len(lost):
            verified = replace_rows(verified, lost, follow(lost, nullcontext())[1])
    return verified


def find_lost(task: Task, images: Tensor, claims: list[Candidate], verified: list[Verified]) -> Tensor:
    """Samples (bool (B,)) that were left because the copy called them broken within eps, and the network does not."""
    assert task.eps is not None
    distances = [task.norm.distance(images, claim.images).double() for claim in claims]
    within = [claim.claimed & (far <= task.eps) for claim, far in zip(claims, distances, strict=True)]
    return torch.stack(within).any(0) & (nearest(verified)[1].double() > task.eps)


def replace_rows(verified: list[Verified], rows: Tensor, others: list[Verified]) -> list[Verified]:
    """The outcomes with those of some samples replaced, attack by attack."""
    replaced = []
    for outcome, other in zip(verified, others, strict=True):
        columns = {}
        for name in ("images", "found", "distance", "tried", "prediction"):
            columns[name] = getattr(outcome, name).clone()
            columns[name][rows] = getattr(other, name)
        replaced.append(replace(outcome, **columns))
    return replaced


def fallback(
    task: Task,
    classifier: Classifier,
    clean: Clean,
    pool: StartPool,
    rows: Tensor,
    primary: list[Verified],
    batches: Batches,
    codes: set[str],
    transferred: Tensor | None,
) -> list[Verified]:
    """What the flags call for, on the samples that the primary run left standing; verified on the network itself."""
    images, labels = task.images[rows], clean.prediction[rows]
    standing = nearest(primary)[1] > (task.eps if task.eps is not None else 0.0)
    classifier.stage = "fallbacks"
    claims = claim_fallbacks(
        classifier,
        task,
        images,
        labels,
        codes=codes,
        classes=clean.logits.shape[1],
        pool=pool,
        standing=standing,
        transferred=None if transferred is None else transferred[rows],
    )
    classifier.stage = "verification"
    return [
        verify(classifier, task.norm, images, labels, claim, batches, None, is_randomised="randomised" in codes)
        for claim in claims
    ]


def breaks_what_stood(task: Task, verified: list[Verified]) -> bool:
    """Whether fallback attacks broke more than 1 % of what a verdict's primary run left standing, beyond chance."""
    fallbacks = [outcome for outcome in verified if outcome.series]
    if not fallbacks or task.eps is None or task.preset.distance_kind != "witness":
        return False
    tried = torch.stack([outcome.tried for outcome in fallbacks]).any(0)
    broken = tried & (nearest(fallbacks)[1] <= task.eps)
    return reliability.tells_masking(int(broken.sum()), int(tried.sum()))


def beats_the_primary_run(verified: list[Verified]) -> bool:
    """Whether fallback attacks came more than 5 % nearer than the whole primary run on more than a tenth of the
    samples.
    """
    fallbacks = [outcome for outcome in verified if outcome.series]
    if not fallbacks or not len(fallbacks[0].distance):
        return False
    primary = nearest([outcome for outcome in verified if not outcome.series])[1]
    return reliability.tells_masking_of_margins(nearest(fallbacks)[1], primary)
