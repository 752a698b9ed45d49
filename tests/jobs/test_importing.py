"""A bundle goes out and comes back: the same rows, verified on the network; what the network contradicts stays out."""

import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
import torch

from backend.attacks.catalogue import ENGINE
from backend.bundles.archive import read_manifest, read_rows, write_bundle
from backend.bundles.rows import BundledRows, list_columns
from backend.errors import AttackFailed, InvalidRequest, UnreadableBundle
from backend.jobs import evaluate
from backend.jobs.drafts import hash_ordered
from backend.schemas.evaluations import EvaluationOut
from backend.services import bundles, evaluations
from backend.store import database
from backend.store.datasets import dataset_rows
from backend.store.tables import Attempt, Result
from tests.jobs.conftest import queue_margin

N = 25
LIMIT = 10**9
ATTEMPT_COLUMNS = ("series", "attack", "found", "distance", "kind")
RESULT_COLUMNS = (
    "index", "label", "prediction", "correct", "found", "margin", "kind", "margin_pred", "attack", "logit_gap",
    "adversarial_prediction", "max_probability", "loss", "survives_8bit", "best_known", "best_known_source",
)  # fmt: skip


def work(evaluation_id: Any) -> EvaluationOut:
    """An evaluation from start to end, in this process."""
    torch.set_num_threads(1)
    for number in range(evaluate.start(evaluation_id, 0, "cpu")):
        evaluate.run_chunk(evaluation_id, 0, number, worker_id="w", device="cpu")
    evaluate.finish(evaluation_id, 0)
    return evaluations.get_evaluation(evaluation_id)


def read_all(evaluation_id: Any) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    with database.reading() as session:
        results = session.query(Result).filter_by(evaluation_id=evaluation_id).order_by(Result.index)
        attempts = session.query(Attempt).filter_by(evaluation_id=evaluation_id)
        ordered = attempts.order_by(Attempt.sample_id, Attempt.series, Attempt.attack)
        return (
            [tuple(getattr(row, name) for name in RESULT_COLUMNS) for row in results],
            [tuple(getattr(row, name) for name in ATTEMPT_COLUMNS) for row in ordered],
        )


@pytest.fixture(scope="module")
def measured(crew: Any) -> EvaluationOut:
    """Flagged, so that fallback attacks have rows too."""
    work(queue_margin("cnn-dense", n=N).id)
    return work(queue_margin("cnn-lwm-99", n=N).id)


@pytest.fixture(scope="module")
def bundle(measured: EvaluationOut, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "one.thinice"
    bundles.export_bundle([measured.id], path)
    return path


def rewrite(
    bundle: Path, target: Path, rows: BundledRows | None = None, *, engine: int = ENGINE, **changes: Any
) -> Path:
    """The bundle with other rows, and with other values in its evaluation's entry; under a new id."""
    manifest = read_manifest(bundle)
    entry = manifest.evaluations[0]
    rows = rows or read_rows(bundle, entry, LIMIT)
    changed = type(entry).model_validate(entry.model_dump() | {"id": uuid4()} | changes)
    write_bundle(target, [(changed, rows)], made_at=manifest.made_at, thinice=manifest.thinice, engine=engine)
    return target


def replace_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, table.schema.field(name), pa.array(values, type=table.schema.field(name).type))


def test_import_of_an_export_gives_the_same_rows_verified(measured: EvaluationOut, bundle: Path) -> None:
    before = read_all(measured.id)
    assert any(series == 1 for series, *_ in before[1]), "the fallback attacks left no rows"
    assert bundles.import_bundle(bundle).evaluations[0].outcome == "known"
    evaluations.delete_evaluation(measured.id)
    outcome = bundles.import_bundle(bundle).evaluations[0]
    assert (outcome.outcome, outcome.evaluation_id) == ("queued", measured.id)
    with pytest.raises(Exception, match="queued"):
        bundles.export_bundle([measured.id], bundle.with_name("early.thinice"))
    done = work(measured.id)
    assert read_all(measured.id) == before
    assert (done.state, done.flags, done.summary) == ("succeeded", measured.flags, measured.summary)
    imported = done.record.imported
    assert imported is not None and imported.predictions == N
    assert imported.verified == imported.adversarials >= sum(row[4] for row in before[0] if row[3])
    ours = done.record.model_dump(exclude={"imported"})
    assert ours == measured.record.model_dump()
    again = bundle.with_name("again.thinice")
    bundles.export_bundle([measured.id], again)
    assert [member.CRC for member in zipfile.ZipFile(again).infolist() if "manifest" not in member.filename] == [
        member.CRC for member in zipfile.ZipFile(bundle).infolist() if "manifest" not in member.filename
    ]


def test_import_without_adversarials_keeps_the_margins_and_counts_none_verified(
    measured: EvaluationOut, bundle: Path, tmp_path: Path
) -> None:
    lean = tmp_path / "lean.thinice"
    bundles.export_bundle([measured.id], lean, kept={})
    assert lean.stat().st_size < bundle.stat().st_size / 2
    outcome = bundles.import_bundle(rewrite(lean, tmp_path / "other.thinice")).evaluations[0]
    done = work(outcome.evaluation_id)
    assert done.summary == measured.summary
    imported = done.record.imported
    assert imported is not None and (imported.predictions, imported.verified, imported.adversarials) == (N, 0, 0)
    assert imported.found == sum(row[3] and row[4] for row in read_all(measured.id)[0])


def make_other_margins(rows: BundledRows) -> BundledRows:
    halves = [None if margin is None else margin / 2 for margin in rows.results["margin"].to_pylist()]
    return BundledRows(replace_column(rows.results, "margin", halves), rows.attempts, rows.adversarials)


def make_other_images(rows: BundledRows) -> BundledRows:
    return BundledRows(rows.results, rows.attempts, np.full_like(rows.adversarials, 0.5))


def make_other_scores(rows: BundledRows) -> BundledRows:
    gaps = [gap + 1 for gap in rows.results["logit_gap"].to_pylist()]
    return BundledRows(replace_column(rows.results, "logit_gap", gaps), rows.attempts, rows.adversarials)


def make_other_predictions(rows: BundledRows) -> BundledRows:
    predictions = rows.results["prediction"].to_pylist()
    wrong = next(place for place, label in enumerate(rows.results["label"].to_pylist()) if label != predictions[place])
    predictions[wrong] = next(
        one for one in range(10) if one not in (predictions[wrong], rows.results["label"].to_pylist()[wrong])
    )
    return BundledRows(replace_column(rows.results, "prediction", predictions), rows.attempts, rows.adversarials)


@pytest.mark.parametrize("forge", [make_other_margins, make_other_images, make_other_scores, make_other_predictions])
def test_import_that_the_network_contradicts_keeps_no_row(
    measured: EvaluationOut, bundle: Path, tmp_path: Path, forge: Any
) -> None:
    rows = forge(read_rows(bundle, read_manifest(bundle).evaluations[0], LIMIT))
    outcome = bundles.import_bundle(rewrite(bundle, tmp_path / "forged.thinice", rows)).evaluations[0]
    evaluate.start(outcome.evaluation_id, 0, "cpu")
    with pytest.raises(AttackFailed, match="Nothing of this chunk was kept"):
        for number in range(3):
            evaluate.run_chunk(outcome.evaluation_id, 0, number, worker_id="w", device="cpu")
    evaluations.cancel_evaluation(outcome.evaluation_id)


def test_import_for_another_network_or_other_images_is_refused_by_name(
    measured: EvaluationOut, bundle: Path, tmp_path: Path
) -> None:
    entry = json.loads(read_manifest(bundle).evaluations[0].model_dump_json())
    stranger = entry["checkpoint"] | {"name": "ours", "weights_sha256": "0" * 64}
    with pytest.raises(InvalidRequest, match=r"Upload the checkpoint ours first \(small-cnn"):
        bundles.import_bundle(rewrite(bundle, tmp_path / "a.thinice", checkpoint=stranger))
    elsewhere = entry["dataset"] | {"samples_sha256": "0" * 64}
    with pytest.raises(InvalidRequest, match="images differ from those that were attacked"):
        bundles.import_bundle(rewrite(bundle, tmp_path / "b.thinice", dataset=elsewhere))
    with pytest.raises(InvalidRequest, match="no preset 'strange'"):
        bundles.import_bundle(rewrite(bundle, tmp_path / "c.thinice", preset="strange"))


def test_import_believes_its_own_store_about_samples_and_settings(
    measured: EvaluationOut, bundle: Path, tmp_path: Path
) -> None:
    entry = read_manifest(bundle).evaluations[0]
    rows = read_rows(bundle, entry, LIMIT)
    picked = list(range(N))[::-1]
    order = {index: place for place, index in enumerate(picked)}
    with database.reading() as session:
        ids = [content for _, _, content, _ in dataset_rows(session, measured.dataset_id)]
    backwards = BundledRows(
        rows.results.take(picked),
        replace_column(rows.attempts, "position", [order[one] for one in rows.attempts["position"].to_pylist()]),
        rows.adversarials,
    )
    forged = rewrite(
        bundle,
        tmp_path / "forged.thinice",
        backwards,
        record=entry.record.model_copy(update={"samples": "0" * 64, "checkpoint": "another", "n": 7}),
        dataset=entry.dataset.model_copy(update={"samples_sha256": hash_ordered([ids[one] for one in picked])}),
    )
    outcome = bundles.import_bundle(forged).evaluations[0]
    done = work(outcome.evaluation_id)
    assert (done.selection, done.explicit) == ("picked", True), "it claimed to be the first rows"
    assert (done.record.samples, done.record.n) == (measured.record.samples, N)
    assert done.record.checkpoint == measured.checkpoint_name
    assert done.summary == measured.summary


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"norm": "L1"}, "supports"),
        ({"eps": "3/1"}, "is more than 1"),
        ({"preset": "fast"}, "gives witness distances"),
    ],
)
def test_import_of_settings_that_nobody_could_ask_for_is_refused(
    bundle: Path, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        bundles.import_bundle(rewrite(bundle, tmp_path / "odd.thinice", **changes))


def test_import_of_a_verdict_that_rests_on_an_adversarial_beyond_eps_is_refused(bundle: Path, tmp_path: Path) -> None:
    rows = read_rows(bundle, read_manifest(bundle).evaluations[0], LIMIT)
    witness = replace_column(rows.results, "kind", ["witness"] * N)
    forged = BundledRows(witness, rows.attempts, rows.adversarials)
    with pytest.raises(InvalidRequest, match="adversarial beyond it"):
        bundles.import_bundle(rewrite(bundle, tmp_path / "far.thinice", forged, preset="fast", eps="1/255"))


def damage(bundle: Path, target: Path, name: str, content: bytes | None) -> Path:
    """The bundle with another member, or without it."""
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(target, "w") as made:
        for member in source.namelist():
            if member != name:
                made.writestr(member, source.read(member))
            elif content is not None:
                made.writestr(member, content)
    return target


@pytest.mark.parametrize(
    "member", ["manifest.json", "000/results.parquet", "000/attempts.parquet", "000/adversarials.npy"]
)
@pytest.mark.parametrize("content", [None, b"", b"PAR1 no", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'", b"{}"])
def test_import_of_a_damaged_bundle_is_refused_with_a_sentence(
    bundle: Path, tmp_path: Path, member: str, content: bytes | None
) -> None:
    with pytest.raises(UnreadableBundle, match=r"bundle|Evaluation 000"):
        bundles.import_bundle(damage(bundle, tmp_path / "bad.thinice", member, content))


def test_import_of_a_file_that_is_no_bundle_is_refused(crew: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(b"not a zip")
    with pytest.raises(UnreadableBundle, match="not a bundle"):
        bundles.import_bundle(path)


def test_list_columns_is_what_arrow_gives_missing_values_too() -> None:
    names = pa.array(["fmn", "clean", "fmn"]).dictionary_encode()
    columns = {
        "name": names,
        "margin": pa.array([0.25, None, 1.5]),
        "is_found": pa.array([True, None, False]),
        "place": pa.array([7, None, 9], pa.int32()),
        "index": pa.array([3, 1, 2], pa.int32()),
    }
    table = pa.table(columns)
    assert list_columns(table) == table.to_pydict()
    assert list_columns(table.slice(0, 0)) == {name: [] for name in columns}
