"""What a run does before its first attack: pass widths, the clean images, flags, and images to start from."""

from collections.abc import Collection

import torch
from torch import Tensor

from backend.attacks import flags as reliability
from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.contract import OnStep
from backend.attacks.inputs import Task, check_label_range
from backend.attacks.losses import predict
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.network.widths import find_widths
from backend.attacks.runs import Clean, Run, StartPool, find_attack
from backend.attacks.search.starts import classify_on, gather_pool
from backend.errors import AttackFailed


def begin(
    task: Task,
    classifier: Classifier,
    batches: Batches,
    pool_images: Tensor | None,
    transferred: Tensor | None,
    early_flags: Collection[str],
) -> Run:
    """Everything that is fixed before the first attack; AttackFailed where the preset refuses the network."""
    clean = classify_clean(task, classifier, batches)
    codes = collect_flags(task, classifier, clean, batches, reliability.FLAG_IMAGES) | set(early_flags)
    is_randomised = "randomised" in codes
    if is_randomised and task.preset.refuses_randomised:
        raise AttackFailed(
            "The network gives different outputs for the same image, so it has no plain verdict. Is dropout or noise "
            "active at inference?",
            flag="randomised",
        )
    pool = build_pool(task, classifier, clean, batches, pool_images)
    attack = find_attack(task.preset)
    return Run(task, attack, classifier, batches, clean, pool, codes, is_randomised, transferred)


def build_classifier(task: Task, on_step: OnStep | None, batches: Batches) -> Classifier:
    """What counts the passes through the task's network and its prepared copy."""
    padded = None if task.preset.is_foreign else batches
    if task.prepared is None:
        return Classifier(task.network, on_step, padded)
    is_rough = task.prepared.precision != "float32"
    return Classifier(task.network, on_step, padded, task.prepared.network, explores_roughly=is_rough)


def find_narrower(task: Task, classifier: Classifier) -> tuple[int, ...]:
    """Widths below the full one at which both the network and what attacks follow give the bits of the full one.

    None in low precision, whose kernels are not probed, and none for foreign code, whose passes are not padded.
    """
    if classifier.explores_roughly or classifier.batches is None:
        return ()
    classifier.stage = "widths"
    head = task.images[: task.batch_size].to(classifier.device)
    widths = find_widths(classifier, head, task.batch_size)[1:]
    if task.prepared is not None:
        with classifier.exploring():
            explored = find_widths(classifier, head, task.batch_size)
        widths = tuple(width for width in widths if width in explored)
    return widths


def classify_clean(task: Task, classifier: Classifier, batches: Batches) -> Clean:
    """Classify the clean images; a sample whose logits are not finite counts as wrong."""
    classifier.stage = "clean"
    logits = classify_all(classifier, batches, task.images)
    check_label_range(task.labels, logits.shape[1])
    prediction, is_finite = predict(logits), logits.isfinite().all(1)
    return Clean(logits, prediction, is_finite & (prediction == task.labels), is_finite)


def classify_all(classifier: Classifier, batches: Batches, images: Tensor) -> Tensor:
    """Logits (B, K) on the CPU of images on the CPU, pass by pass."""
    passes = batches.run(len(images), lambda part: classify_on(classifier, images[part]))
    return torch.cat([logits for _, logits in passes])


def collect_flags(task: Task, classifier: Classifier, clean: Clean, batches: Batches, most: int) -> set[str]:
    """Every flag that can be seen before an attack; gradients are taken of up to `most` images."""
    classifier.stage = "flags"
    codes = reliability.inspect_modes(task.network) | reliability.inspect_logits(clean.logits)
    codes |= reliability.inspect_repeat(classifier, task.images, batches)
    codes |= reliability.inspect_inner_optimisation(classifier, task.images[:1])
    chosen = clean.is_finite
    codes |= reliability.inspect_gradients(classifier, task.images[chosen], clean.prediction[chosen], batches, most)
    if clean.logits.shape[1] - 1 < task.preset.parameters.get("targets", 0):
        codes.add("few-classes")
    return codes


def build_pool(
    task: Task, classifier: Classifier, clean: Clean, batches: Batches, pool_images: Tensor | None
) -> StartPool:
    """What the preset starts from: the given images, classified here, or the task's own."""
    limit = ATTACKS["segment"].parameters["pool"]
    if pool_images is None or task.norm.name not in task.preset.pool_norms:
        return gather_pool(classifier, task.images, clean.logits, task.seed, limit, batches)
    classifier.stage = "clean"
    pool_images = pool_images[:limit]
    logits = classify_all(classifier, batches, pool_images)
    return gather_pool(classifier, pool_images, logits, task.seed, limit, batches)
