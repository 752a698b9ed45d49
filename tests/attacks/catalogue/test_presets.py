"""The catalogue of presets: every row can be run, and what is added from outside is checked at the door."""

import inspect
from dataclasses import replace

import pytest

from backend import attacks
from backend.attacks.catalogue import (
    ATTACKS,
    DEFAULT_PRESET,
    PRESETS,
    Attack,
    Preset,
    get_preset,
    promises_margins,
    rank_of,
    register_preset,
    remove_preset,
    short_title,
)
from backend.attacks.norms import NORMS
from backend.attacks.runs import find_attack
from backend.errors import InvalidRequest, UnknownName
from backend.schemas.evaluations import EvaluationIn
from backend.schemas.evidence import HarderIn
from tests.attacks.linear_oracle import build_problem
from tests.attacks.toy_preset.rows import ATTACK, PRESET

OTHER = replace(PRESET, name="other-pgd", attacks=("other-pgd",))
ITS_ATTACK = replace(ATTACK, name="other-pgd")


@pytest.mark.parametrize("name", PRESETS)
def test_preset_names_a_function_of_a_run_and_a_group(name: str) -> None:
    assert list(inspect.signature(find_attack(PRESETS[name])).parameters) == ["run", "group"]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_says_what_pages_and_records_read(name: str) -> None:
    preset = PRESETS[name]
    assert preset.parameters["steps"] > 0
    assert set(preset.pool_norms) <= set(preset.norms) <= set(NORMS)
    assert set(preset.attacks) | set(preset.fallbacks) <= set(ATTACKS)
    assert not (preset.goes_beyond_eps and preset.promises == "margin"), "a margin knows no eps to go beyond"
    assert all(ATTACKS[attack].kind in ("minimum", "witness") for attack in preset.attacks)


def test_presets_differ_in_rank_and_short_title() -> None:
    assert len({preset.rank for preset in PRESETS.values()}) == len(PRESETS)
    assert len({preset.short_title for preset in PRESETS.values()}) == len(PRESETS)
    assert rank_of("margin") < rank_of("fast") < rank_of("autoattack") < rank_of("autoattack-plus")


def test_default_preset_is_that_of_requests_and_gives_margins() -> None:
    assert EvaluationIn.model_fields["preset"].default == DEFAULT_PRESET
    assert HarderIn.model_fields["preset"].default == DEFAULT_PRESET
    assert promises_margins(DEFAULT_PRESET)


def test_names_of_another_version_are_weakest_and_called_by_themselves() -> None:
    assert (short_title("of-old"), rank_of("of-old"), promises_margins("of-old")) == ("of-old", -1, False)


def test_register_preset_adds_its_rows_and_remove_preset_takes_them_out_again() -> None:
    before = list(PRESETS), list(ATTACKS)
    problem = build_problem(2, (1, 2, 2), samples=1)
    register_preset(OTHER, ITS_ATTACK)
    assert (get_preset("other-pgd"), ATTACKS["other-pgd"]) == (OTHER, ITS_ATTACK)
    remove_preset("other-pgd")
    assert (list(PRESETS), list(ATTACKS)) == before
    with pytest.raises(UnknownName, match="Known: autoattack, autoattack-plus, fast, margin"):
        attacks.run("other-pgd", problem.network, problem.images, problem.predictions, eps=0.1)
    with pytest.raises(UnknownName, match="There is no preset 'other-pgd'"):
        remove_preset("other-pgd")


@pytest.mark.parametrize(
    ("preset", "rows", "sentence"),
    [
        (replace(OTHER, name="margin"), [ITS_ATTACK], "the name is taken"),
        (OTHER, [], "runs attacks without a row .'other-pgd'"),
        (replace(OTHER, fallbacks=("nobody",)), [ITS_ATTACK], "runs attacks without a row .'nobody'"),
        (OTHER, [replace(ITS_ATTACK, name="square")], "have a row already .'square'"),
        (OTHER, [ITS_ATTACK, ITS_ATTACK], "given twice .'other-pgd'"),
        (OTHER, [ITS_ATTACK, replace(ITS_ATTACK, name="spare")], "does not run these attacks .'spare'"),
        (replace(OTHER, runs="tests.attacks.toy_preset.pgd"), [ITS_ATTACK], "must be 'package.module:function'"),
        (replace(OTHER, parameters={}), [ITS_ATTACK], "must name its steps"),
    ],
    ids=["taken", "no-row", "no-fallback", "attack-taken", "twice", "unused", "no-function", "no-steps"],
)
def test_register_preset_refuses_rows_that_do_not_fit(preset: Preset, rows: list[Attack], sentence: str) -> None:
    before = list(PRESETS), list(ATTACKS)
    with pytest.raises(InvalidRequest, match=sentence):
        register_preset(preset, *rows)
    assert (list(PRESETS), list(ATTACKS)) == before
