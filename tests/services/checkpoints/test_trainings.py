"""How a checkpoint was trained: read from shipped cards and records of prunings, and held apart in families."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.registry.cards import read_cards
from backend.schemas.families import FamilyTraining
from backend.schemas.records import PruningRecord
from backend.services import comparisons
from backend.services.checkpoints.trainings import are_alike, describe_training_difference, read_trainings
from backend.services.claims.service import list_claims
from backend.services.families.tables import lay_out
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Pruning
from tests.services.fabrication import add_checkpoint, evaluate
from tests.services.families.fabrication import thin_ice_losses
from tests.services.families.made_family import MadeFamily, answer_to, home_with_family, row_of

SHORT = FamilyTraining(passes=2_784_000, eps_text="25.5/255", images_sha256="a")


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[MadeFamily]:
    """A family of uploads, of which nothing is known, until the test says how they were trained."""
    with home_with_family(template, tmp_path) as family:
        yield family


def record_training(made: MadeFamily, row: Checkpoint, passes: int) -> None:
    """Write down that the checkpoint was made here, with that many passes."""
    training: dict[str, Any] = {"passes": {"total": passes}, "recipe": {"eps_text": "25.5/255"}}
    values: dict[str, Any] = {
        "name": row.name,
        "parent_id": made.rows["dense"].id,
        "dataset_id": made.dataset.id,
        "training_dataset_id": made.dataset.id,
        "method": str(row.method),
        "rate": 0.95,
        "granularity": "weight",
        "schedule": "short",
        "plan": {},
        "seed": 0,
        "priority": 10,
        "state": "succeeded",
        "total": 1,
        "record": PruningRecord.model_validate(training | {"training_sha256": "a"}),
    }
    with writing() as session:
        pruning = Pruning(**values)
        session.add(pruning)
        session.flush()
        kept = session.get(Checkpoint, row.id)
        assert kept is not None
        kept.pruning_id = pruning.id


def test_trainings_of_shipped_networks_are_on_their_cards(made: MadeFamily) -> None:
    card = next(card for card in read_cards() if card.name == "cnn-lwm-95")
    shipped = add_checkpoint(made.dataset.id, "shipped", source_sha256=card.sha256)
    with reading() as session:
        (found,) = read_trainings(session, [shipped, made.rows["lwm-95"]]).values()
    assert (found.passes, found.eps_text) == (2_784_000, "25.5/255")
    assert all(card.passes and card.training_sha256 == found.images_sha256 for card in read_cards())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"passes": 2_783_996}, None),
        ({"eps_text": "0.1"}, None),
        ({"passes": 1_392_000}, "a was trained with 2,784,000 passes, b with 1,392,000."),
        ({"eps_text": "8/255"}, "a was trained with eps 25.5/255, b with eps 8/255."),
        ({"images_sha256": "b"}, "a and b were trained on different images."),
    ],
)
def test_trainings_differ_by_passes_eps_or_images(change: dict[str, Any], sentence: str | None) -> None:
    other = SHORT.model_copy(update=change)
    assert are_alike(SHORT, other) is (sentence is None)
    assert describe_training_difference(SHORT, other, "a", "b") == sentence


def test_trainings_that_are_not_known_differ_from_a_known_one_and_undecided_among_themselves() -> None:
    assert are_alike(None, None) is None and describe_training_difference(None, None, "a", "b") is None
    assert are_alike(SHORT, None) is False
    assert describe_training_difference(None, SHORT, "a{0}", "b") == "It is not known how a{0} was trained."


def test_rivals_of_another_budget_are_not_held_against_each_other(made: MadeFamily) -> None:
    for name, passes in (("thin-ice-95", 2_784_000), ("harp-95", 2_784_000), ("lwm-95", 1_000_000)):
        record_training(made, made.rows[name], passes)
    family = made.family()
    findings = {one.rival_name: one for one in answer_to(family, "rivals").findings}
    assert findings["harp-95"].parts, "of the same budget"
    assert findings["lwm-95"].parts == [] and findings["lwm-95"].answer == "cannot tell"
    assert findings["lwm-95"].reason == "thin-ice-95 was trained with 2,784,000 passes, lwm-95 with 1,000,000."
    assert any("not all pruned networks were trained alike" in note.lower() for note in family.notes)
    layout = lay_out(family)
    assert layout.columns[0].key == "training" and layout.shared["training"] == "eps 25.5/255"
    (group,) = (lines for name, lines in layout.groups if name == "weights, 95 %")
    assert not any(line.best for line in group), "other budgets are not ranked"
    assert [line.cells[0].figure for line in group if line.row.name == "lwm-95"] == ["1"]


def test_family_of_one_budget_shows_no_column_of_it(made: MadeFamily) -> None:
    assert "training" not in [column.key for column in lay_out(made.family()).columns]


def test_control_that_decides_is_the_one_trained_as_the_pruned_network(made: MadeFamily) -> None:
    other = add_checkpoint(
        made.dataset.id,
        "a-control",
        origin="zoo",
        parent_id=made.rows["dense"].id,
        method="control",
        claim=made.claim("control", 1),
    )
    evaluate(other, made.dataset, thin_ice_losses(made.measured["dense"], made.labels, 95, 0.05))
    beyond = row_of(made.family(), "lwm-95").flips.beyond
    assert (beyond.control_name, beyond.incompatible) == ("a-control", None), "by name where nothing is known"
    for row in (made.rows["control"], made.rows["lwm-95"]):
        record_training(made, row, 2_784_000)
    family = made.family()
    beyond = row_of(family, "lwm-95").flips.beyond
    assert (beyond.control_name, beyond.incompatible) == ("control", None)
    check = next(one for one in list_claims().items if one.checkpoint_name == "lwm-95")
    assert [one.checkpoint_name for one in check.against if one.relation == "finetuned"] == ["control", "a-control"]
    both = comparisons.compare(made.done["dense"].id, made.done["lwm-95"].id)
    assert [one.name for one in both.controls if one.kind == "finetuned"] == ["control", "a-control"]


def test_control_of_another_budget_decides_nothing(made: MadeFamily) -> None:
    record_training(made, made.rows["lwm-95"], 2_784_000)
    record_training(made, made.rows["control"], 1_000_000)
    family = made.family()
    one = next(one for one in answer_to(family, "thin ice").findings if one.checkpoint_name == "lwm-95")
    assert [part.name for part in one.parts] == ["small dense margin"] and one.answer == "cannot tell"
    assert "losses beyond the control" in [part.name for part in one.additional]
    incompatible = "lwm-95 was trained with 2,784,000 passes, control with 1,000,000."
    assert one.reason == incompatible
    both = comparisons.compare(made.done["dense"].id, made.done["lwm-95"].id)
    assert both.controls_reason is not None and incompatible in both.controls_reason
