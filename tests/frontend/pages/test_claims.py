"""The Claims page on the real services: numbers lead to evaluations, answers are words, references stand apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.services import claims as service
from frontend.claim_words import claims_sentence, read_claims
from frontend.pages import claims as page
from frontend.pages.claims.table import choose_scale, claims_table, read_families
from frontend.pages.overview.holdings import read_holdings
from frontend.pages.overview.layout import headline as overview_headline
from frontend.pages.overview.table import claims_table as overview_table
from tests.frontend.words import hrefs, text_of
from tests.services.fabrication import Measured, add_checkpoint, add_dataset, evaluate, make_pixels, measure

N, EPS = 240, 0.1


def claim_of(share: float) -> dict[str, Any]:
    named = {"attack": "PGD-10", "norm": "Linf", "eps_text": "25.5/255", "n": N, "source": "card: a test"}
    return {"robust_accuracy": share} | named


@pytest.fixture
def family(ready: Path, tmp_path: Path) -> dict[str, Any]:
    """A dense network whose claim is 2 images too high, and pruned ones: 40 images, 3 images, and not re-evaluated."""
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    measured = {name: measure(labels, seed) for seed, name in enumerate(["dense", "lost", "kept", "waiting"])}
    shares = {name: float(np.mean(one.margin > EPS)) for name, one in measured.items()}
    dense = add_checkpoint(dataset.id, "dense", origin="zoo", claim=claim_of(shares["dense"] + 2 / N))
    rows = {"dense": dense}
    for name, sparsity, images in (("lost", 0.99, 40), ("kept", 0.9, 3), ("waiting", 0.95, 0)):
        rows[name] = add_checkpoint(
            dataset.id,
            name,
            role="pruned",
            origin="zoo",
            parent_id=dense.id,
            method="lwm",
            declared_sparsity=sparsity,
            claim=claim_of(shares[name] + images / N),
        )
    done = {name: evaluate(rows[name], dataset, measured[name]) for name in ("dense", "lost", "kept")}
    return {"dataset": dataset, "rows": rows, "measured": measured, "done": done}


def test_layout_of_a_home_without_claims_says_how_to_get_one(ready: Path) -> None:
    shown = page.layout()
    assert "No checkpoint has a claimed" in text_of(shown) and "/upload" in hrefs(shown)


def test_layout_leads_from_every_number_to_its_evaluation(family: dict[str, Any]) -> None:
    shown = page.layout()
    links = hrefs(shown)
    for name in ("dense", "lost", "kept"):
        assert f"/jobs?evaluation={family['done'][name].id}" in links
    assert links.count(f"/jobs?evaluation={family['done']['dense'].id}") == 3, "its own row, and two relatives"
    text = text_of(shown)
    assert "+16.67" in text and "−" in text, "40 of 240 images, and a real minus at an interval's end"
    assert "not re-evaluated at this ε" in text
    assert "parent dense +0.83" in text
    assert "same images" in text


def test_layout_says_the_sentence_of_overview(family: dict[str, Any]) -> None:
    sentence = text_of(claims_sentence(read_claims()))
    assert sentence in text_of(page.layout()) and sentence in text_of(overview_headline(read_holdings()))
    assert "yes for 1 of 3; cannot tell for 2. By more than the dense parent's claim? ▼ yes for 1 of 2" in sentence
    assert "+16.67" in text_of(page.layout()) and "+16.67" in text_of(overview_table(read_holdings()))


def test_layout_names_norm_and_eps_of_a_claim_where_they_are_not_the_data_sets(family: dict[str, Any]) -> None:
    assert "Linf 25.5/255" not in text_of(claims_table(read_families(read_claims(None))))
    claim = claim_of(0.5) | {"eps_text": "4/255"}
    add_checkpoint(family["dataset"].id, "elsewhere", claim=claim)
    assert "PGD-10, Linf 4/255, n 240" in text_of(page.layout())


def test_layout_with_a_preset_holds_claims_against_it_alone(family: dict[str, Any]) -> None:
    measured = family["measured"]["kept"]
    verdicts = Measured(
        measured.predictions,
        np.where(measured.margin > EPS, np.inf, measured.margin),
        measured.logit_gap,
        kind="witness",
    )
    row = evaluate(
        family["rows"]["kept"],
        family["dataset"],
        verdicts,
        100,
        preset="autoattack",
        eps="25.5/255",
        record={"distance_kind": "witness"},
    )
    shown = page.layout(preset="autoattack")
    assert f"/jobs?evaluation={row.id}" in hrefs(shown)
    assert f"/jobs?evaluation={family['done']['kept'].id}" not in hrefs(shown)
    assert "AutoAttack, n 100" in text_of(shown) and "independent shares of 240 and 100 images" in text_of(shown)
    assert "no evaluation of these samples with equal effort" in text_of(shown)


def test_families_put_dense_first_then_pruned_by_sparsity(family: dict[str, Any]) -> None:
    (only,) = read_families(service.list_claims().items)
    assert [row.checkpoint_name for row in only.rows] == ["dense", "kept", "waiting", "lost"]
    scale = choose_scale(only.rows)
    for row in only.rows:
        assert scale.low < row.claim.robust_accuracy < scale.high
    assert scale.place(scale.low) == "0.00%" and scale.place(scale.high) == "100.00%"


def test_layout_marks_published_figures_as_such(family: dict[str, Any]) -> None:
    text = text_of(page.layout())
    assert "Not measured here and never mixed" in text
    assert "AdversarialPruningBenchmark · CIFAR-10 · Linf 0.031 · AutoAttack · arxiv.org/abs/2409.01249" in text
    assert "83.38 / 45.69" in text and "Claimed 62.24 % with PGD-50. Trained with extra data." in text
    assert "(?)" not in text
