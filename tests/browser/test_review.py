"""A reviewer's way in a real browser: open, compare, cut, click a flipped sample, share the address."""

import json
import re
import sqlite3
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from frontend.pages import PAGES

pytestmark = pytest.mark.browser
ADDRESSES = [row.path for row in PAGES]


def lost_of(product):
    dense, pruned = product.evaluations["cnn-dense"], product.evaluations["cnn-lwm-95"]
    return product.get(f"/comparisons/samples?dense={dense}&pruned={pruned}&set=S10")["items"]


def image_widths(page: Page, selector: str) -> list[int]:
    """Natural widths of the images there once they are loaded; 0 means a broken image."""
    page.wait_for_function(
        "selector => [...document.querySelectorAll(selector)].every(image => image.complete)", arg=selector
    )
    return page.eval_on_selector_all(selector, "images => images.map(image => image.naturalWidth)")


def test_review_from_the_first_page_to_a_flipped_sample_and_back_by_its_address(page, product):
    page.goto(product.address)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("link", name="Compare", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cnn-dense")
    expect(page).to_have_url(re.compile(r"dense=.+pruned="))

    page.goto(product.compare)
    lost = lost_of(product)
    assert lost, "200 samples without a lost one show nothing"
    tiles = page.locator("a.tile")
    expect(tiles.first).to_be_visible()
    expect(page.locator(".headline").first).to_contain_text(str(len(lost)))
    tiles.first.click()

    expect(page.locator("#sample-dense")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"index={lost[0]['index']}\b"))
    dense = image_widths(page, "#sample-dense .frame img")
    assert len(dense) == 3 and all(width >= 28 for width in dense)
    pruned = image_widths(page, "#sample-pruned .frame img")
    assert len(pruned) >= 1 and all(width >= 28 for width in pruned)
    # The pruned network is wrong without any attack, and the page says so in words.
    expect(page.locator("#sample-pruned .sample-adversarial")).to_contain_text(re.compile("wrong", re.I))
    shown = page.locator("#sample-dense").inner_text()

    page.goto(page.url)
    expect(page.locator("#sample-dense")).to_be_visible()
    assert page.locator("#sample-dense").inner_text() == shown
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/compare\?.*dense="))


def test_compare_numbers_on_the_page_are_those_of_the_rest_answer(page, product):
    dense, pruned = product.evaluations["cnn-dense"], product.evaluations["cnn-lwm-95"]
    response = product.get(f"/comparisons?dense={dense}&pruned={pruned}")
    page.goto(product.compare)
    cards = page.locator(".number-value")
    expect(cards.first).to_be_visible()
    shown = [text.replace(",", "") for text in cards.all_inner_texts()][:4]
    counts = response["clean"]
    assert shown == [str(counts[name]) for name in ("n11", "n10", "n01", "n00")]


def test_compare_eps_slider_recuts_the_robust_numbers_and_the_address(page, product):
    page.goto(product.compare)
    slider = page.get_by_role("slider").first
    expect(slider).to_be_visible()
    card = page.locator(".number").nth(4)
    expect(card).to_contain_text("25.5/255")
    before = card.inner_text()
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("eps="))
    expect(card).not_to_contain_text("25.5/255")
    assert card.inner_text() != before
    eps = re.search(r"eps=([^&]+)", page.url)
    assert eps is not None
    page.reload()
    expect(page.locator(".number").nth(4)).not_to_contain_text("25.5/255")
    dense, pruned = product.evaluations["cnn-dense"], product.evaluations["cnn-lwm-95"]
    response = product.get(f"/comparisons?dense={dense}&pruned={pruned}&eps={eps.group(1)}")
    held = response["robust"]["n11"] + response["robust"]["n01"]
    expect(page.locator(".number").nth(4)).to_contain_text(f"{100 * held / response['n']:.2f}")


def test_compare_delta_slider_flags_the_samples_of_the_rest_answer(page, product):
    page.goto(product.compare)
    slider = page.get_by_role("slider").nth(1)
    expect(page.locator("#compare-thin")).to_contain_text("precision")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("delta="))
    delta = re.search(r"delta=([\d.]+)/255", page.url)
    assert delta is not None
    dense, pruned = product.evaluations["cnn-dense"], product.evaluations["cnn-lwm-95"]
    samples = product.get(f"/comparisons/samples?dense={dense}&pruned={pruned}")["items"]
    held = [one for one in samples if one["set"] in ("S11", "S10")]
    thin = [
        one for one in held if one["dense_margin"] is not None and 255 * one["dense_margin"] <= float(delta.group(1))
    ]
    assert 0 < len(thin) < len(held)
    expect(page.locator("#compare-thin")).to_contain_text(f"{len(thin)} of the {len(held)} samples")
    lost = [one for one in thin if one["set"] == "S10"]
    shown = page.locator("#compare-wall .tile").count()  # thinnest first
    expect(page.locator("#compare-wall .is-thin")).to_have_count(min(len(lost), shown))


def test_compare_hover_shows_the_sample_of_the_mark(page, product):
    page.goto(product.compare)
    mark = page.locator("#compare-scatter .scatterlayer .trace .point").first
    expect(mark).to_be_attached()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    card = page.locator("#compare-hover")
    expect(card).to_be_visible()
    number = re.search(r"#(\d+)", card.inner_text())
    assert number is not None
    assert min(image_widths(page, "#compare-hover-image")) >= 28
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()


def test_samples_wall_leads_to_a_sample_and_arrows_walk_on(page, product):
    page.goto(product.compare.replace("/compare?", "/samples?") + "&set=S10")
    tiles = page.locator("a.tile")
    expect(tiles.first).to_be_visible()
    lost = lost_of(product)
    assert tiles.count() == len(lost)
    tiles.first.click()
    expect(page).to_have_url(re.compile(rf"index={lost[0]['index']}\b"))
    expect(page.locator("#sample-dense")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"index={lost[1]['index']}\b"))


def test_sample_without_its_adversarial_has_it_computed_again_while_the_page_is_open(page, product):
    """As an imported evaluation may come: the row says that one was found, and its image is not there."""
    evaluation = product.evaluations["cnn-dense"]
    rows = product.get(f"/evaluations/{evaluation}/margins")["items"]
    index = next(row["index"] for row in reversed(rows) if row["correct"] and row["found"])
    address = f"{product.address}/api/v1/evaluations/{evaluation}/samples/{index}/adversarial.npy"
    before = page.request.get(address).body()
    with closing(sqlite3.connect(product.home / "thinice.db", timeout=30)) as database, database:
        changed = database.execute(
            'UPDATE result SET shard = NULL, shard_row = NULL WHERE evaluation_id = ? AND "index" = ?',
            (evaluation.replace("-", ""), index),
        )
        assert changed.rowcount == 1
    assert page.request.get(address).status == 404
    pruned = product.evaluations["cnn-lwm-95"]
    page.goto(f"{product.address}/sample?dense={evaluation}&pruned={pruned}&index={index}")
    expect(page.locator("#sample-dense .sample-adversarial img")).to_be_visible(timeout=60_000)
    assert page.request.get(address).body() == before


@pytest.mark.parametrize("path", ADDRESSES)
def test_page_has_no_accessibility_violation_in_either_theme_and_fits_a_phone(page, product, path):
    page.goto(product.address + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_timeout(1500)  # plots and tables draw themselves after the first paint
    check_accessibility(page)
    page.get_by_role("button", name=re.compile("theme", re.I)).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")  # set by a callback
    page.wait_for_timeout(500)  # plots draw themselves again
    check_accessibility(page)
    page.set_viewport_size({"width": 400, "height": 850})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def check_accessibility(page):
    found = Axe().run(page).response["violations"]
    shown = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]
    assert shown == [], json.dumps(shown, indent=1)


def test_unknown_page_says_so_and_leads_back(page, product):
    page.goto(f"{product.address}/nowhere")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


def test_theme_toggle_is_kept_over_a_reload(page, product):
    page.goto(f"{product.address}/help")
    page.get_by_role("button", name=re.compile("theme", re.I)).click()
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == "dark"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
