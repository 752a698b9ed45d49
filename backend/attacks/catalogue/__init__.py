"""What attacks, presets and flags there are. Data only, so that the web process lists them without torch."""

from backend.attacks.catalogue.attacks import ATTACKS, Attack
from backend.attacks.catalogue.flags import FLAGS, WEAKENING, Flag, index_by_name
from backend.attacks.catalogue.presets import (
    DEFAULT_PRESET,
    PRESETS,
    Preset,
    get_preset,
    promises_margins,
    rank_of,
    register_preset,
    remove_preset,
    short_title,
)

ENGINE = 1
"""Version of the attack engine: one more with every change after which a preset gives other margins or verdicts.
Shipped results of another version are not shown."""

__all__ = [
    "ATTACKS",
    "DEFAULT_PRESET",
    "ENGINE",
    "FLAGS",
    "PRESETS",
    "WEAKENING",
    "Attack",
    "Flag",
    "Preset",
    "get_preset",
    "index_by_name",
    "promises_margins",
    "rank_of",
    "register_preset",
    "remove_preset",
    "short_title",
]
