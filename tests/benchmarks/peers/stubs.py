"""Stand-ins for packages that a peer imports while it loads and never uses in an attack."""

import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Any


class Unused:
    """Whatever is asked of a stand-in; using it is an error that says so."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        raise RuntimeError("a stand-in of the bench was used; install the real package")


def stand_in(name: str, *names: str) -> None:
    """Put an empty module in the place of one that is not installed."""
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    module = ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    for entry in names:
        setattr(module, entry, Unused)
    sys.modules[name] = module


def prepare_imports() -> None:
    """torchvision and visdom (adversarial-library), git (foolbox), tqdm (adversarial-library's test bench)."""
    stand_in("torchvision", "models", "transforms", "datasets")
    stand_in("visdom", "Visdom")
    stand_in("git", "Repo", "GitCommandError")
    stand_in("tqdm", "tqdm")
