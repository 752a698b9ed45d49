"""The attack engine: `run` evaluates a network, `fmn` and `square` are single attacks; `catalogue` says what there is.

The names of this package are resolved on first use, at run time, because the web process imports
`backend.attacks.catalogue` and must never load torch (a static import here would be such a path).
"""

from importlib import import_module
from typing import Any

__all__ = ["AttackAttempt", "AttackResult", "VerifiedExamples", "find_early_flags", "fmn", "run", "square"]

_MODULES = {
    "run": "backend.attacks.engine",
    "find_early_flags": "backend.attacks.engine",
    "fmn": "backend.attacks.alone",
    "square": "backend.attacks.alone",
    "AttackResult": "backend.attacks.contract",
    "VerifiedExamples": "backend.attacks.contract",
    "AttackAttempt": "backend.attacks.contract",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
