"""Sample in a real browser: both rows in sight, the slice that is drawn while one looks, and restored layers."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Product

pytestmark = pytest.mark.browser


def first_index(product: Product, flips: str = "S10") -> int:
    """The first lost sample of the pair, or the first of another set."""
    dense, pruned = product.evaluations["cnn-dense"], product.evaluations["cnn-lwm-95"]
    found = product.get(f"/comparisons/samples?dense={dense}&pruned={pruned}&set={flips}")["items"]
    return int(found[0]["index"])


def address(product: Product, index: int) -> str:
    return f"{product.compare.replace('/compare?', '/sample?')}&index={index}"


def test_sample_has_both_rows_on_one_screen_and_an_image_on_the_first_of_a_phone(page, product):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(address(product, first_index(product)))
    for row in ("dense", "pruned"):
        box = page.locator(f"#sample-{row} .frames").bounding_box()
        assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 900
    page.set_viewport_size({"width": 400, "height": 800})
    first = page.locator("#sample-dense .sample-clean img").bounding_box()
    bar = page.locator("nav").first.bounding_box()
    assert first is not None and bar is not None
    assert first["y"] + first["height"] <= (bar["y"] if bar["y"] > 400 else 800)


def test_sample_slice_is_drawn_and_says_what_the_pruned_network_makes_of_the_dense_adversarial(page, product):
    index = first_index(product)
    page.goto(address(product, index))
    expect(page.locator("#sample-slice svg")).to_have_count(2)
    found = product.get("/evidence?kind=slice&limit=1")["items"][0]
    drawn = product.get(f"/evidence/{found['id']}/slice")
    assert drawn["index"] == index and drawn["gradient_of"] == "pruned" and drawn["points"] == 61
    mark = next(one for one in drawn["marks"] if one["name"] == "dense")
    evaluation = product.get(f"/evaluations/{drawn['dense_evaluation_id']}")
    classes = product.get(f"/datasets/{evaluation['dataset_id']}")["classes"]
    expect(page.locator("#sample-pruned [data-answer]")).to_contain_text(f"says {classes[mark['pruned']]}")
    expect(page.locator("#sample-slice")).to_contain_text("its gradient at the clean image spans the plane")
    regions = page.locator("#sample-slice svg").first.locator(".region")
    width = sum(float(one.get_attribute("width") or 0) for one in regions.all())
    assert width == pytest.approx(240 * 61, rel=1e-3), "every point of the grid is drawn once"
    page.locator("#sample-slice svg").first.hover(position={"x": 10, "y": 10})
    expect(page.locator(".slice-here")).to_contain_text("dense says")


def test_sample_attempts_unfold_by_keyboard_and_stay_so_at_the_next_sample(page, product):
    page.goto(address(product, first_index(product, "S11")))
    fold = page.locator("#sample-dense details:not(.save-menu)")
    expect(fold.locator("table")).to_be_hidden()
    fold.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(fold.locator("table")).to_be_visible()
    before = page.locator("h1").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).not_to_have_text(before)
    expect(fold.locator("table")).to_be_visible()


def test_sample_trajectory_leads_to_the_version_of_a_mark(page, product):
    page.goto(address(product, first_index(product)))
    control = product.evaluations["cnn-control"]
    mark = page.locator(f'.trajectory a[href*="{control}"]')
    mark.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sample-pruned h2")).to_have_text(re.compile("cnn-control"))


def test_sample_restored_layers_are_queued_followed_and_shown(page, product):
    page.goto(address(product, first_index(product)))
    place = page.locator("#sample-layers")
    expect(place).to_contain_text("Not measured")
    page.get_by_role("button", name="Restore layer by layer").click()
    expect(place).to_contain_text(re.compile("waiting|layer", re.I))
    expect(place.locator("tbody tr")).to_have_count(4, timeout=120_000)
    expect(place).to_contain_text("This sample")
    rows = product.get("/evidence?kind=layers&limit=1")["items"]
    found = product.get(f"/evidence/{rows[0]['id']}/layers")
    first = place.locator("tbody tr").first
    expect(first).to_contain_text(found["layers"][0]["name"])
    rate = found["layers"][0]["clean_back"]
    expect(first).to_contain_text(f"{rate['count']} of {rate['n']}")
