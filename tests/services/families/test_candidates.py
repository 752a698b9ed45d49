"""What can stand next to a dense evaluation, and what the page begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.errors import InvalidRequest
from backend.services import families
from tests.services.families.made_family import PRUNED, MadeFamily, home_with_family


@pytest.fixture(scope="module")
def made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeFamily]:
    with home_with_family(template, tmp_path_factory.mktemp("family")) as family:
        yield family


def test_list_candidates_names_every_other_member_with_margins(made: MadeFamily) -> None:
    found = families.list_candidates(made.done["dense"].id)
    assert [one.place for one in found] == ["finetuned", "seed", *["pruned"] * len(PRUNED)]
    assert {one.evaluation_id for one in found} == {row.id for name, row in made.done.items() if name != "dense"}
    levels = {one.name: (one.level, one.group, one.method) for one in found}
    assert levels["lwm-80"] == (0.8, "weights, 80 %", "lwm") and levels["control"][0] is None


def test_choose_several_begins_with_the_methods_at_95_percent(made: MadeFamily) -> None:
    names = {row.id: name for name, row in made.done.items()}
    found = families.choose_several()
    assert found is not None
    assert found[0] == made.done["dense"].id
    assert [names[one] for one in found[1]] == ["harp-95", "lwm-95", "thin-ice-95"]


def test_choose_several_takes_what_is_pruned_like_the_named_one(made: MadeFamily) -> None:
    dense = made.done["dense"].id
    assert families.choose_several(dense, made.done["lwm-80"].id) == (dense, [made.done["lwm-80"].id])
    found = families.choose_several(dense, made.done["thin-ice-95"].id)
    assert found is not None
    assert found[1][0] == made.done["thin-ice-95"].id and len(found[1]) == 3


def test_list_candidates_of_a_pruned_evaluation_is_refused(made: MadeFamily) -> None:
    with pytest.raises(InvalidRequest, match="no family"):
        families.list_candidates(made.done["lwm-95"].id)


def test_choose_several_of_an_empty_home_is_nothing(ready: Path) -> None:
    assert families.choose_several() is None
