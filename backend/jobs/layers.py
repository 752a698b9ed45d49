"""Restores one layer of the dense parent into a pruned network and measures chosen samples again, layer by layer.

A layer is a module with weights, together with the batch normalisation that alone reads what it gives: at inference
the two are one affine map, and the weights of one network under the statistics of another are neither's. Everything
else stays that of the pruned network. The attack is that of the pruned network's evaluation: its preset, norm, eps,
seed and width, so that with no layer restored every lost sample is lost again.
"""

import copy
import io
import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.network.prepared import build_prepared, find_pairs
from backend.errors import NotFound
from backend.jobs.evaluate import AttackPlan, attack_samples
from backend.jobs.gathering import EvidenceWork, keep, step_reporter
from backend.jobs.rows import refuse_contradictions
from backend.jobs.subjects import PROBES, Subject, load_subject, take_images, take_samples
from backend.jobs.verification import checked_at_once
from backend.schemas.records import EvidenceRecord, LayersRecord, RestoredLayer
from backend.store.artefacts import put_bytes
from backend.store.database import reading
from backend.store.tables import Evaluation

BEHIND_NORMALISATION = "network"
"""Name of a network that stands behind its normalisation (`models.architectures.layers.Normalized`)."""


def restore_layer(work: EvidenceWork) -> None:
    """The next layer, as one step.

    Raises:
        NotFound: the dense evaluation is gone, or the networks have no layer of that name.
        AttackFailed: what was made of the two networks gives no plain outputs.
    """
    began = time.monotonic()
    asked = work.evidence.record.layers
    assert asked is not None
    name = asked.names[work.evidence.done]
    subject, parts = make_restored(work, name)
    report = step_reporter(work, f"{name}, ")
    correct = count_correct(work, subject)
    samples = take_samples(subject, work.evidence.indices)
    record = work.evaluation.record
    plan = AttackPlan(
        work.evaluation.preset,
        work.evaluation.seed,
        report,
        batch_size=record.batch_samples,
        early_flags=record.early_flags or (),
    )
    result = attack_samples(work.evaluation, subject, samples, plan)
    refuse_contradictions(result, samples.labels)
    primary = result.primary
    margins = torch.where(primary.found, primary.distance.double(), torch.inf)
    is_right = result.prediction == samples.labels
    margins = torch.where(is_right, margins, 0.0)
    restored = RestoredLayer(
        name=name,
        parts=tuple(parts),
        weights=subject.network.get_submodule(parts[0]).state_dict()["weight"].numel(),
        correct=correct,
        file=store_margins(margins),
        forwards=result.forwards,
        backwards=result.backwards,
        seconds=round(time.monotonic() - began, 3),
    )
    found = asked.model_copy(update={"restored": (*asked.restored, restored)})
    store_layer(work, found, time.monotonic() - began)


def store_layer(work: EvidenceWork, found: LayersRecord, seconds: float) -> None:
    evidence = work.evidence
    keep(
        work,
        [],
        [],
        steps=1,
        checked=evidence.n,
        refused={},
        record=evidence.record.merge(EvidenceRecord(layers=found)),
        seconds=evidence.seconds + seconds,
    )


def make_restored(work: EvidenceWork, layer: str) -> tuple[Subject, list[str]]:
    """The pruned network with one layer of the dense one, and the names of the modules that were taken over."""
    with reading() as session:
        source = session.get(Evaluation, work.evidence.source_evaluation_id)
    if source is None:
        raise NotFound("The evaluation of the dense network is gone.")
    dense = load_subject(source.checkpoint_id, source.dataset_id, work.device)
    network = copy.deepcopy(work.subject.network)
    parts = restore(network, dense.network, layer, work.subject.pool_images[:PROBES])
    precision = "float32" if work.subject.prepared is None else work.subject.prepared.precision
    prepared, _ = build_prepared(network, work.subject.pool_images[:PROBES], precision)
    return replace(work.subject, network=network, prepared=prepared), parts


def restore(network: nn.Module, parent: nn.Module, layer: str, images: torch.Tensor) -> list[str]:
    """Give a layer of `network`, and the normalisation that alone reads it, the values of `parent`, in place.

    Args:
        layer: its name in the checkpoint, without that of a normalisation in front of the network.
        images: float32 (B, C, H, W) in [0, 1], a few to find the normalisation with, by one pass.

    Returns:
        The names of the modules whose values changed, the layer first.
    """
    name, module = find_module(network, layer)
    with prepare(network), torch.no_grad():
        device = next(network.parameters()).device
        pairs = find_pairs(network, images.to(device))
    names = [name]
    names += [
        other for other, one in network.named_modules() for first, second in pairs if first is module and second is one
    ]
    for part in names:
        network.get_submodule(part).load_state_dict(parent.get_submodule(part).state_dict())
    return names


def find_module(network: nn.Module, layer: str) -> tuple[str, nn.Module]:
    """The module of a layer by its name in the checkpoint, and its full name; NotFound where there is none."""
    modules = dict(network.named_modules())
    for name in (layer, f"{BEHIND_NORMALISATION}.{layer}"):
        if name in modules:
            return name, modules[name]
    raise NotFound(f"The network has no layer {layer}.", layer=layer)


def count_correct(work: EvidenceWork, subject: Subject) -> int:
    """How many clean samples of the whole evaluation the network gets right."""
    rows = np.asarray(work.evaluation.indices, dtype=np.int64)
    images, labels = take_images(subject.samples, rows)
    with prepare(subject.network):
        classifier = Classifier(subject.network, step_reporter(work))
        classifier.total, classifier.stage = len(images), "clean images"
        correct = 0
        for part, truth in zip(images.split(checked_at_once()), labels.split(checked_at_once()), strict=True):
            answers = classifier.classify(part.to(classifier.device)).argmax(1).cpu()
            correct += int((answers == truth).sum())
            classifier.done += len(part)
    return correct


def store_margins(margins: torch.Tensor) -> str:
    """Keep float64 (n,): 0 where wrong, inf where no attack found an adversarial; gives the artefact's name."""
    buffer = io.BytesIO()
    np.save(buffer, margins.numpy(), allow_pickle=False)
    return put_bytes(buffer.getvalue(), ".npy")
