"""The official recipe with fewer steps, for tests that ask what it is made of and not how strong it is."""

from typing import Any

import pytest

from backend.attacks.presets import autoattack as recipe

build = recipe.build_official


def shorten(official: Any, classes: int) -> Any:
    """A tenth of the steps, a fiftieth of the queries, and no more targets than there are other classes."""
    for attack in (official.apgd, official.apgd_targeted, official.fab):
        attack.n_iter = attack.n_iter_orig = 10
    official.apgd_targeted.n_target_classes = official.fab.n_target_classes = classes - 1
    official.square.n_queries = 100
    return official


def shorten_ours(monkeypatch: pytest.MonkeyPatch, classes: int) -> None:
    """Have the presets build the short recipe for the rest of the test."""
    monkeypatch.setattr(recipe, "build_official", lambda *arguments: shorten(build(*arguments), classes))
