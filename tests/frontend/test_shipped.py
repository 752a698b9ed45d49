"""Every empty page has the buttons that fill it, and the shipped results are the first of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dash.development.base_component import Component

from backend.services import system
from backend.services.system import ShippedResults
from frontend import ids
from frontend.pages import claims, compare, jobs, methods, overview, sample, samples
from frontend.shipped import offer_words, shipped_offer
from tests.frontend.words import by_id, hrefs, text_of
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure

PAGES = {
    page.__name__.rsplit(".", 1)[-1]: page.layout
    for page in (claims, compare, jobs, methods, overview, sample, samples)
}


@pytest.mark.parametrize("layout", PAGES.values(), ids=PAGES)
def test_empty_page_offers_the_shipped_results_and_an_upload(ready: Path, layout: Callable[[], Component]) -> None:
    page = layout()
    assert by_id(page, ids.SHIPPED_GO).hidden is False
    assert by_id(page, ids.SHIPPED_POLL).disabled is True
    assert f"{system.tell_shipped().total} evaluations of the shipped networks" in text_of(page)
    assert "/upload" in hrefs(page)


def test_page_with_a_checkpoint_offers_to_evaluate_it(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=20)
    row = add_checkpoint(dataset.id, "net")
    assert f"/jobs?new={row.id}" in hrefs(compare.layout())


def test_methods_of_networks_without_an_evaluation_says_so_until_there_is_one(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=20)
    dense = add_checkpoint(dataset.id, "dense")
    add_checkpoint(dataset.id, "thin", role="pruned", parent_id=dense.id)
    assert "No checkpoint is evaluated yet" in text_of(methods.layout(family=str(dense.id)))
    evaluate(dense, dataset, measure(make_pixels(20)[1], 1))
    assert "No checkpoint is evaluated yet" not in text_of(methods.layout(family=str(dense.id)))


def test_shipped_offer_says_how_far_they_are_and_leaves_nothing_where_all_are_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert offer_words(ShippedResults(7, 25, True)) == "The shipped results are coming in: 7 of 25."
    assert offer_words(ShippedResults(24, 25, False)).startswith("1 evaluation of the shipped networks")
    monkeypatch.setattr(system, "tell_shipped", lambda: ShippedResults(7, 25, True))
    offer = shipped_offer()
    assert by_id(offer, ids.SHIPPED_GO).hidden is True and by_id(offer, ids.SHIPPED_POLL).disabled is False
    for whole in (ShippedResults(25, 25, False), ShippedResults(0, 0, False)):
        monkeypatch.setattr(system, "tell_shipped", lambda whole=whole: whole)
        assert shipped_offer() is None
