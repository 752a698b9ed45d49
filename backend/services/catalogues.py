"""What this version knows, ready for JSON: architectures, attacks with their presets, reliability flags."""

from collections.abc import Iterable
from typing import Any, Literal

from backend.attacks.catalogue import FLAGS, PRESETS
from backend.attacks.catalogue.attacks import ATTACKS
from backend.registry.layer_lists import LAYERS, Argument
from backend.schemas import Norm, Page, Schema
from models.architectures.normalizations import NORMALIZATIONS
from models.architectures.rows import ARCHITECTURES
from models.pruning.plans import METHODS


class ArchitectureOut(Schema):
    """A network that checkpoints are loaded into; `input_size` is [height, width], None where any size works."""

    name: str
    title: str
    family: str
    input_size: list[int] | None


class LayerArgumentOut(Schema):
    """An argument of a layer in a list of layers: a whole number, a pair of them (or one for both), a real, a flag."""

    name: str
    kind: Literal["whole", "pair", "real", "flag"]
    required: bool
    default: Any
    low: float | None
    high: float | None


class LayerTypeOut(Schema):
    """A layer that a plain `nn.Sequential` may be made of, in torch's own names."""

    type: str
    arguments: list[LayerArgumentOut]


class ArchitecturePage(Page[ArchitectureOut]):
    """The registered architectures, and the layers that a user's own list may hold."""

    layers: list[LayerTypeOut]


class AttackOut(Schema):
    """One attack; `gradients` and `forwards` are passes per image."""

    name: str
    title: str
    kind: Literal["minimum", "witness"]
    gradients: int
    forwards: int
    reference: str
    arxiv: str | None
    parameters: dict[str, Any]


class PresetOut(Schema):
    """Attacks that run together, by the name that an evaluation asks for; the stronger preset has the higher `rank`."""

    name: str
    title: str
    short_title: str
    description: str
    promises: Literal["margin", "verdict"]
    rank: int
    needs_eps: bool
    norms: list[Norm]
    distance_kind: Literal["minimum", "witness"]
    attacks: list[str]
    parameters: dict[str, Any]


class AttackPage(Page[AttackOut]):
    """All attacks, and the presets made of them."""

    presets: list[PresetOut]


class FlagOut(Schema):
    """A reliability flag: what raises it, what that means, what to do."""

    code: str
    title: str
    raised_if: str
    means: str
    what_to_do: str


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


def list_flags() -> Page[FlagOut]:
    """Every reliability flag with its help."""
    items = read_all(FlagOut, FLAGS.values())
    return Page(items=items, total=len(items), limit=len(items), offset=0)


def read_all(schema: type[Any], entries: Iterable[Any]) -> list[Any]:
    """The entries of a catalogue as objects of the schema."""
    return [schema.model_validate(entry) for entry in entries]
