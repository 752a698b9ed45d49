"""Claims held against stored evaluations: the numbers by hand, and which evaluation is chosen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.analysis.claims import Claim, measure_excess, measure_gap
from backend.errors import UnknownName
from backend.schemas.checkpoints import CheckpointPatch
from backend.schemas.datasets import DatasetOut
from backend.services import checkpoints
from backend.services.claims.service import list_claims
from backend.store.tables import Checkpoint
from tests.services.fabrication import (
    Measured,
    add_checkpoint,
    add_dataset,
    compare_weights,
    evaluate,
    make_pixels,
    measure,
)

N, EPS = 240, 0.1
WITNESS: dict[str, Any] = {"distance_kind": "witness"}


def claim_of(share: float, n: int | None = N, **fields: Any) -> dict[str, Any]:
    return {"robust_accuracy": share, "attack": "PGD-10", "norm": "Linf", "eps_text": "25.5/255", "n": n} | {
        "source": "card: a test",
        **fields,
    }


def held(measured: Measured, n: int = N) -> np.ndarray:
    """Whether a row is right and its margin above eps, by hand."""
    return np.asarray([margin > EPS for margin in measured.margin[:n]])


@pytest.fixture
def family(ready: Path, tmp_path: Path) -> tuple[DatasetOut, dict[str, Checkpoint], dict[str, Measured]]:
    """A dense network, its control, another seed and a pruned one, each with a claim of all images and margins."""
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    measured = {name: measure(labels, seed) for seed, name in enumerate(["dense", "control", "seed", "pruned"])}
    shares = {name: float(held(one).mean()) for name, one in measured.items()}
    rows = {"dense": add_checkpoint(dataset.id, "dense", origin="zoo", claim=claim_of(shares["dense"] + 3 / N))}
    parent = {"parent_id": rows["dense"].id, "origin": "zoo"}
    rows["control"] = add_checkpoint(
        dataset.id, "control", method="control", claim=claim_of(shares["control"] + 5 / N), **parent
    )
    rows["seed"] = add_checkpoint(
        dataset.id, "seed", origin="zoo", claim=claim_of(shares["seed"]), inspection=compare_weights(rows["dense"])
    )
    rows["pruned"] = add_checkpoint(
        dataset.id,
        "pruned",
        role="pruned",
        method="lwm",
        declared_sparsity=0.95,
        claim=claim_of(shares["pruned"] + 30 / N),
        **parent,
    )
    for name, row in rows.items():
        evaluate(row, dataset, measured[name])
    return dataset, rows, measured


def test_list_claims_of_shipped_cards_are_held_against_the_same_samples(
    family: tuple[DatasetOut, dict[str, Checkpoint], dict[str, Measured]],
) -> None:
    _, _, measured = family
    found = {one.checkpoint_name: one for one in list_claims().items}
    assert list(found) == ["pruned", "seed", "control", "dense"], "newest first"
    pruned = found["pruned"]
    own = measure_gap(Claim(pruned.claim.robust_accuracy, N), held(measured["pruned"]), is_same_samples=True)
    assert pruned.gap is not None and pruned.reevaluation is not None
    assert pruned.gap.value == pytest.approx(30 / N)
    assert (pruned.gap.interval.low, pruned.gap.interval.high) == pytest.approx(
        (own.difference.low, own.difference.high)
    )
    assert (pruned.gap.basis, pruned.gap.answer, pruned.gap.n) == ("same samples", "yes", N)
    assert pruned.reevaluation.robust_accuracy == pytest.approx(held(measured["pruned"]).mean())
    assert (pruned.eps_text, pruned.norm, pruned.sparsity) == ("25.5/255", "Linf", 0.95)
    assert "same images" in pruned.notes[0] and "our re-implementation" in pruned.notes[-1]
    assert found["seed"].gap is not None and found["seed"].gap.value == pytest.approx(0.0)
    assert found["seed"].against == [] and found["dense"].against == []
    assert [one.relation for one in found["control"].against] == ["parent"]


@pytest.mark.parametrize(
    ("origin", "basis", "is_ours"), [("pruned", "same samples", True), ("upload", "unpaired", False)]
)
def test_list_claims_of_a_network_pruned_here_is_ours_as_a_shipped_one_is(
    ready: Path, tmp_path: Path, origin: str, basis: str, is_ours: bool
) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N)
    claim = {
        "robust_accuracy": 0.9,
        "attack": "PGD-10",
        "norm": "Linf",
        "eps_text": "25.5/255",
        "n": N,
        "source": "pruned here: a test",
    }
    root = add_checkpoint(dataset.id, "dense")
    fields = {"role": "pruned", "parent_id": root.id, "method": "lwm", "origin": origin, "claim": claim}
    child = add_checkpoint(dataset.id, "child", **fields)
    evaluate(child, dataset, measure(make_pixels(N)[1], 1))
    (found,) = list_claims(checkpoint_id=child.id).items
    assert found.gap is not None and (found.origin, found.gap.basis) == (origin, basis)
    assert any("our re-implementation" in note for note in found.notes) == is_ours


def test_list_claims_shows_the_same_difference_for_parent_and_controls(
    family: tuple[DatasetOut, dict[str, Checkpoint], dict[str, Measured]],
) -> None:
    _, rows, measured = family
    (pruned,) = list_claims(checkpoint_id=rows["pruned"].id).items
    assert [(one.relation, one.checkpoint_name) for one in pruned.against] == [
        ("parent", "dense"),
        ("finetuned", "control"),
        ("seed", "seed"),
    ]
    for one, images in zip(pruned.against, (3, 5, 0), strict=True):
        assert one.gap is not None and one.excess is not None and one.claim is not None
        assert one.gap.value == pytest.approx(images / N)
        assert one.excess.value == pytest.approx((30 - images) / N)
        sides = [
            (Claim(pruned.claim.robust_accuracy, N), held(measured["pruned"])),
            (Claim(one.claim.robust_accuracy, N), held(measured[one.checkpoint_name])),
        ]
        by_hand = measure_excess(sides[0], sides[1], is_same_samples=True).difference
        assert one.excess.interval.low == pytest.approx(by_hand.low)
        assert (one.excess.basis, one.excess.answer) == ("same samples", "yes")


def test_list_claims_prefers_more_samples_then_the_stronger_preset(
    family: tuple[DatasetOut, dict[str, Checkpoint], dict[str, Measured]],
) -> None:
    dataset, rows, measured = family
    witnesses = Measured(
        measured["pruned"].predictions,
        np.where(measured["pruned"].margin > EPS, np.inf, measured["pruned"].margin),
        measured["pruned"].logit_gap,
        kind="witness",
    )
    evaluate(rows["pruned"], dataset, witnesses, 100, preset="autoattack", eps="25.5/255", record=WITNESS)
    (one,) = list_claims(checkpoint_id=rows["pruned"].id).items
    assert one.reevaluation is not None and one.reevaluation.preset == "margin"
    (few,) = list_claims(checkpoint_id=rows["pruned"].id, preset="autoattack").items
    assert few.reevaluation is not None and few.gap is not None
    assert (few.reevaluation.preset, few.reevaluation.n) == ("autoattack", 100)
    assert few.gap.basis == "unpaired" and "240 and 100 images" in few.notes[0]
    assert all(other.excess is None and "equal effort" in (other.reason or "") for other in few.against)
    full = evaluate(rows["pruned"], dataset, witnesses, preset="autoattack", eps="25.5/255", record=WITNESS)
    (one,) = list_claims(checkpoint_id=rows["pruned"].id).items
    assert one.reevaluation is not None and one.reevaluation.evaluation_id == full.id
    evaluate(rows["dense"], dataset, measured["dense"], 100)
    with pytest.raises(UnknownName):
        list_claims(preset="pgd")


def test_list_claims_pairs_on_shared_samples_where_fewer_were_re_evaluated(ready: Path, tmp_path: Path) -> None:
    """A typed-in claim of unknown samples: the re-evaluations are paired, the claims are not."""
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    measured = {name: measure(labels, seed) for seed, name in enumerate(["dense", "pruned"])}
    dense = add_checkpoint(dataset.id, "dense", claim=claim_of(0.5, 1000))
    pruned = add_checkpoint(dataset.id, "pruned", role="pruned", parent_id=dense.id, claim=claim_of(0.6, None))
    wide = evaluate(dense, dataset, measured["dense"])
    narrow = evaluate(pruned, dataset, measured["pruned"], 90)
    (one,) = list_claims(checkpoint_id=pruned.id).items
    assert one.reevaluation is not None and one.reevaluation.evaluation_id == narrow.id
    assert one.gap is not None and one.gap.basis == "number only" and "too narrow" in one.notes[0]
    (other,) = one.against
    assert other.reevaluation is not None and other.excess is not None
    assert (other.reevaluation.evaluation_id, other.reevaluation.n) == (wide.id, 90)
    assert other.excess.basis == "number only" and other.excess.n == 90
    assert not any("re-implementation" in note for note in one.notes)


def test_list_claims_typed_in_for_as_many_images_are_not_taken_for_the_same(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N)
    evaluate(add_checkpoint(dataset.id, "dense", claim=claim_of(0.6)), dataset, measure(make_pixels(N)[1], 1))
    (one,) = list_claims().items
    assert one.gap is not None and one.claim.n == one.gap.n == N
    assert one.gap.basis == "unpaired" and "different or unknown images" in one.notes[0]


def test_list_claims_without_an_evaluation_say_why(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    dense = add_checkpoint(dataset.id, "dense")
    pruned = add_checkpoint(dataset.id, "pruned", role="pruned", parent_id=dense.id, claim=claim_of(0.6))
    (one,) = list_claims().items
    assert one.gap is None and one.reevaluation is None and "No finished evaluation of pruned" in (one.reason or "")
    assert [other.reason for other in one.against] == ["pruned has not been re-evaluated."]
    at_another_eps = measure(labels, 1)
    at_another_eps.kind = "witness"
    at_another_eps.margin = np.where(at_another_eps.margin > 0.05, np.inf, at_another_eps.margin)
    evaluate(pruned, dataset, at_another_eps, preset="autoattack", eps="0.05", record=WITNESS)
    assert list_claims().items[0].gap is None, "a verdict at another eps says nothing about the claim"
    evaluate(pruned, dataset, measure(labels, 1))
    (one,) = list_claims().items
    assert one.gap is not None and [other.reason for other in one.against] == ["dense has no claim."]


def test_list_claims_typed_in_at_another_eps_are_held_against_margins_alone(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N)
    row = add_checkpoint(dataset.id, "dense")
    claim = CheckpointPatch(claimed_robust_accuracy=0.6, claimed_eps="4/255", claimed_n=N)
    checkpoints.patch_checkpoint(row.id, claim)
    margins = measure(make_pixels(N)[1], 1)
    broken = np.where(margins.margin > EPS, np.inf, margins.margin)
    verdicts = Measured(margins.predictions, broken, margins.logit_gap, kind="witness")
    evaluate(row, dataset, verdicts, preset="autoattack", eps="25.5/255", record=WITNESS)
    (one,) = list_claims().items
    assert (one.norm, one.eps_text, one.is_at_default) == ("Linf", "4/255", False)
    assert one.gap is None and one.reason == "No finished evaluation of dense gives the robust accuracy at Linf 4/255."
    found = evaluate(row, dataset, margins)
    (one,) = list_claims().items
    assert one.reevaluation is not None and one.reevaluation.evaluation_id == found.id
    assert one.reevaluation.robust_accuracy == pytest.approx(np.mean(margins.margin > 4 / 255))


def test_list_claims_at_the_data_sets_own_eps_say_so(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N)
    add_checkpoint(dataset.id, "stated", claim=claim_of(0.6, eps_text="0.1"))
    add_checkpoint(dataset.id, "silent", claim=claim_of(0.6, norm=None, eps_text=None))
    add_checkpoint(dataset.id, "round", claim=claim_of(0.6, norm="L2", eps_text="0.1"))
    found = {one.checkpoint_name: one.is_at_default for one in list_claims().items}
    assert found == {"stated": True, "silent": True, "round": False}
