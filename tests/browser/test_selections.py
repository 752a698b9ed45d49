"""Samples that are picked in Compare's pictures and tables are the same everywhere, and lead to exactly these."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from backend.schemas.comparisons import PairedSample
from backend.services.comparisons.selection import read_pick
from tests.browser.conftest import LARGE, LargePair
from tests.browser.test_compare_steps import open_compare, open_section
from tests.browser.test_review import check_accessibility

pytestmark = pytest.mark.browser
VISIBLE = """() => [...document.querySelectorAll('#compare-scatter .scatterlayer path.point')]
  .filter(one => one.style.visibility !== 'hidden').length"""


def drag(page: Page, mode: str, corners: list[tuple[float, float]]) -> None:
    """Draw over the scatter; corners as shares of its ground, from the upper left."""
    page.locator(f"#compare-tools [data-mode={mode}]").click()
    box = page.locator("#compare-scatter .nsewdrag").bounding_box()
    assert box is not None
    places = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def total_of(page: Page) -> int:
    """What the four sets hold."""
    values = page.locator(".number-button .number-value").all_inner_texts()
    return sum(int(text.replace(",", "")) for text in values)


def picked_of(page: Page, made: LargePair) -> list[dict[str, object]]:
    """The samples that the address of the page holds."""
    query = parse_qs(urlsplit(page.url).query)
    pick = read_pick(query["pick"][0])
    assert pick is not None
    eps = {"eps": query["eps"][0]} if "eps" in query else {}
    items = made.get("/samples", **eps)["items"]
    return [one for one in items if pick.holds(PairedSample.model_validate(one))]


def check_everywhere(page: Page, made: LargePair) -> int:
    """Numbers, chip and Samples hold what the address holds; how many that is."""
    expect(page).to_have_url(re.compile("pick="))
    count = len(picked_of(page, made))
    expect(page.locator("#compare-chips .chips-link")).to_have_text(re.compile(rf"Open {count:,} samples? in Samples"))
    assert total_of(page) == count > 0
    page.locator("#compare-chips .chips-link").click()
    expect(page.locator("#samples-sentence strong")).to_have_text(f"{count:,} of {LARGE:,}")
    page.go_back()
    expect(page.locator("#compare-chips .chip").first).to_be_visible()
    return count


def test_box_in_the_scatter_picks_ranges_of_margins_until_its_chip_is_removed(large: Page, made: LargePair) -> None:
    open_compare(large, made)
    before = total_of(large)
    drag(large, "box", [(0.2, 0.5), (0.5, 0.9)])
    count = check_everywhere(large, made)
    assert "dense_" in large.url and "rows_" not in large.url
    large.wait_for_function(f"count => ({VISIBLE})() === count", arg=count)
    expect(large.locator("#compare-scope")).to_contain_text(f"cover these {count:,} samples")
    expect(large.locator(".headline")).to_contain_text(f"Of all {LARGE:,} samples")
    large.locator("#compare-chips .chip").first.click()
    expect(large.locator("#compare-chips")).to_be_hidden()
    assert total_of(large) == before == LARGE


def test_box_over_a_gutter_holds_all_of_the_gutter(large: Page, made: LargePair) -> None:
    open_compare(large, made)
    drag(large, "box", [(0.15, 0.5), (0.7, 0.999)])
    check_everywhere(large, made)
    wrong = [one for one in picked_of(large, made) if one["pruned_margin"] == 0]
    assert wrong and "pruned_wrong_" in large.url


def test_lasso_of_500_and_more_samples_travels_in_the_address(large: Page, made: LargePair) -> None:
    open_compare(large, made)
    drag(large, "lasso", [(0.1, 0.05), (0.95, 0.05), (0.95, 0.95), (0.1, 0.95)])
    count = check_everywhere(large, made)
    assert count > 500 and "rows_" in large.url
    expect(large.locator("#compare-chips .chip").first).to_contain_text(f"{count:,} selected in the scatter")
    large.reload()
    expect(large.locator("#compare-chips .chip").first).to_contain_text(f"{count:,} selected in the scatter")
    tile = large.locator("#compare-wall .tile").first
    expect(tile).to_be_visible()
    tile.click()
    expect(large.locator("#sample-dense")).to_be_visible()


@pytest.mark.parametrize("view", ["clean", "robust"])
def test_cells_and_bars_pick_as_many_samples_as_they_show(large: Page, made: LargePair, view: str) -> None:
    open_compare(large, made, f"&view={view}", "prediction", "margins")
    for name, table in (("prediction", "share"), ("margins", "histogram")):
        section = large.locator(f"#compare-{name}-body .as-table").first
        section.locator("summary").click()
        cell = large.locator(f"#compare-{table}-table .cell").nth(3)
        count = int(cell.inner_text().replace(",", ""))
        cell.click()
        expect(large).to_have_url(re.compile("pick="))
        href = large.locator("#compare-chips .chips-link")
        expect(href).to_have_text(re.compile(rf"Open {count:,} samples? in Samples"))
        large.keyboard.press("Escape")
        expect(large.locator("#compare-chips")).to_be_hidden()
    bars = large.locator("#compare-histogram .barlayer .point path")
    bars.first.scroll_into_view_if_needed()
    large.wait_for_timeout(500)
    heights = bars.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    box = bars.nth(heights.index(max(heights))).bounding_box()
    assert box is not None
    press(large, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    check_everywhere(large, made)


def press(page: Page, x: float, y: float) -> None:
    """A click on a mark of Plotly's, which has to be under the pointer first."""
    page.mouse.move(x, y, steps=3)
    page.wait_for_timeout(500)
    page.mouse.click(x, y)


def test_bar_of_a_class_is_its_filter_and_governs_numbers_sentence_and_wall(large: Page, made: LargePair) -> None:
    open_compare(large, made, "&view=robust", "classes")
    bar = large.locator("#compare-classes .barlayer .point").first
    bar.scroll_into_view_if_needed()
    large.wait_for_timeout(500)
    box = bar.bounding_box()
    assert box is not None
    press(large, box["x"] + 8, box["y"] + box["height"] / 2)
    expect(large).to_have_url(re.compile(r"class=\d"))
    label = int(parse_qs(urlsplit(large.url).query)["class"][0])
    samples = [one for one in made.get("/samples")["items"] if one["label"] == label]
    lost = sum(one["robust_set"] == "S10" for one in samples)
    held = sum(one["robust_set"] in ("S10", "S11") for one in samples)
    assert total_of(large) == len(samples)
    expect(large.locator("#compare-headline")).to_contain_text(f"loses ▼ {lost} of {held} samples (class")
    expect(large.locator("#compare-wall-head .card-note")).to_have_text(f"▼ {lost}")


def test_link_to_an_anchor_opens_its_section_and_no_other(large: Page, made: LargePair) -> None:
    large.goto(f"{made.address}/compare?{made.query}#controls")
    expect(large.locator("#compare-controls table, #compare-controls p").first).to_be_visible(timeout=120_000)
    assert large.locator("[data-section][open]").count() == 1
    for name in ("prediction", "margins", "classes", "replay", "table", "notes"):
        assert large.locator(f"#compare-{name}-body > *").count() == 0
    open_section(large, "notes")
    expect(large.locator("#compare-notes li").first).to_be_visible()


def test_lost_marks_and_lost_images_stand_above_the_fold(large: Page, made: LargePair) -> None:
    large.set_viewport_size({"width": 1440, "height": 900})
    open_compare(large, made)
    large.wait_for_timeout(1000)
    picture = large.locator("#compare-scatter").bounding_box()
    assert picture is not None and picture["height"] <= 460
    lost = large.locator("#compare-scatter .scatterlayer .trace").last.locator(".point")
    places = lost.evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    assert places and max(places) < 900
    image = large.locator("#compare-wall .tile img").first.bounding_box()
    assert image is not None and image["y"] + image["height"] < 900


def test_opened_sections_and_picked_samples_are_accessible_in_both_themes(large: Page, made: LargePair) -> None:
    names = ("prediction", "controls", "margins", "classes", "replay", "table", "notes")
    open_compare(large, made, "&view=robust&class=1&pick=dense_0_60/255", *names)
    for table in large.locator(".as-table > summary").all():
        table.click()
    expect(large.locator("#compare-share-table .cell").first).to_be_visible()
    large.wait_for_timeout(1500)
    check_accessibility(large)
    large.get_by_role("button", name=re.compile("theme", re.I)).click()
    large.wait_for_timeout(1500)
    check_accessibility(large)
    large.set_viewport_size({"width": 400, "height": 850})
    large.wait_for_timeout(1000)
    assert large.evaluate("document.documentElement.scrollWidth") <= 400
