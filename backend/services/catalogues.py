"""What this version knows, ready for JSON: architectures, attacks with their presets, reliability flags.

The architectures stand here as data, because the table that builds them imports torch; a test compares the two.
"""

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

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "find_attack",
    "is_weakened",
    "list_architectures",
    "list_attacks",
    "list_flags",
    "promises_margins",
    "rank_of",
    "read_all",
    "short_title",
    "show_argument",
]

ARCHITECTURES: tuple[tuple[str, str, str, tuple[int, int] | None], ...] = (
    ("small-cnn", "Small CNN, 102,090 parameters", "cnn", (28, 28)),
    ("resnet18", "ResNet18 (CIFAR)", "resnet", None),
    ("resnet18-torchvision", "ResNet18 (CIFAR, torchvision names)", "resnet", None),
    ("resnet20", "ResNet20 (CIFAR)", "resnet", None),
    ("resnet8", "ResNet8 (CIFAR)", "resnet", None),
    ("preact-resnet18", "PreAct ResNet18", "resnet", None),
    ("preact-resnet18-bn", "PreAct ResNet18, last BN", "resnet", None),
    ("vgg16-bn-hydra", "VGG16-BN (HYDRA, HARP)", "vgg", None),
    ("vgg16-bn", "VGG16-BN, one linear layer", "vgg", (32, 32)),
    ("vgg16-bn-bias-free", "VGG16-BN, no conv biases", "vgg", (32, 32)),
    ("wrn-28-4", "Wide ResNet 28-4", "wide-resnet", None),
    ("wrn-28-10", "Wide ResNet 28-10", "wide-resnet", None),
)


def list_architectures() -> ArchitecturePage:
    """Every architecture by name, as `models.architectures` has them, and the layers of `registry.layer_lists`."""
    items = [
        ArchitectureOut(name=name, title=title, family=family, input_size=None if size is None else list(size))
        for name, title, family, size in ARCHITECTURES
    ]
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
