"""What this version knows, ready for JSON: architectures, attacks with their presets, reliability flags."""

from collections.abc import Iterable
from typing import Any

from backend.attacks.catalogue import (
    DEFAULT_PRESET,
    FLAGS,
    PRESETS,
    WEAKENING,
    promises_margins,
    rank_of,
    short_title,
)
from backend.attacks.catalogue.attacks import ATTACKS
from backend.registry.layer_lists import LAYERS, Argument
from backend.schemas import Page
from backend.schemas.catalogues import (
    ArchitectureOut,
    ArchitecturePage,
    AttackOut,
    AttackPage,
    FlagOut,
    LayerArgumentOut,
    LayerTypeOut,
    PresetOut,
)
from models.architectures.normalizations import NORMALIZATIONS
from models.architectures.rows import ARCHITECTURES
from models.pruning.plans import METHODS

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "find_attack",
    "is_weakened",
    "list_architectures",
    "list_attacks",
    "list_flags",
    "list_normalizations",
    "list_pruning_methods",
    "promises_margins",
    "rank_of",
    "read_all",
    "short_title",
    "show_argument",
]


def list_architectures() -> ArchitecturePage:
    """Every architecture, and the layers that a list of layers may hold."""
    items = [ArchitectureOut.model_validate(row) for row in ARCHITECTURES.values()]
    layers = [
        LayerTypeOut(type=kind, arguments=[show_argument(kind, name, one) for name, one in arguments.items()])
        for kind, arguments in LAYERS.items()
    ]
    return ArchitecturePage(items=items, total=len(items), limit=len(items), offset=0, layers=layers)


def show_argument(kind: str, name: str, argument: Argument) -> LayerArgumentOut:
    """One argument; pooling's stride may be left out though it has no fixed default."""
    is_flag = argument.kind == "flag"
    return LayerArgumentOut(
        name=name,
        kind=argument.kind,
        required=argument.default is None and not (name == "stride" and "Pool" in kind),
        default=argument.default,
        low=None if is_flag else argument.bounds[0],
        high=None if is_flag else argument.bounds[1],
    )


def list_normalizations() -> list[str]:
    """The names of the input normalisations that an upload may ask for."""
    return list(NORMALIZATIONS)


def list_pruning_methods() -> list[str]:
    """The names of the pruning methods; a control prunes nothing and is none of them."""
    return list(METHODS)


def list_attacks() -> AttackPage:
    """Every attack and every preset."""
    items = read_all(AttackOut, ATTACKS.values())
    presets = read_all(PresetOut, PRESETS.values())
    return AttackPage(items=items, total=len(items), limit=len(items), offset=0, presets=presets)


def find_attack(name: str) -> AttackOut | None:
    """The attack of that name; None where the catalogue of this version lacks it."""
    return AttackOut.model_validate(ATTACKS[name]) if name in ATTACKS else None


def list_flags() -> Page[FlagOut]:
    """Every reliability flag with its help."""
    items = read_all(FlagOut, FLAGS.values())
    return Page(items=items, total=len(items), limit=len(items), offset=0)


def is_weakened(flags: Iterable[str]) -> bool:
    """Whether one of these flags says that the attack may have found too little."""
    return not WEAKENING.isdisjoint(flags)


def read_all(schema: type[Any], entries: Iterable[Any]) -> list[Any]:
    """The entries of a catalogue as objects of the schema."""
    return [schema.model_validate(entry) for entry in entries]
