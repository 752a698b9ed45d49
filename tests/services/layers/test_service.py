"""Which samples are measured with restored layers, and how what was measured is counted."""

import io
from pathlib import Path

import numpy as np
import pytest

from backend.errors import InvalidRequest, NotComparable, NotFound
from backend.schemas.layers import LayersIn
from backend.schemas.records import EvidenceRecord, RestoredLayer
from backend.services import comparisons, evidence, layers
from backend.services.layers import service
from backend.store.artefacts import put_bytes
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Evidence
from tests.frontend.pairs import EPS, KEPT, LOST, MadePair, home_with_pair
from tests.services.fabrication import change_checkpoint


@pytest.fixture(scope="module")
def pair(template: Path, tmp_path_factory: pytest.TempPathFactory):
    with home_with_pair(template, tmp_path_factory.mktemp("layers")) as made:
        yield made


def ask(pair: MadePair, **more):
    return layers.queue_layers(LayersIn(dense=pair.dense.id, pruned=pair.pruned.id, **more))


def test_queue_layers_takes_every_lost_sample_and_kept_ones_for_control(pair: MadePair) -> None:
    samples = comparisons.paired_samples(pair.dense.id, pair.pruned.id)
    lost = {one.index for one in samples if "S10" in (one.set, one.robust_set)}
    kept = {one.index for one in samples if one.robust_set == "S11"}
    queued = ask(pair, index=LOST)
    found = layers.get_layers(queued.id)
    assert found.indices[0] == LOST and set(found.indices[: found.lost]) == lost
    assert (found.lost, found.lost_in_all) == (len(lost), len(lost))
    control = found.indices[found.lost :]
    assert len(control) == found.kept == min(len(lost), len(kept)) and set(control) <= kept
    assert (found.eps, found.eps_text, found.names, found.layers) == (pytest.approx(EPS), "25.5/255", ["conv1"], [])
    assert ask(pair).progress.model_dump(include={"done", "total", "unit"}) == {"done": 0, "total": 1, "unit": "layers"}


def test_choose_samples_of_too_many_keeps_the_asked_one(pair: MadePair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_LOST", 5)
    samples = comparisons.paired_samples(pair.dense.id, pair.pruned.id)
    lost, kept, in_all = service.choose_samples(samples, LOST)
    assert (len(lost), len(kept)) == (5, 5) and in_all > 5 and lost[0].index == LOST
    ids = [one.sample_id for one in lost[1:]]
    assert ids == sorted(ids)


def test_queue_layers_of_a_kept_sample_or_other_layers_is_refused(pair: MadePair) -> None:
    with pytest.raises(InvalidRequest, match="not lost"):
        ask(
            pair,
            index=next(
                one.index
                for one in comparisons.paired_samples(pair.dense.id, pair.pruned.id)
                if one.robust_set == "S11"
            ),
        )
    with pytest.raises(NotComparable, match="lost no sample"):
        layers.queue_layers(LayersIn(dense=pair.dense.id, pruned=pair.dense.id))
    with reading() as session:
        child = session.get(Checkpoint, pair.milder.checkpoint_id)
    assert child is not None
    change_checkpoint(child, layers=[{"name": "conv1.weight", "shape": [4, 1, 3, 3], "weights": 36, "zeros": 0}])
    with pytest.raises(NotComparable, match="different layers"):
        layers.queue_layers(LayersIn(dense=pair.dense.id, pruned=pair.milder.id))


def test_get_layers_counts_back_clean_back_at_eps_and_held(pair: MadePair) -> None:
    queued = ask(pair)
    with writing() as session:
        row = session.get(Evidence, queued.id)
        assert row is not None and row.record.layers is not None
        found = row.record.layers
        margins = np.zeros(len(row.indices))
        margins[: found.lost : 2] = np.inf  # every second one is back at any eps
        margins[1 : found.lost : 2] = EPS / 2  # the others are right again, and broken
        margins[found.lost] = 0.0
        margins[found.lost + 1 :] = 2 * EPS
        buffer = io.BytesIO()
        np.save(buffer, margins)
        layer = RestoredLayer(
            name="conv1", parts=("conv1", "bn1"), weights=72, correct=150, file=put_bytes(buffer.getvalue(), ".npy"),
            forwards=1, backwards=1, seconds=1.0,
        )  # fmt: skip
        row.record = row.record.merge(EvidenceRecord(layers=found.model_copy(update={"restored": (layer,)})))
    samples = {one.index: one for one in comparisons.paired_samples(pair.dense.id, pair.pruned.id)}
    shown = layers.get_layers(queued.id)
    measured = [samples[index] for index in shown.indices[: shown.lost]]
    robust = [place % 2 == 0 for place, one in enumerate(measured) if one.robust_set == "S10"]
    (one,) = shown.layers
    assert one.robust_back is not None and one.clean_back is not None and one.kept_held is not None
    assert (one.robust_back.count, one.robust_back.n) == (sum(robust), len(robust))
    assert one.clean_back.count == one.clean_back.n == sum(item.set == "S10" for item in measured)
    assert (one.kept_held.count, one.kept_held.n) == (shown.kept - 1, shown.kept)
    assert (one.clean_accuracy.count, one.clean_accuracy.n) == (150, pair.pruned.n)
    assert one.margins[0] is None and one.margins[1] == pytest.approx(EPS / 2)
    newest = layers.find_layers(pair.dense.id, pair.pruned.id, "25.5/255")
    assert newest is not None and newest.evidence_id == queued.id


def test_get_layers_of_other_evidence_is_not_found(pair: MadePair) -> None:
    other = evidence.replay_pair(pair.dense.id, pair.pruned.id)[0]
    with pytest.raises(NotFound, match="restored no layers"):
        layers.get_layers(other.id)
    assert KEPT not in layers.find_layers(pair.dense.id, pair.pruned.id, "25.5/255").indices[:1]
