"""What attacks, presets and flags there are. Data only, so that the web process lists them without torch."""

from backend.attacks.catalogue.attacks import ATTACKS, Attack
from backend.attacks.catalogue.flags import FLAGS, WEAKENING, Flag, index_by_name
from backend.attacks.catalogue.presets import PRESETS, Preset, get_attack, get_flag, get_preset

__all__ = [
    "ATTACKS",
    "FLAGS",
    "PRESETS",
    "WEAKENING",
    "Attack",
    "Flag",
    "Preset",
    "get_attack",
    "get_flag",
    "get_preset",
    "index_by_name",
]
