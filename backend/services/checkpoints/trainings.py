"""How a checkpoint was trained, where that is known: of the shipped ones from their cards, of those pruned here."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.eps import parse_eps
from backend.registry.cards import read_cards
from backend.schemas.families import FamilyTraining
from backend.store import prunings
from backend.store.prunings import DENSE_MARGINS
from backend.store.tables import Checkpoint

NEGLIGIBLE = 0.01  # share of the passes by which whole images and epochs make equal budgets differ


def read_trainings(session: Session, rows: Iterable[Checkpoint]) -> dict[UUID, FamilyTraining]:
    """The training of each checkpoint of which it is known; uploads are not among them."""
    rows = list(rows)
    shipped = _read_shipped()
    found = {row.id: shipped[row.source_sha256] for row in rows if row.source_sha256 in shipped}
    made = {row.pruning_id: row.id for row in rows if row.pruning_id is not None}
    for pruning in prunings.prunings_among(session, list(made)):
        training = read_record(pruning.record.to_json())
        if training is not None:
            found[made[pruning.id]] = training
    return found


def are_alike(first: FamilyTraining | None, second: FamilyTraining | None) -> bool | None:
    """Whether two were trained on the same images, at the same radius, for as long; None where neither is known."""
    if first is None and second is None:
        return None
    if first is None or second is None:
        return False
    is_as_long = abs(first.passes - second.passes) <= NEGLIGIBLE * max(first.passes, second.passes)
    is_at_eps = parse_eps(first.eps_text) == parse_eps(second.eps_text)
    return is_as_long and is_at_eps and first.images_sha256 == second.images_sha256


def rank_alike(first: FamilyTraining | None, second: FamilyTraining | None) -> int:
    """0 where two were trained alike, 1 where neither training is known, 2 where they were not."""
    return (True, None, False).index(are_alike(first, second))


def describe_training_difference(
    first: FamilyTraining | None, second: FamilyTraining | None, first_name: str, second_name: str
) -> str | None:
    """In a sentence why the trainings of two differ; None where they do not, or where neither is known."""
    if are_alike(first, second) is not False:
        return None
    if first is None or second is None:
        return f"It is not known how {first_name if first is None else second_name} was trained."
    if first.images_sha256 != second.images_sha256:
        return f"{first_name} and {second_name} were trained on different images."
    details = (f"{first.passes:,} passes", f"{second.passes:,}")
    if parse_eps(first.eps_text) != parse_eps(second.eps_text):
        details = (f"eps {first.eps_text}", f"eps {second.eps_text}")
    return f"{first_name} was trained with {details[0]}, {second_name} with {details[1]}."


@lru_cache(maxsize=1)
def _read_shipped() -> dict[str, FamilyTraining]:
    """By the SHA-256 of the weights file; the shipped cards do not change while a process runs."""
    found = {}
    for card in read_cards():
        training = read_record(card.model_dump())
        if training is not None:
            found[card.sha256] = training
    return found


def read_record(record: dict[str, Any]) -> FamilyTraining | None:
    """From a card, or from the record of a pruning, which say it alike."""
    passes, recipe, images = (record.get(name) for name in ("passes", "recipe", "training_sha256"))
    if not passes or not isinstance(recipe, dict) or not images:
        return None
    margins = record.get(DENSE_MARGINS, {"forwards": 0, "backwards": 0})  # an evaluation's, where thin-ice took one
    total = passes["total"] + margins["forwards"] + margins["backwards"]
    return FamilyTraining(passes=total, eps_text=recipe["eps_text"], images_sha256=images)
