"""Jobs on the real services: order, filters, cells that change in place, the form, and the record."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from backend.errors import InvalidRequest, NotFound
from backend.schemas import ACTIVE
from backend.schemas.datasets import DatasetOut
from backend.schemas.records import RunRecord
from backend.services import catalogues, evaluations
from backend.store import workers
from backend.store.database import writing
from backend.store.jobs import move_state
from backend.store.tables import Checkpoint, Evaluation, Worker, now
from frontend.jobs import button_id
from frontend.pages import jobs
from frontend.pages.jobs import ids, record
from frontend.pages.jobs.callbacks import follow_record, renew, send_form
from frontend.pages.jobs.listing import Filter, read_filter, read_listing
from frontend.pages.jobs.queueing import queue_from_form
from frontend.pages.jobs.table import listing_cells
from frontend.words import duration_words, percent, size_words, time_left
from tests.frontend.words import by_id, hrefs, live_keys, text_of
from tests.services.fabrication import (
    Measured,
    add_checkpoint,
    add_dataset,
    begin,
    evaluate,
    make_pixels,
    measure,
    queue,
    write_chunk,
)

N = 60
Stock = tuple[DatasetOut, Checkpoint, Measured]


@pytest.fixture
def stock(ready: Path, tmp_path: Path) -> Stock:
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    return dataset, add_checkpoint(dataset.id, "parent"), measure(labels, 1)


def fail(evaluation_id: Any, message: str) -> None:
    with writing() as session:
        error = {"code": "attack_failed", "message": message, "details": {}}
        assert move_state(session, Evaluation, evaluation_id, ACTIVE, state="failed", error=error, finished_at=now())


def test_listing_puts_running_then_the_queue_then_the_newest_ended(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    old = evaluate(checkpoint, dataset, measured, samples=20)
    new = evaluate(checkpoint, dataset, measured, samples=40)
    late = queue(checkpoint, dataset, priority=50)
    soon = queue(checkpoint, dataset, priority=5)
    running = queue(checkpoint, dataset, priority=90)
    begin(running.id)
    listing = read_listing(Filter())
    assert [row.id for row in listing.rows] == [running.id, soon.id, late.id, new.id, old.id]
    assert listing.counts == {"running": 1, "queued": 2, "failed": 0, "cancelled": 0, "succeeded": 2}


def test_listing_of_a_state_and_a_checkpoint_shows_these_alone(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    other = add_checkpoint(dataset.id, "other")
    evaluate(checkpoint, dataset, measured)
    wanted = evaluate(other, dataset, measured)
    queue(other, dataset)
    listing = read_listing(Filter(state="succeeded", checkpoint=str(other.id)))
    assert [row.id for row in listing.rows] == [wanted.id]
    assert listing.checkpoint_name == "other"
    with pytest.raises(NotFound):
        read_listing(Filter(checkpoint="no-such-id"))


def test_listing_says_how_many_it_does_not_show(stock: Stock) -> None:
    dataset, checkpoint, _ = stock
    for row in [queue(checkpoint, dataset) for _ in range(3)]:
        evaluations.cancel_evaluation(row.id)
    listing = read_listing(Filter(ended_shown=2))
    assert (len(listing.rows), listing.hidden) == (2, 1)
    assert "Show more (1 older)" in text_of(renew("?shown=2", None, None)["table"])


@pytest.mark.parametrize("query", [{"state": "asleep"}, {"shown": "many"}, {"shown": "-3"}, {}])
def test_read_filter_ignores_what_it_does_not_know(query: dict[str, str]) -> None:
    assert read_filter(query) == Filter()


def test_layout_has_the_cells_that_the_poll_changes(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    running = queue(checkpoint, dataset)
    begin(running.id)
    write_chunk(running.id, 0, measured, seconds=100.0)
    page = jobs.layout()
    cells = listing_cells(read_listing(Filter()))
    assert set(cells) <= live_keys(page)
    assert cells[f"{running.id}:done"] == {"text": "20 of 60"}
    assert cells[f"{running.id}:fill"] == {"width": "33.3%"}
    assert cells[f"{running.id}:left"] == {"text": "about 3 minutes left"}


def test_cells_tell_how_long_ago_the_ended_rows_ended(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    done, cancelled = evaluate(checkpoint, dataset, measured), queue(checkpoint, dataset)
    evaluations.cancel_evaluation(cancelled.id)
    page, first = jobs.layout(), listing_cells(read_listing(Filter()))
    assert {f"{done.id}:ago", f"{cancelled.id}:ago"} <= set(first) <= live_keys(page)
    assert first[f"{done.id}:ago"] == {"text": "just now"}
    with writing() as session:
        row = session.get(Evaluation, done.id)
        assert row is not None
        row.finished_at = now() - timedelta(minutes=5)
    renewed = renew("", by_id(page, ids.STATE).data, first)
    assert renewed["live"][f"{done.id}:ago"] == {"text": "5 minutes ago"}


def test_renew_changes_cells_only_while_no_state_changes(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    running = queue(checkpoint, dataset)
    begin(running.id)
    state = by_id(jobs.layout(), ids.STATE).data
    first = renew("", state, None)
    assert first["table"] is no_update and first["live"] is not no_update
    assert all(part is no_update for part in renew("", state, first["live"]).values())
    write_chunk(running.id, 0, measured)
    moved = renew("", state, first["live"])
    assert moved["table"] is no_update and moved["live"][f"{running.id}:done"] == {"text": "20 of 60"}
    evaluations.cancel_evaluation(running.id)
    ended = renew("", state, moved["live"])
    assert by_id(ended["table"], button_id("resume", "evaluation", running.id)).children == "Resume"


def test_buttons_stand_where_they_can_act(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    waiting, failed = queue(checkpoint, dataset), queue(checkpoint, dataset)
    begin(failed.id)
    fail(failed.id, "The attack went out of the box.")
    done = evaluate(checkpoint, dataset, measured)
    page = jobs.layout()
    assert by_id(page, button_id("cancel", "evaluation", waiting.id)).to_plotly_json()["props"]["data-confirm"]
    by_id(page, button_id("resume", "evaluation", failed.id))
    assert by_id(page, button_id("delete", "evaluation", failed.id)).to_plotly_json()["props"]["data-confirm"]
    by_id(page, button_id("delete", "evaluation", done.id))
    for verb in ("cancel", "resume"):
        with pytest.raises(AssertionError):
            by_id(page, button_id(verb, "evaluation", done.id))
    assert "The attack went out of the box." in text_of(page)


def test_page_without_a_worker_warns_loudly_and_stops_when_one_lives(stock: Stock) -> None:
    import os
    import socket

    dataset, checkpoint, _ = stock
    queue(checkpoint, dataset)
    assert "No worker is running" in text_of(by_id(jobs.layout(), ids.SENTENCE))
    with writing() as session:
        workers.beat(session, Worker(id="w", host=socket.gethostname(), pid=os.getpid(), device="cpu"))
    page = jobs.layout()
    assert "No worker" not in text_of(page)
    assert "cpu" in text_of(by_id(page, ids.WORKERS))


# --- the form --------------------------------------------------------------------------------------------------------
def test_form_queues_what_it_says(stock: Stock) -> None:
    _, checkpoint, _ = stock
    row = queue_from_form(str(checkpoint.id), "margin", "L2", " 0.5 ", 30, 7)
    assert (row.preset, row.norm, row.eps_text, row.n, row.seed, row.state) == ("margin", "L2", "0.5", 30, 7, "queued")


def test_form_with_an_empty_eps_takes_that_of_the_data_set(stock: Stock) -> None:
    _, checkpoint, _ = stock
    again = queue_from_form(str(checkpoint.id), "margin", "L2", "0.5", 30, 7, 3)
    assert [one.seed for one in evaluations.list_evaluations(repeat_of=again.id).items] == [9, 8, 7]
    assert queue_from_form(str(checkpoint.id), "autoattack", "Linf", "", 30, 0).eps_text == "25.5/255"


@pytest.mark.parametrize(
    "change", [{"checkpoint": None}, {"samples": ""}, {"samples": 10**6}, {"seed": None}, {"eps": "large"}], ids=str
)
def test_form_with_a_wrong_field_is_refused_in_place(stock: Stock, change: dict[str, Any]) -> None:
    values = {"checkpoint": str(stock[1].id), "preset": "margin", "norm": "Linf", "eps": "", "samples": 30, "seed": 0}
    values |= change
    with pytest.raises(InvalidRequest):
        queue_from_form(*values.values())
    words = text_of(send_form(*values.values()))
    assert "(code invalid_request)" in words
    assert evaluations.list_evaluations().total == 0


def test_form_takes_its_values_from_the_address(stock: Stock) -> None:
    dataset, checkpoint, _ = stock
    add_checkpoint(dataset.id, "newer")
    page = jobs.layout(new=str(checkpoint.id), preset="autoattack", n="25")
    assert by_id(page, ids.QUEUE).open
    assert by_id(page, ids.QUEUE_CHECKPOINT).value == str(checkpoint.id)
    assert (by_id(page, ids.QUEUE_PRESET).value, by_id(page, ids.QUEUE_SAMPLES).value) == ("autoattack", 25)


# --- the record ------------------------------------------------------------------------------------------------------
def test_record_shows_every_field_and_file(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    row = evaluate(checkpoint, dataset, measured, record={"odd": {"deep": [1]}, "forwards": 12345})
    page = jobs.layout(evaluation=str(row.id))
    words = text_of(page)
    for value in (checkpoint.source_sha256, checkpoint.weights_sha256, row.record.samples, "12,345", '"deep"'):
        assert value in words
    assert row.summary is not None
    assert percent(row.summary.robust_accuracy) in words
    base = f"/api/v1/evaluations/{row.id}"
    assert {base, f"{base}/margins?format=csv", f"{base}/margins?format=parquet"} <= set(hrefs(page))


def test_labels_name_every_field_of_the_record_that_has_a_line_of_its_own() -> None:
    own = dict(record.labels())
    assert set(own) | {"checkpoint", *record.IN_DETAILS} == set(RunRecord.model_fields)
    assert all(field.title and field.description for field in RunRecord.model_fields.values())
    assert (own["weights_sha256"], own["n"]) == ("Effective weights, SHA-256", "Samples (n)")


def test_record_explains_each_flag(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    row = evaluate(checkpoint, dataset, measured)
    with writing() as session:
        found = session.get(Evaluation, row.id)
        assert found is not None
        found.flags = ["masking"]
    words = text_of(jobs.layout(evaluation=str(row.id)))
    flag = next(flag for flag in catalogues.list_flags().items if flag.code == "masking")
    assert all(part in words for part in (flag.title, flag.raised_if, flag.means, flag.what_to_do))


def test_record_says_what_of_the_verdict_comparisons_leave_out(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    robust = [row for row in range(N) if measured.margin[row] > 0.1]
    measured.fallbacks = {robust[0]: 0.05, robust[1]: 0.05}
    row = evaluate(checkpoint, dataset, measured)
    words = text_of(jobs.layout(evaluation=str(row.id)))
    assert percent((len(robust) - 2) / N) in words and "2 samples broken by fallback attacks only" in words


def test_record_of_verdicts_gives_no_median_margin(stock: Stock) -> None:
    dataset, checkpoint, measured = stock
    witnesses = Measured(measured.predictions, measured.margin, measured.logit_gap, kind="witness", attack="apgd-ce")
    row = evaluate(checkpoint, dataset, witnesses, preset="autoattack")
    assert "this preset gives verdicts at ε, not margins" in text_of(jobs.layout(evaluation=str(row.id)))


def test_record_of_an_unknown_evaluation_is_not_found(stock: Stock) -> None:
    with pytest.raises(NotFound):
        jobs.layout(evaluation="01a2068d-39a7-7111-9ad3-86d858c15ac6")


def test_record_follows_what_runs_and_rests_when_it_ended(stock: Stock) -> None:
    dataset, checkpoint, _ = stock
    row = queue(checkpoint, dataset)
    assert set(follow_record(row, "queued", None)[2]) <= live_keys(jobs.layout(evaluation=str(row.id))) | {
        f"{row.id}:bar"
    }
    ended = evaluations.cancel_evaluation(row.id)
    body, state, _, pace = follow_record(ended, "queued", None)
    assert state == "cancelled" and "cancelled" in text_of(body) and pace > ids.RECORD_POLL_MILLISECONDS
    assert follow_record(ended, "cancelled", None)[0] is no_update


# --- words -----------------------------------------------------------------------------------------------------------
def test_words_read_well() -> None:
    assert [duration_words(value) for value in (0.4, 59, 61, 3599, 3600, 4800, 200_000)] == [
        "0 seconds",
        "59 seconds",
        "1 minute",
        "1 hour",
        "1 hour",
        "1 hour and 20 minutes",
        "2 days and 8 hours",
    ]
    assert time_left(None) == "estimating time left"
    assert [size_words(value) for value in (12, 1500, 999_400_000, 2_500_000_000)] == [
        "12 Bytes",
        "1.5 kB",
        "999.4 MB",
        "2.5 GB",
    ]


def test_live_script_knows_the_names_that_the_pages_write() -> None:
    script = (Path(jobs.__file__).parents[2] / "assets" / "live.js").read_text(encoding="utf-8")
    assert set(re.findall(r"data-(live|confirm|row)", script)) == {"live", "confirm", "row"}
