"""Restored layers: what is put back, and what a real worker measures with it."""

from typing import Any

import numpy as np
import pytest
import torch

from backend.errors import NotFound
from backend.jobs.layers import restore
from backend.jobs.subjects import load_subject, take_samples
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.layers import LayersIn
from backend.schemas.slices import SliceIn
from backend.services import evaluations, evidence, layers, slices
from backend.store import database
from backend.store.artefacts import artefact_path
from backend.store.tables import Evidence
from tests.jobs.conftest import queue_margin, wait_for

N = 14
LOST_CLEAN, LOST_AT_EPS = 11, 0  # of cnn-lwm-95 among the first rows
NAMES = ["conv1", "conv2", "conv3", "linear"]


@pytest.fixture(scope="module")
def pair(crew: Any) -> tuple[EvaluationOut, EvaluationOut]:
    crew.start()
    queued = [queue_margin(name, n=N) for name in ("cnn-dense", "cnn-lwm-95")]
    for one in queued:
        wait_for(lambda one=one: evaluations.get_evaluation(one.id).state == "succeeded", "an evaluation")
    dense, pruned = (evaluations.get_evaluation(one.id) for one in queued)
    return dense, pruned


def networks(pair: tuple[EvaluationOut, EvaluationOut]) -> list[Any]:
    load_subject.cache_clear()  # the networks of this test are its own
    return [load_subject(row.checkpoint_id, row.dataset_id, "cpu") for row in pair]


def test_restore_puts_back_the_layer_with_its_normalisation_and_nothing_else(pair) -> None:
    dense, pruned = networks(pair)
    before = {name: tensor.clone() for name, tensor in pruned.network.state_dict().items()}
    parts = restore(pruned.network, dense.network, "conv2", pruned.pool_images[:8])
    assert parts == ["conv2", "bn2"]
    wanted = dense.network.state_dict()
    for name, tensor in pruned.network.state_dict().items():
        is_restored = name.split(".")[0] in parts
        torch.testing.assert_close(tensor, wanted[name] if is_restored else before[name], rtol=0, atol=0)


def test_restore_of_every_layer_gives_the_parent(pair) -> None:
    dense, pruned = networks(pair)
    images = take_samples(dense, list(range(N))).images
    for name in NAMES:
        restore(pruned.network, dense.network, name, pruned.pool_images[:8])
    with torch.no_grad():
        torch.testing.assert_close(pruned.network(images), dense.network(images), rtol=0, atol=0)


def test_restore_of_no_layer_of_that_name_is_not_found(pair) -> None:
    dense, pruned = networks(pair)
    with pytest.raises(NotFound, match="conv9"):
        restore(pruned.network, dense.network, "conv9", pruned.pool_images[:8])
    load_subject.cache_clear()


def test_layers_are_measured_on_lost_and_kept_samples_and_go_on_after_a_cancel(worker, pair) -> None:
    dense, pruned = pair
    queued = layers.queue_layers(LayersIn(dense=dense.id, pruned=pruned.id, index=LOST_CLEAN))
    assert (queued.kind, queued.source, queued.progress.total, queued.progress.unit) == (
        "layers",
        "cnn-dense",
        4,
        "layers",
    )
    wait_for(lambda: evidence.get_evidence(queued.id).progress.done >= 1, "a layer")
    cancelled = evidence.cancel_evidence(queued.id)
    kept = layers.get_layers(queued.id)
    assert kept.state == "cancelled" and len(kept.layers) == cancelled.progress.done >= 1
    evidence.resume_evidence(queued.id)
    wait_for(lambda: evidence.get_evidence(queued.id).state == "succeeded", "all layers")

    found = layers.get_layers(queued.id)
    assert found.names == NAMES and {layer.name for layer in found.layers} == set(NAMES)
    assert found.indices[0] == LOST_CLEAN and LOST_AT_EPS in found.indices[: found.lost]
    assert (found.lost, found.kept) == (found.lost_in_all, min(found.lost, len(found.indices) - found.lost))
    first = next(layer for layer in found.layers if layer.name == kept.layers[0].name)
    assert first == kept.layers[0], "what was measured before the cancel stays"
    for layer in found.layers:
        assert layer.clean_back is not None and layer.robust_back is not None and layer.kept_held is not None
        assert (layer.clean_back.n, layer.robust_back.n, layer.kept_held.n) == (1, 2, found.kept)
        assert layer.clean_accuracy.n == N and len(layer.margins) == len(found.indices)
    ranks = [layer.robust_back.count for layer in found.layers if layer.robust_back is not None]
    assert ranks == sorted(ranks, reverse=True)
    again = layers.find_layers(dense.id, pruned.id, found.eps_text)
    assert again == found and layers.find_layers(dense.id, pruned.id, "9/255") is None


def test_layers_margins_fit_what_the_restored_network_predicts(worker, pair) -> None:
    found = layers.find_layers(pair[0].id, pair[1].id, "25.5/255")
    assert found is not None
    with database.reading() as session:
        row = session.get(Evidence, found.evidence_id)
    assert row is not None and row.record.layers is not None
    dense, pruned = networks(pair)
    samples, whole = take_samples(pruned, found.indices), take_samples(pruned, list(range(N)))
    own = {name: tensor.clone() for name, tensor in pruned.network.state_dict().items()}
    theirs = dense.network.state_dict()
    for one, after in zip(row.record.layers.restored, ("bn1", "bn2", "bn3", "linear"), strict=True):
        mixed = {name: theirs[name] if name.split(".")[0] in (one.name, after) else own[name] for name in own}
        pruned.network.load_state_dict(mixed)
        with torch.no_grad():
            is_right = pruned.network(samples.images).argmax(1) == samples.labels
            correct = int((pruned.network(whole.images).argmax(1) == whole.labels).sum())
        margins = np.load(artefact_path(one.file))
        assert ((margins > 0) == is_right.numpy()).all() and one.correct == correct
        assert one.weights == pruned.network.get_submodule(one.name).weight.numel()
    load_subject.cache_clear()


def test_layers_give_way_to_a_slice_between_two_layers(worker, pair) -> None:
    dense, pruned = pair
    queued = layers.queue_layers(LayersIn(dense=dense.id, pruned=pruned.id, eps="26/255"))
    wait_for(lambda: evidence.get_evidence(queued.id).state == "running", "the first layer")
    urgent = slices.queue_slice(SliceIn(dense=dense.id, pruned=pruned.id, index=LOST_CLEAN, points=9))
    wait_for(lambda: evidence.get_evidence(urgent.id).state == "succeeded", "the slice")
    assert evidence.get_evidence(queued.id).progress.done < len(NAMES), "the slice did not wait for every layer"
    wait_for(lambda: evidence.get_evidence(queued.id).state == "succeeded", "the other layers")
    assert len(layers.get_layers(queued.id).layers) == len(NAMES)
