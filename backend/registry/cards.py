"""The cards of the shipped checkpoints: `models/zoo/<name>.json` next to `<name>.safetensors`. Never imports torch."""

import importlib.util
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from backend.errors import StartupFailed
from backend.sandbox import hash_file
from models.pruning.plans import CONTROL, METHODS


def check_method(name: str) -> str:
    """Refuse a method that this version does not have."""
    if name not in (*METHODS, CONTROL):
        raise ValueError(f"there is no method {name!r}; known: {', '.join((*METHODS, CONTROL))}")
    return name


class CardStructure(BaseModel):
    """What pruning removed and at which rate 0..1; a structured rate differs from the share of weights."""

    kind: Literal["weight", "filter", "channel"]
    rate: float = Field(ge=0, le=1)


class Card(BaseModel):
    """One shipped checkpoint. Shares and accuracies are 0..1; `sha256` is that of the weights file at `path`.

    Fields that a later card may add are kept in `model_extra`.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    architecture: str
    dataset: str
    role: Literal["dense", "pruned"]
    path: Path
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    parent: str | None = None
    method: Annotated[str, AfterValidator(check_method)] | None = None
    structure: CardStructure | None = None
    declared_sparsity: float | None = Field(None, ge=0, le=1)
    measured_sparsity: float | None = Field(None, ge=0, le=1)
    normalization: str = "none"
    recipe: dict[str, Any] | str | None = None
    passes: dict[str, int] | None = None
    training_sha256: str | None = None
    seed: int | None = None
    claimed_robust_accuracy: float | None = Field(None, ge=0, le=1)
    claimed_attack: str | None = None
    claimed_norm: str | None = None
    claimed_eps: str | float | None = None
    claimed_n: int | None = None
    claimed_source: str | None = None
    clean_accuracy: float | None = Field(None, ge=0, le=1)


def find_zoo() -> Path:
    """Give the folder of the shipped checkpoints, found through the installed `models` package."""
    spec = importlib.util.find_spec("models")
    if spec is None or not spec.submodule_search_locations:
        raise StartupFailed("The package `models` is missing next to `backend`; reinstall Thin Ice.")
    return Path(spec.submodule_search_locations[0]) / "zoo"


def read_cards(folder: Path | None = None) -> list[Card]:
    """Read every card of `folder` (default: the shipped zoo), parents before children, then by name.

    The weights files are hashed (about 1 ms per MB).

    Raises:
        StartupFailed: a card that is not valid, whose weights are missing or changed, or whose parent is unknown; the
            message names it.
    """
    folder = folder if folder is not None else find_zoo()
    cards = {card.name: card for card in (_read_card(path) for path in sorted(folder.glob("*.json")))}
    return _sort_by_parent(cards)


def _read_card(path: Path) -> Card:
    """Read one card and check its weights file."""
    weights = path.with_suffix(".safetensors")
    try:
        card = Card.model_validate({**json.loads(path.read_text(encoding="utf-8")), "path": weights})
    except (ValidationError, ValueError, TypeError) as error:
        raise StartupFailed(f"The card {path.name} is not valid: {error}.", card=path.stem) from error
    if card.name != path.stem:
        raise StartupFailed(f"The card {path.name} has another name than its file: {card.name!r}.", card=path.stem)
    if not weights.is_file():
        raise StartupFailed(f"The card {path.name} has no weights file {weights.name}.", card=card.name)
    if hash_file(weights) != card.sha256:
        raise StartupFailed(f"The weights file {weights.name} is not the one that its card describes.", card=card.name)
    return card


def _sort_by_parent(cards: dict[str, Card]) -> list[Card]:
    """Order the cards so that every parent stands before its children."""
    ordered: list[Card] = []
    waiting = [cards[name] for name in sorted(cards)]
    for card in waiting:
        if card.parent is not None and card.parent not in cards:
            raise StartupFailed(
                f"The card {card.name} names the parent {card.parent!r}, which has no card.", card=card.name
            )
    while waiting:
        placed = {card.name for card in ordered}
        ready = [card for card in waiting if card.parent is None or card.parent in placed]
        if not ready:
            names = ", ".join(card.name for card in waiting)
            raise StartupFailed(f"The cards {names} are each other's parents.", card=waiting[0].name)
        ordered.extend(ready)
        waiting = [card for card in waiting if card not in ready]
    return ordered
