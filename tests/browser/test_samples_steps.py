"""Samples shows 2,000 samples in a wall that holds only what is in sight, and every step is answered at once."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LARGE, LargePair

pytestmark = pytest.mark.browser
# Generous: two busy cores stretch every task. Where Dash builds the wall, one takes seconds.
LONGEST_TASK_MILLISECONDS = 400
MOST_TILES = 150
WATCH = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.tasks.push(entry.duration)))
    .observe({ entryTypes: ["longtask"] });
}"""
SHOWN = "all => all.map(one => Number(one.dataset.sample))"
IN_SIGHT = """() => [...document.querySelectorAll('#samples-wall .wall-item')].filter(one => {
  const box = one.getBoundingClientRect();
  return box.bottom > 0 && box.top < window.innerHeight;
}).map(one => Number(one.getAttribute('aria-posinset')))"""


def open_samples(page: Page, made: LargePair, more: str = "") -> None:
    page.goto(f"{made.address}/samples?{made.query}{more}")
    expect(page.locator("#samples-wall .tile").first).to_be_visible(timeout=120_000)
    page.evaluate(WATCH)


def check_tasks(page: Page) -> None:
    tasks = page.evaluate("() => window.tasks")
    assert max(tasks, default=0) < LONGEST_TASK_MILLISECONDS, tasks
    assert page.locator("#samples-wall .tile").count() < MOST_TILES


def test_eps_steps_chips_and_orders_are_cut_without_the_server(large: Page, made: LargePair) -> None:
    open_samples(large, made)
    asked: list[str] = []
    large.on("request", lambda request: asked.append(request.url) if ".png" not in request.url else None)
    slider = large.get_by_role("slider").first
    slider.focus()
    for _ in range(12):
        large.keyboard.press("ArrowRight")
    expect(large).to_have_url(re.compile("eps="))
    eps = re.search(r"eps=([^&]+)", large.url)
    assert eps is not None
    found = made.get("", eps=eps.group(1))
    chip = large.locator("[data-focus='robust-S10']")
    expect(chip).to_contain_text(f"{found['robust']['n10']:,}")
    chip.click()
    expect(large.locator("#samples-sentence strong")).to_have_text(f"{found['robust']['n10']:,} of {LARGE:,}")
    large.get_by_role("button", name="biggest drop").click()
    expect(large).to_have_url(re.compile("sort=drop"))
    lost = [one for one in made.get("/samples", eps=eps.group(1))["items"] if one["robust_set"] == "S10"]
    measured = [one for one in lost if one["dense_margin"] is not None and one["pruned_margin"] is not None]
    worst = max(measured, key=lambda one: one["dense_margin"] - one["pruned_margin"])
    first = large.locator("#samples-wall .tile").first
    expect(first).to_have_attribute("data-sample", str(worst["index"]))
    check_tasks(large)
    assert not [url for url in asked if "/comparisons" in url]
    large.reload()
    expect(large.locator("#samples-wall .tile").first).to_have_attribute("data-sample", str(worst["index"]))


def test_wall_of_any_number_holds_what_is_in_sight_and_its_rows_have_one_height(large: Page, made: LargePair) -> None:
    open_samples(large, made, "&sort=index")
    heights = set()
    for share in (0, 0.3, 0.7, 1):
        large.evaluate("share => window.scrollTo(0, share * document.documentElement.scrollHeight)", share)
        large.wait_for_timeout(300)
        places = large.evaluate(IN_SIGHT)
        assert len(places) >= 9 and places == list(range(places[0], places[0] + len(places)))
        heights |= set(
            large.locator("#samples-wall .wall-item").evaluate_all("all => all.map(one => one.offsetHeight)")
        )
    assert places[-1] == LARGE and len(heights) == 1
    large.evaluate("() => window.scrollTo(0, 0)")
    check_tasks(large)


def test_keys_walk_the_wall_and_enter_opens_a_sample(large: Page, made: LargePair) -> None:
    open_samples(large, made, "&sort=index")
    place = "() => Number(document.activeElement.parentElement.getAttribute('aria-posinset'))"
    columns = len({one["x"] for one in large.locator("#samples-wall .wall-item").evaluate_all(
        "all => all.slice(0, 20).map(one => ({ x: one.getBoundingClientRect().x }))")})  # fmt: skip
    large.locator("#samples-wall [tabindex='0']").focus()
    for key, expected in (("ArrowRight", 2), ("ArrowDown", 2 + columns), ("ArrowLeft", 1 + columns), ("End", LARGE)):
        large.keyboard.press(key)
        assert large.evaluate(place) == expected, key
    assert LARGE in large.evaluate(IN_SIGHT)
    assert large.locator("#samples-wall .wall-item [tabindex='0']").count() == 1
    item = large.locator(f"#samples-wall [aria-posinset='{LARGE}']")
    expect(item).to_have_attribute("aria-setsize", str(LARGE))
    large.keyboard.press("Home")
    large.keyboard.press("ArrowRight")
    large.keyboard.press("Enter")
    expect(large).to_have_url(re.compile(r"/sample\?.*index=1\b"))


def test_back_restores_the_place_in_the_wall(large: Page, made: LargePair) -> None:
    open_samples(large, made)
    large.evaluate("() => window.scrollTo(0, 9000)")
    large.wait_for_timeout(300)
    before = large.evaluate(IN_SIGHT)
    large.locator(f"#samples-wall [aria-posinset='{before[-1]}'] a").evaluate("one => one.click()")
    expect(large.locator("#sample-dense")).to_be_visible()
    assert large.evaluate("() => window.scrollY") < 9000
    large.go_back()
    large.wait_for_function("() => window.location.pathname === '/samples' && Math.abs(window.scrollY - 9000) < 2")
    large.wait_for_timeout(1500)
    assert large.evaluate(IN_SIGHT) == before


def test_filters_that_leave_nothing_say_so_and_lead_back(large: Page, made: LargePair) -> None:
    open_samples(large, made)
    large.evaluate("() => thinice.go({ pick: 'rows_' }, false)")
    expect(large.get_by_text("No sample matches the filters.")).to_be_visible()
    expect(large.locator("#samples-wall .tile")).to_have_count(0)
    large.get_by_role("button", name="Show all samples").click()
    expect(large.locator("#samples-sentence strong")).to_have_text(f"all {LARGE:,}")
