"""Evidence on the pages, on the real services: bounds next to margins, notices on one side, replays and noise."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.counts import count_words
from backend.schemas.evidence import HarderIn
from backend.services import comparisons, evidence
from backend.store import database
from backend.store.tables import Checkpoint
from frontend.pages import jobs, sample
from frontend.pages.compare import ids, replay
from frontend.pages.compare.evidence import controls_table
from frontend.pages.jobs.cards import RECORD_EVIDENCE
from frontend.pages.sample import harder
from frontend.review.evidence import outcome_words, state_words, title_words
from frontend.review.notices import mismatch_notice
from tests.frontend.assets.cuts import shown_of
from tests.frontend.assets.scripts import call
from tests.frontend.pairs import EPS, KEPT, LOST, MadePair, home_with_pair
from tests.frontend.words import by_id, text_of
from tests.services.evidence.test_service import harden, write_outcomes
from tests.services.fabrication import Measured, evaluate, make_pixels, measure

BOUND = 0.05


@pytest.fixture(scope="module")
def pair(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadePair]:
    """A pair whose sample KEPT has a nearer adversarial on the pruned side alone, and which was replayed both ways."""
    with home_with_pair(template, tmp_path_factory.mktemp("evidence")) as made:
        harden(made.pruned, {KEPT: BOUND})
        yield made


def query_of(pair: MadePair) -> tuple[str, str]:
    return str(pair.dense.id), str(pair.pruned.id)


def of_page(pair: MadePair) -> dict[str, Any]:
    """What the Sample page keeps in the browser."""
    return {"evaluations": list(query_of(pair)), "index": KEPT, "norm": "Linf", "eps": 20 / 255, "eps_text": "20/255"}


# --- Sample ----------------------------------------------------------------------------------------------------------
def test_sample_shows_the_bound_next_to_the_margin_and_who_set_it(pair: MadePair) -> None:
    content = sample.layout(**pair.query(index=KEPT, eps="20/255"))
    pruned, dense = (text_of(by_id(content, f"sample-{side}")) for side in ("pruned", "dense"))
    assert "25.50/255" in pruned, "the margin stays"
    assert f"{255 * BOUND:.2f}/255, by margin, seed 1" in pruned
    assert "The sample holds at 20/255 by its margin, but not by its best-known bound." in pruned
    assert "margin, further seeds (additional)" in pruned
    assert "as the margin" in dense and "but not by" not in dense
    assert f"Slack to flip{100 * (1 - 20 / 25.5):.1f} % of the margin" in pruned


def test_sample_button_queues_more_effort_on_that_side_and_follows_it(pair: MadePair) -> None:
    of = of_page(pair)
    assert harder.renew(of)[1], "nothing runs, so nothing is asked again"
    harder.attack(of, "dense", 500)
    queued = evidence.list_of_evaluation(pair.dense.id).items[0]
    assert (queued.kind, queued.budget, queued.budget_unit, queued.n) == ("harder", 500, "gradients", 1)
    (dense, pruned), is_quiet = harder.renew(of)
    assert "waiting for a worker" in text_of(dense) and "waiting" not in text_of(pruned) and not is_quiet
    evidence.cancel_evidence(queued.id)
    assert harder.renew(of)[1]


def test_sample_already_wrong_has_no_button(pair: MadePair) -> None:
    content = sample.layout(**pair.query(index=LOST))
    assert "Attack harder" not in text_of(by_id(content, "sample-pruned"))
    assert "Attack harder" in text_of(by_id(content, "sample-dense"))


# --- Compare ---------------------------------------------------------------------------------------------------------
def test_compare_says_loudly_that_one_side_alone_has_evidence(pair: MadePair) -> None:
    notice = text_of(mismatch_notice(comparisons.compare(*query_of(pair), "20/255")))
    assert "Additional evidence on one side only." in notice and "used different settings" not in notice
    assert "These bounds would break 1 of the samples at 20/255" in notice


def test_compare_table_marks_the_sample_whose_verdict_the_bound_changes(pair: MadePair) -> None:
    for eps, verdict in (("20/255", " ▼ lost at ε"), ("8/255", "")):
        rows = {
            row["index"]: row
            for row in call("compareRows.rows", shown_of(pair.query(eps=eps, view="robust", set="S11")))
        }
        assert rows[KEPT]["best_known"] == f"{255 * 0.1:.1f} → {255 * BOUND:.1f}{verdict}"
        assert {row["best_known"] for index, row in rows.items() if index != KEPT} == {""}
        assert rows[KEPT]["set"] == "● kept"


def test_compare_replay_card_invites_then_waits_then_explains(pair: MadePair) -> None:
    dense, pruned = query_of(pair)
    invited = text_of(replay.replay_parts(comparisons.compare(dense, pruned), []))
    assert "opened a new hole" in invited
    assert by_id(replay.replay_parts_frame(), ids.REPLAY_GO).children == "Replay both ways"
    dense_on_pruned, pruned_on_dense = evidence.replay_pair(dense, pruned)
    waiting = replay.active_replays(dense, pruned)
    assert {row.id for row in waiting} == {dense_on_pruned.id, pruned_on_dense.id}
    assert text_of(replay.replay_parts(comparisons.compare(dense, pruned), waiting)).count("waiting for a worker") == 2
    lost = [
        row.index for row in comparisons.paired_samples(dense, pruned)
        if row.robust_set == "S10" and row.set == "S11" and row.dense_found
    ]  # fmt: skip
    assert len(lost) > 3
    write_outcomes(dense_on_pruned.id, {index: 0.9 if place else None for place, index in enumerate(lost)})
    write_outcomes(pruned_on_dense.id, {index: None if place else 0.9 for place, index in enumerate(lost)})
    shown = text_of(replay.replay_parts(comparisons.compare(dense, pruned), []))
    assert f"the boundary moved in {len(lost) - 1}" in shown and "1 broke through a new hole" in shown
    assert f"Attack luck explains 1 of {len(lost)} losses" in shown
    assert f"{len(lost) - 1} of {len(lost)}" in shown and "dense on pruned" in shown


def test_compare_shows_attack_noise_next_to_the_controls(pair: MadePair) -> None:
    labels = make_pixels(200)[1]
    before = text_of(controls_table(comparisons.compare(*query_of(pair))))
    assert "Attack noise" not in before
    found = comparisons.paired_samples(*query_of(pair))
    margins = {row.index: np.inf if row.dense_margin is None else row.dense_margin for row in found}
    again = np.array([0.97 * margins[index] for index in range(200)])
    predictions = np.array([row.dense_prediction for row in sorted(found, key=lambda row: row.index)])
    measured = Measured(predictions, again, measure(labels, 1).logit_gap)
    with database.reading() as session:
        parent = session.get(Checkpoint, pair.dense.checkpoint_id)
    assert parent is not None
    evaluate(parent, pair.dataset, measured, seed=7)
    shown = comparisons.compare(*query_of(pair))
    words = text_of(controls_table(shown))
    changed = sum(EPS * (1 + 2e-7) < margin < EPS / 0.97 for margin in margins.values())
    assert f"{count_words(changed, 'verdict changes', 'verdicts change')} at 25.5/255" in words
    assert "seed 7 instead of 0: attack noise" in words and "95 % of margins move by less than 3 %" in words
    held = sum(margin > EPS * (1 + 2e-7) for margin in margins.values())
    assert f"Within attack noise: {shown.noise[0].within} of {held}" in words


# --- Jobs ------------------------------------------------------------------------------------------------------------
def test_jobs_list_evidence_and_redraw_only_what_changed(pair: MadePair) -> None:
    queued = evidence.queue_harder(pair.pruned.id, HarderIn(samples=[KEPT], budget=90))
    page = text_of(jobs.layout())
    assert "Additional evidence" in page and title_words(queued) in page and "waiting for a worker" in page
    record = text_of(jobs.layout(evaluation=str(pair.pruned.id)))
    assert title_words(queued) in record
    drawn, seen = RECORD_EVIDENCE.renew(str(pair.pruned.id), None)
    assert title_words(queued) in text_of(drawn)
    unchanged = RECORD_EVIDENCE.renew(str(pair.pruned.id), seen)
    evidence.cancel_evidence(queued.id)
    assert unchanged[1] is not seen and RECORD_EVIDENCE.renew(str(pair.pruned.id), seen)[1] != seen


def test_words_of_an_evidence_tell_progress_outcome_and_reasons(pair: MadePair) -> None:
    row = evidence.list_of_evaluation(pair.pruned.id).items[-1]
    changed = row.model_copy(
        update={
            "kind": "upload", "source": "a rival", "checked": 3, "held": 1, "improved": 1,
            "refused": {"out-of-box": 1, "not-adversarial": 1},
        }
    )  # fmt: skip
    assert title_words(changed) == "uploaded adversarials by a rival"
    words = "3 adversarials, 1 verified, 1 bound lowered; 1 outside [0, 1] and 1 still classified correctly"
    assert outcome_words(changed) == words
    assert state_words(row).startswith("done")
