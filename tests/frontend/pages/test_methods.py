"""The Methods page on the real services: answers in words, every figure a link, panels of plain data."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backend.services.families import measuring, service
from backend.services.families.service import get_family
from frontend.pages import methods as page
from frontend.pages.methods import ids
from frontend.pages.methods.callbacks import draw_panels, renew
from frontend.pages.methods.layout import show_family
from frontend.pages.methods.panels import list_methods, list_panels, read_panel
from frontend.review.methods import place_method
from tests.frontend.words import by_id, hrefs, text_of, walk
from tests.services.fabrication import add_checkpoint, add_dataset
from tests.services.families.made_family import MadeFamily, home_with_family


def test_layout_of_a_home_without_a_family_says_how_to_get_one(ready: Path, tmp_path: Path) -> None:
    assert page.complete({}) is None
    assert "/upload" in hrefs(page.layout())
    add_checkpoint(add_dataset(tmp_path, "digits", n=60).id, "lonely")
    assert page.complete({}) is None, "a dense checkpoint alone is no family"


@pytest.fixture(scope="module")
def made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeFamily]:
    """One family for all tests of this module: they only read, and measure it at once."""
    with home_with_family(template, tmp_path_factory.mktemp("family")) as family, pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "QUICK_SECONDS", 60.0)
        yield family


def test_layout_of_a_family_that_takes_long_shows_how_far_it_is_and_then_the_page(
    made: MadeFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "QUICK_SECONDS", 0.0)
    may_go_on = threading.Event()
    measure = service.show_row

    def wait(*given: Any) -> Any:
        if given[1].row.name == "lwm-95":
            may_go_on.wait(60)
        return measure(*given)

    monkeypatch.setattr(service, "show_row", wait)
    query = {"family": str(made.rows["dense"].id), "eps": "13/255"}
    shown = page.layout(**query)
    for _ in range(600):
        if "Measured 5 of 10 parts" in text_of(shown):
            break
        time.sleep(0.1)
        shown = page.layout(**query)
    assert "Measured 5 of 10 parts" in text_of(shown) and "left" in text_of(shown)
    assert by_id(shown, ids.QUERY).data["eps"] == "13/255"
    assert by_id(shown, ids.POLL).max_intervals == -1, "it asks on"
    may_go_on.set()
    monkeypatch.setattr(measuring, "QUICK_SECONDS", 60.0)
    parts, is_whole = show_family(by_id(shown, ids.QUERY).data)
    assert is_whole and "Does thin-ice lose fewer samples?" in text_of(parts[-1])


def test_family_that_was_measured_and_not_fetched_is_measured_again_once_it_is_old(
    made: MadeFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms: dict[str, Any] = {"method": "thin-ice", "eps": "12/255"}
    root = made.rows["dense"].id
    begun = measuring.measure_family(root, **terms, patience=0.0)
    assert isinstance(begun, measuring.Measuring) and begun.ended.wait(60)
    monkeypatch.setattr(measuring, "FRESH_SECONDS", -1.0)
    again = measuring.measure_family(root, **terms, patience=60.0)
    assert not isinstance(again, measuring.Measuring) and again is not begun.family


def test_poll_of_a_family_that_is_gone_says_so_and_asks_no_more(made: MadeFamily) -> None:
    parts, times = renew({"family": str(uuid4()), "eps": None, "norm": None, "method": None})
    assert times == 0 and "There is no checkpoint" in text_of(parts)


def test_complete_names_the_family_with_most_pruned_ones_and_keeps_the_rest(made: MadeFamily) -> None:
    found = page.complete({"eps": "8/255"})
    assert found == {"eps": "8/255", "family": str(made.rows["dense"].id)}
    assert page.complete(found) is None


def test_layout_shows_answers_panels_table_and_downloads(made: MadeFamily) -> None:
    family = str(made.rows["dense"].id)
    shown = page.layout(family=family)
    text = text_of(shown)
    for words in (
        "Are the claims too high?",
        "Are the lost samples the ones on thin ice?",
        "Does thin-ice lose fewer samples?",
    ):
        assert text.count(words) >= 2, "as an answer, and with what it rests on"
    assert "All these networks are our re-implementations." in text and "widened so that all of one question" in text
    links = hrefs(shown)
    pair = f"/compare?dense={made.done['dense'].id}&pruned={made.done['lwm-95'].id}&eps=25.5/255"
    assert pair in links and f"/jobs?evaluation={made.done['lwm-95'].id}" in links
    for format in ("csv", "markdown", "latex"):
        assert f"/api/v1/families/{family}?format={format}" in links
    assert "weights, 95 %" in text and "at least 20 needed) to say whether" in text, "why a cell is empty"
    panels = by_id(shown, ids.PANELS).data
    assert json.loads(json.dumps(panels)) == panels, "plain data, as it comes back from the browser"
    keys = [getattr(part, "id", {}).get("key") for part in walk(shown) if isinstance(getattr(part, "id", None), dict)]
    assert (
        keys
        == [panel["key"] for panel in panels]
        == [*(f"weight-{name}" for name in ("clean", "robust", "lost", "auroc")), "standing"]
    )


def test_layout_keeps_its_terms_in_every_link(made: MadeFamily) -> None:
    shown = page.layout(family=str(made.rows["dense"].id), eps="12/255", method="lwm")
    links = hrefs(shown)
    assert any(link.endswith("format=csv&eps=12/255&method=lwm") for link in links)
    assert any(link.startswith("/compare?") and link.endswith("&eps=12/255") for link in links)
    assert "Does lwm lose fewer samples?" in text_of(shown) and "ε 12/255" in text_of(shown)


def test_best_figures_are_bold_among_what_is_pruned_alike(made: MadeFamily) -> None:
    shown = page.layout(family=str(made.rows["dense"].id))
    best = [text_of(part) for part in walk(shown) if getattr(part, "className", None) == "best"]
    clean = max(
        float((made.measured[name].predictions == made.labels).mean()) for name in ("lwm-95", "harp-95", "thin-ice-95")
    )
    assert f"{100 * clean:.2f}" in best


def test_panels_carry_the_rows_numbers(made: MadeFamily) -> None:
    family = get_family(made.rows["dense"].id)
    panels = {panel["key"]: panel for panel in list_panels(family)}
    lost = read_panel(panels["weight-lost"])
    lwm = next(trail for trail in lost["trails"] if trail.name == "lwm")
    row = next(row for row in family.rows if row.name == "lwm-95")
    assert [mark.level for mark in lwm.marks] == [0.8, 0.95]
    assert row.flips is not None
    assert lwm.marks[1].value == pytest.approx(100 * row.flips.robust_negative_flip_rate.value)
    assert lwm.marks[1].link == [str(row.flips.dense_evaluation_id), str(row.flips.evaluation_id)]
    assert [(band.name, band.is_control) for band in lost["bands"]] == [("control", True)]
    assert [band.name for band in read_panel(panels["weight-clean"])["bands"]] == ["dense", "control"]
    assert lost["levels"] == [0.8, 0.95] and lost["is_share"]
    figures = draw_panels(list_panels(family), "dark", ["weight-auroc", "weight-clean"])
    assert len(figures) == 2 and all(len(figure.data) >= 1 for figure in figures)


def test_panels_leave_out_kinds_of_which_nothing_was_measured(made: MadeFamily) -> None:
    family = get_family(made.rows["dense"].id)
    row = next(row for row in family.rows if row.place == "pruned" and row.flips is not None)
    unmeasured = [one.model_copy(update={"rate": None}) for one in row.verdicts]
    clean = row.clean_accuracy.model_copy(update={"rate": None})
    changes = {"structure": "filter", "flips": None, "verdicts": unmeasured, "clean_accuracy": clean}
    bare = row.model_copy(update=changes)
    alone = family.model_copy(update={"rows": [bare]})
    additional = family.model_copy(update={"rows": [*family.rows, bare]})
    assert {panel["key"].split("-")[0] for panel in list_panels(additional)} == {"weight"}
    assert {panel["key"].split("-")[0] for panel in list_panels(alone)} == {"filter"}


def test_methods_keep_their_colour_and_shape_whoever_else_is_there(made: MadeFamily) -> None:
    methods = list_methods(get_family(made.rows["dense"].id))
    assert methods == ["lwm", "harp", "thin-ice"]
    assert [place_method(name, methods) for name in methods] == [0, 3, 4]
    assert place_method("own", ["lwm", "own"]) == 5
