"""`run`: one preset on one network, from checked inputs to a verified result with flags and counts."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from backend.attacks import flags as reliability
from backend.attacks.assembly import assemble, nearest
from backend.attacks.attempts import attack_by_fallbacks, attack_group
from backend.attacks.catalogue import get_preset
from backend.attacks.contract import AttackResult, OnStep
from backend.attacks.first_passes import begin, build_classifier, classify_clean, collect_flags, find_narrower
from backend.attacks.inputs import Request, check_pool, check_request, check_transfer
from backend.attacks.masking import shows_in_fallbacks, shows_in_primary_run
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import prepare
from backend.attacks.network.prepared import Prepared
from backend.attacks.runs import Run

EARLY_FLAG_IMAGES = 512


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
    come from the seed and its own pixels, and every pass has one width, so at one batch size neither the order of the
    samples nor the others in its pass change a bit; another batch size changes float32 noise (which on a network not
    smooth can lead a run to another local minimum). Three exceptions: fallback attacks run where flags call for
    them, and flags are seen on the call's own samples (give `early_flags` to all parts of an evaluation alike); the
    attack `segment` starts from `pool_images`, by default the other samples of the same call, so that what is found in
    L2 may depend on which samples are attacked together; and the official code of AutoAttack draws by position in the
    batch.

    Args:
        preset: name in `catalogue.PRESETS`.
        network: images (B, C, H, W) in [0, 1] to logits (B, K), K at least 2; the normalisation is inside.
        images: float32 (B, C, H, W) in [0, 1], B at least 1; on any device.
        labels: whole numbers (B,) in [0, K).
        norm: "Linf" or "L2".
        eps: radius in the norm's unit, needed by presets that give a verdict, checked and ignored by others.
        seed: from 0; fixes every draw, so that the same call on the same device repeats bit for bit.
        batch_size: samples per pass (default by the network's size), halved when memory runs out.
        on_step: called before every pass, see `contract.OnStep`; an error that it raises ends the run and reaches the
            caller.
        pool_images: float32 (P, C, H, W) in [0, 1], P at least 1, images to start `segment` from (the first 512; one
            forward pass each); the same ones for every part of an evaluation make it independent of the parts. By
            default the call's own images.
        transfer_images: float32 (B, C, H, W) in [0, 1], adversarial examples of another network for the same samples
            (a parent's), the clean image where there is none; tried, as a fallback attack, once a flag says that the
            gradients may not be trusted.
        prepared: a cheaper copy of the network (`network.prepared.build_prepared`) for our own attacks to follow.
            Clean verdicts, flags and every verification use the network itself, and so does the official code.
        early_flags: flags that `find_early_flags` saw on images of the whole evaluation; raised here too, with their
            fallback attacks.
    Returns:
        AttackResult, all tensors on the CPU; `distance` is 0 where already wrong, inf where not found, never NaN.
    Raises:
        InvalidRequest: an input is malformed (details hold `flag="out-of-box"` where pixels leave [0, 1]), or the
            network does not return logits (B, K).
        UnknownName: no such preset or norm.
        AttackFailed: `fast` on a randomised network (details hold `flag="randomised"`).
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
        request = Request(get_preset(preset), network, images, labels, norm, eps, seed, batch_size, prepared)
        task = check_request(request)
        pool = None if pool_images is None else check_pool(pool_images, task.images)
        transferred = None if transfer_images is None else check_transfer(transfer_images, task.images)
    with prepare(task.network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, on_step, batches)
        classifier.total = len(task.images)
        batches.narrower = find_narrower(task, classifier)
        return evaluate(begin(task, classifier, batches, pool, transferred, early_flags))


def find_early_flags(network: nn.Module, images: Tensor, *, batch_size: int | None = None) -> tuple[str, ...]:
    """The flags that a few passes over images (B, C, H, W) in [0, 1] see, for every part of an evaluation alike.

    A share of samples decides most of them, and near its threshold one part of an evaluation would raise a flag that
    another does not. Cost, for up to 512 images: one gradient and three forward passes each, which no result counts.
    """
    with torch.inference_mode(False):
        chosen = images[:EARLY_FLAG_IMAGES]
        labels = torch.zeros(len(chosen), dtype=torch.int64)
        task = check_request(Request(get_preset("margin"), network, chosen, labels, batch_size=batch_size))
    with prepare(task.network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, None, batches)
        clean = classify_clean(task, classifier, batches)
        return reliability.order_flags(collect_flags(task, classifier, clean, batches, EARLY_FLAG_IMAGES))


def evaluate(run: Run) -> AttackResult:
    """The attacks on the right and on the wrong samples, what their outcomes say of the network, and the result."""
    right, wrong, flags = run.right, run.wrong, run.flags
    primary = attack_group(run, right)
    outcomes_of_wrong = attack_group(run, wrong)
    if run.task.preset.always_finds and not bool(nearest(primary)[1].isfinite().all()):
        flags.add("not-found")
    if shows_in_primary_run(primary):
        flags.add("masking")
    fallbacks = attack_by_fallbacks(run, right, primary)
    if shows_in_fallbacks(run.task, primary, fallbacks):
        flags.add("masking")
    return assemble(run, right, primary + fallbacks, wrong, outcomes_of_wrong)
