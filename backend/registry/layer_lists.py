"""Reads an architecture that the user wrote down as a JSON list of layers. Plain data, no torch.

A list such as `["Flatten", {"type": "Linear", "in_features": 784, "out_features": 100}, "ReLU", ...]` says what a plain
`nn.Sequential` is made of, in torch's own names. Types and arguments come from an allow-list with bounds, so that
nothing but known layers of bearable size can be asked for; how much they need together is measured in the importer's
child (`models.architectures.sequential`), before any memory is taken.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backend.errors import InvalidRequest

MAX_CHARACTERS = 16_384
MAX_LAYERS = 100
WIDTH = (1, 65_536)
WINDOW = (1, 64)
PADDING = (0, 64)
NAME_START = "sequential-"


@dataclass(frozen=True)
class Argument:
    """One argument of a layer: its kind ("whole", "pair", "real", "flag"), bounds, and default (None: must be given).

    A "pair" is one whole number, or two for height and width.
    """

    kind: Literal["whole", "pair", "real", "flag"]
    default: Any = None
    bounds: tuple[float, float] = (0, 0)


POOLING = {
    "kernel_size": Argument("pair", bounds=WINDOW),
    "stride": Argument("pair", bounds=WINDOW),
    "padding": Argument("pair", 0, PADDING),
}
BATCH_NORM = {
    "num_features": Argument("whole", bounds=WIDTH),
    "eps": Argument("real", 1e-5, (1e-12, 1.0)),
    "affine": Argument("flag", True),
}
LAYERS: dict[str, dict[str, Argument]] = {
    "Linear": {
        "in_features": Argument("whole", bounds=WIDTH),
        "out_features": Argument("whole", bounds=WIDTH),
        "bias": Argument("flag", True),
    },
    "Conv2d": {
        "in_channels": Argument("whole", bounds=WIDTH),
        "out_channels": Argument("whole", bounds=WIDTH),
        "kernel_size": Argument("pair", bounds=WINDOW),
        "stride": Argument("pair", 1, WINDOW),
        "padding": Argument("pair", 0, PADDING),
        "dilation": Argument("pair", 1, WINDOW),
        "groups": Argument("whole", 1, WIDTH),
        "bias": Argument("flag", True),
    },
    "BatchNorm1d": BATCH_NORM,
    "BatchNorm2d": BATCH_NORM,
    "MaxPool2d": POOLING,
    "AvgPool2d": POOLING,
    "AdaptiveAvgPool2d": {"output_size": Argument("pair", bounds=WINDOW)},
    "Flatten": {},
    "Identity": {},
    "ReLU": {},
    "LeakyReLU": {"negative_slope": Argument("real", 0.01, (0.0, 1.0))},
    "ELU": {"alpha": Argument("real", 1.0, (0.0, 100.0))},
    "Sigmoid": {},
    "Tanh": {},
    "GELU": {},
    "SiLU": {},
    "Softplus": {},
    # It does nothing in an evaluation, but it has a number of its own in the Sequential.
    "Dropout": {"p": Argument("real", 0.5, (0.0, 1.0))},
}


@dataclass(frozen=True)
class LayerList:
    """A checked list. `layers` holds every argument, `text` is the canonical JSON, `name` is short and follows from it.

    Two lists that mean the same have the same text and name.
    """

    layers: tuple[tuple[str, dict[str, Any]], ...]
    text: str
    name: str


def is_layer_list(architecture: str) -> bool:
    """Whether a text means a list of layers rather than the name of an architecture."""
    return architecture.lstrip()[:1] in ("[", "{")


def read_layer_list(text: str) -> LayerList:
    """Check a JSON list of layers.

    Raises:
        InvalidRequest: too long, no JSON list, or a layer or argument that is not on the allow-list or out of bounds;
            names the layer by its number, counted from 0 as torch does.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refuse(f"The list of layers is longer than {MAX_CHARACTERS:,} characters.")
    try:
        content = json.loads(text, object_pairs_hook=_refuse_repeats, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"The list of layers is not valid JSON: {str(error)[:120]}.") from error
    if not isinstance(content, list) or not 1 <= len(content) <= MAX_LAYERS:
        raise _refuse(f"The architecture must be a JSON list of 1 to {MAX_LAYERS} layers.")
    layers = tuple(_read_layer(number, entry) for number, entry in enumerate(content))
    canonical = json.dumps([_shorten(kind, given) for kind, given in layers], separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return LayerList(layers, canonical, f"{NAME_START}{digest[:12]}")


def _refuse(sentence: str) -> InvalidRequest:
    return InvalidRequest(f"{sentence} Known layers: {', '.join(sorted(LAYERS))}.", ask="architecture")


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("one layer has the same name twice")
    return dict(pairs)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _read_layer(number: int, entry: Any) -> tuple[str, dict[str, Any]]:
    """One layer with all its arguments; a bare name means one without any."""
    given: Mapping[str, Any] = {"type": entry} if isinstance(entry, str) else entry
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise _refuse(f'Layer {number} must be a name, or an object with a "type".')
    kind = given["type"]
    if kind not in LAYERS:
        raise _refuse(f"Layer {number} is a {kind[:40]!r}, which is not supported.")
    wanted = LAYERS[kind]
    if strange := sorted(set(given) - set(wanted) - {"type"}):
        known = ", ".join(wanted) or "none"
        raise _refuse(f"Layer {number} ({kind}) has no argument {strange[0][:40]!r}; it has: {known}.")
    arguments = {name: _read_argument(number, kind, name, argument, given) for name, argument in wanted.items()}
    return kind, arguments


def _read_argument(number: int, kind: str, name: str, argument: Argument, given: Mapping[str, Any]) -> Any:
    """The value of one argument, given or default."""
    where = f"Layer {number} ({kind}): {name}"
    if name not in given:
        if name == "stride" and argument.default is None:
            return _read_argument(number, kind, "kernel_size", argument, given)  # torch's own default for pooling
        if argument.default is None:
            raise _refuse(f"{where} is missing.")
        return [argument.default] * 2 if argument.kind == "pair" else argument.default
    value = given[name]
    if argument.kind == "flag":
        if not isinstance(value, bool):
            raise _refuse(f"{where} must be true or false.")
        return value
    parts = value if argument.kind == "pair" and isinstance(value, list) else [value]
    kinds = (int, float) if argument.kind == "real" else (int,)
    low, high = argument.bounds
    if len(parts) not in ((1, 2) if argument.kind == "pair" else (1,)) or not all(
        isinstance(part, kinds) and not isinstance(part, bool) and low <= part <= high for part in parts
    ):
        what = "a number" if argument.kind == "real" else "a whole number"
        raise _refuse(f"{where} must be {what}{' or two' if argument.kind == 'pair' else ''} from {low:g} to {high:g}.")
    if argument.kind == "pair":
        return [parts[0], parts[-1]]
    return float(parts[0]) if argument.kind == "real" else parts[0]


def _shorten(kind: str, arguments: Mapping[str, Any]) -> Any:
    """A layer as the canonical text has it: defaults left out, equal pairs as one number."""
    shown: dict[str, Any] = {"type": kind}
    for name, value in arguments.items():
        argument = LAYERS[kind][name]
        short = value[0] if isinstance(value, list) and value[0] == value[1] else value
        is_default = short == argument.default or (
            name == "stride" and argument.default is None and value == arguments["kernel_size"]
        )
        if not is_default:
            shown[name] = short
    return kind if len(shown) == 1 else shown
