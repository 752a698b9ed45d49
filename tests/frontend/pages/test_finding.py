"""The top of Overview: one sentence with its pictures for the most telling pair, or what it waits for."""

from pathlib import Path

import numpy as np
import pytest

from backend.services import comparisons
from backend.store.tables import Checkpoint
from frontend.pages.overview import ids
from frontend.pages.overview.callbacks import show_top
from frontend.pages.overview.finding import Finding, read_finding
from frontend.pages.overview.holdings import read_holdings
from frontend.pages.overview.waiting import show_waiting
from frontend.theme import DARK, LIGHT
from tests.frontend.words import by_id, hrefs, live_keys, text_of, walk
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, queue
from tests.services.families.fabrication import evaluate_pair, thin_ice_losses

MOST_COMPONENTS = 90  # of which the notice of flags, the two cards' frames and the key are a third


@pytest.fixture
def finding(ready: Path, tmp_path: Path) -> Finding:
    """A pair that loses near the boundary, with a control that loses less."""
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    for name in ("dense", "pruned-95"):
        evaluate(family[name], dataset, measured[name])
    evaluate(family["control"], dataset, thin_ice_losses(measured["dense"], labels, 3, 0.1))
    found = read_finding()
    assert found is not None
    return found


def test_show_top_says_what_compare_says(finding: Finding) -> None:
    said = "".join(part.text for part in finding.comparison.headline)
    marked = said.replace(" loses ", " loses ▼ ", 1).replace(" gains ", " gains ▲ ", 1)
    words = text_of(show_top(read_holdings(), LIGHT))
    assert marked in words and "The control (same finetuning, nothing pruned) loses" in marked
    assert "pruned-95" in words.split("Pruning")[0], "the names of the pair come first"


def test_show_top_of_a_pair_leads_to_compare_and_to_its_lost_samples(finding: Finding) -> None:
    shown = show_top(read_holdings(), LIGHT)
    lost = comparisons.paired_samples(finding.cut.dense, finding.cut.pruned, set="S10")[:5]
    links = hrefs(shown)
    assert links.count(finding.address) == 3, "the names, the picture and the button"
    assert [link for link in links if link.startswith("/sample")] == [
        finding.cut.sample_address(sample.index) for sample in lost
    ]
    words = text_of(shown)
    assert all(finding.unit.text(sample.dense_margin) in words for sample in lost if sample.dense_margin)
    assert all(word in words for word in ("flips", "lost", "thin ice"))
    figure = by_id(shown, ids.SCATTER).figure
    assert sum(len(trace.x) for trace in figure.data) == sum(
        1 for sample in finding.samples if sample.set != "S00" or sample.dense_margin or sample.pruned_margin
    )
    assert by_id(show_top(read_holdings(), DARK), ids.SCATTER).figure.layout != figure.layout
    assert sum(not isinstance(part, str) for part in walk(shown)) < MOST_COMPONENTS


def test_show_top_of_verdicts_alone_draws_no_margins(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    for name in ("dense", "pruned-95"):
        witness = measured[name]
        witness.kind, witness.attack = "witness", "apgd-ce"
        witness.margin = np.where(witness.margin > 0.1, np.inf, witness.margin)
        evaluate(family[name], dataset, witness, preset="autoattack", record={"distance_kind": "witness"})
    shown = show_top(read_holdings(), LIGHT)
    assert "Pruning to 95 % loses" in text_of(shown)
    assert not [part for part in walk(shown) if getattr(part, "id", None) == ids.SCATTER]


def test_show_top_without_a_pruned_network_waits(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    evaluate(family["dense"], dataset, measured["dense"])
    evaluate(family["control"], dataset, measured["dense"])
    assert len(comparisons.default_pairs()) == 1 and read_finding() is None, "a control is no finding"
    assert "Evaluate a dense network and one pruned from it" in text_of(show_top(read_holdings(), LIGHT))


def test_show_waiting_says_what_comes_next_and_offers_the_ways_there(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    dense: Checkpoint = add_checkpoint(dataset.id, "dense")
    shown = show_waiting(read_holdings())
    assert "Upload a network that was pruned from one of those below" in text_of(shown)
    assert {"/upload", f"/jobs?new={dense.id}", "/prune"} <= set(hrefs(shown))
    waiting = [queue(dense, dataset, n) for n in (10, 20, 30, 40)]
    shown = show_waiting(read_holdings())
    words = text_of(shown)
    assert "No worker is running" in words and "dense: margin, n 10" in words and "next in line" in words
    assert "1 more evaluation in the queue" in words
    assert f"{waiting[0].id}:left" in live_keys(shown)
