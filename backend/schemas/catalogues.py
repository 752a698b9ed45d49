"""Architectures, attacks with their presets, and reliability flags."""

from typing import Any, Literal

from backend.schemas import Norm, Page, Schema


class ArchitectureOut(Schema):
    """A network that checkpoints are loaded into; `input_size` is [height, width], None where any size works."""

    name: str
    title: str
    kind: str
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
