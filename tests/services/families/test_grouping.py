"""Every checkpoint stands in one family, as what that family calls it."""

from pathlib import Path

from backend.services.families import FamilyPlace, list_places
from tests.services.fabrication import add_checkpoint, add_dataset, compare_weights


def test_list_places_follow_parents_and_weights(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    first = add_checkpoint(dataset.id, "first")
    seed = add_checkpoint(dataset.id, "seed", inspection=compare_weights(first))
    noisy = add_checkpoint(dataset.id, "noisy", inspection=compare_weights(first, answer="yes"))
    orphan = add_checkpoint(dataset.id, "orphan", role="pruned")
    assert {place.root for place in list_places().values()} == {first.id, seed.id, noisy.id, orphan.id}, (
        "no parents yet"
    )
    second = add_checkpoint(dataset.id, "second", inspection=compare_weights(first, seed))
    family = {"parent_id": first.id, "role": "pruned"}
    children = [add_checkpoint(dataset.id, "child", **family), add_checkpoint(dataset.id, "sibling", **family)]
    add_checkpoint(dataset.id, "other child", parent_id=second.id, role="pruned")
    control = add_checkpoint(dataset.id, "control", method="control", parent_id=first.id)
    denied = add_checkpoint(
        dataset.id, "denied", method="control", parent_id=first.id, inspection=compare_weights(first)
    )
    add_checkpoint(dataset.id, "from the control", parent_id=control.id, role="pruned")
    places = list_places()
    assert all(places[child.id] == FamilyPlace(first.id, "pruned") for child in children)
    assert places[first.id] == FamilyPlace(first.id, "dense")
    assert places[seed.id] == FamilyPlace(first.id, "seed"), "of two parents the oldest"
    assert places[second.id] == FamilyPlace(second.id, "dense"), "a parent stands for itself"
    assert places[control.id] == FamilyPlace(first.id, "finetuned"), "also where it has children"
    assert places[noisy.id] == FamilyPlace(noisy.id, "dense")
    assert places[orphan.id] == FamilyPlace(orphan.id, "pruned")
    assert places[denied.id] == FamilyPlace(denied.id, "dense")
