"""What stands around every page, in a real browser: keys, the bar of a phone, the way back, and news by one stream."""

import re

import httpx2
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_question_mark_lists_the_keys_on_every_page_and_escape_closes_the_list(page, product):
    for path, own in (("/", 0), ("/jobs", 0), (product.compare.replace("/compare", "/samples"), 1)):
        page.goto(path if path.startswith("http") else product.address + path)
        expect(page.locator("main h1")).to_be_visible()
        page.keyboard.press("?")
        expect(page.locator("dialog")).to_be_visible()
        expect(page.locator("dialog section[data-path]:visible")).to_have_count(own)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_hidden()


def test_g_and_a_letter_go_to_a_page_but_not_out_of_a_field(page, product):
    page.goto(f"{product.address}/upload")
    page.locator("main input:visible").first.press("g")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile("/upload"))
    page.locator("main h1").click()
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page).to_have_url(f"{product.address}/jobs")
    expect(page.locator("#rail-jobs")).to_have_attribute("aria-current", "page")


def test_back_finds_the_place_where_a_page_was_left(page, product):
    page.goto(product.compare)
    expect(page.locator("main .tile").first).to_be_visible()
    page.mouse.wheel(0, 320)
    page.wait_for_timeout(500)
    left = page.evaluate("window.scrollY")
    assert left > 300
    page.locator("#rail-jobs").click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    assert page.evaluate("window.scrollY") == 0
    page.go_back()
    expect(page.locator("main .tile").first).to_be_visible()
    page.wait_for_function("place => Math.abs(window.scrollY - place) < 60", arg=left)


@pytest.mark.parametrize(("name", "path"), [("compare", "/compare"), ("methods", "/methods"), ("samples", "/samples")])
def test_page_whose_address_lacks_something_comes_in_one_request_with_its_whole_address(page, product, name, path):
    page.goto(f"{product.address}/jobs")
    expect(page.locator("main h1")).to_be_visible()
    page.wait_for_timeout(1000)
    asked = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    page.locator(f"#rail-{name}").click()
    expect(page.locator("main h1")).not_to_have_text("Jobs")
    expect(page).to_have_url(re.compile(rf"{path}\?\w+="))
    assert sum('"output":"arrival.data"' in body for body in asked) == 1
    page.go_back()
    expect(page.locator("main h1")).to_have_text("Jobs")


def test_large_table_is_drawn_without_dash_and_its_links_stay_in_the_dashboard(page, product):
    page.goto(f"{product.address}/claims")
    names = page.locator("main .row-table tbody tr a")
    expect(names.first).to_be_visible()
    page.wait_for_timeout(1000)
    drawn = page.locator("main *").count()
    assert drawn > 300 and page.locator("[data-plain]").count() == 0
    mounted = """() => [...document.querySelectorAll('main *')]
      .filter(one => Object.keys(one).some(key => key.startsWith('__reactFiber'))).length"""
    assert page.evaluate(mounted) < 30
    page.evaluate("window.stayed = true; window.scrollTo(0, 600)")
    address = names.last.get_attribute("href")
    names.last.click()
    expect(page).to_have_url(product.address + address)
    assert page.evaluate("[window.stayed, window.scrollY]") == [True, 0]


def test_phone_has_a_labelled_bar_and_the_other_pages_behind_more(chromium, product):
    context = chromium.new_context(viewport={"width": 400, "height": 860})
    page = context.new_page()
    page.goto(product.address)
    expect(page.locator("main h1")).to_be_visible()
    assert page.locator(".rail .rail-link:visible").all_inner_texts() == [
        "Overview",
        "Compare",
        "Samples",
        "Jobs",
        "More",
    ]
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Claims").click()
    expect(page).to_have_url(f"{product.address}/claims")
    expect(page.locator("#rail-upload")).to_be_hidden()
    context.close()


def test_skip_link_leads_past_the_controls_to_the_first_sample(page, product):
    page.goto(product.compare)
    expect(page.locator("main .tile").first).to_be_attached()
    page.locator("body").press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the samples")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("Boolean(document.activeElement.closest('main .tile'))")


def test_word_says_what_it_means_under_the_pointer_and_by_key(page, product):
    page.goto(product.compare)
    heading = page.get_by_role("heading", name="Margins, dense and pruned")
    expect(heading).to_be_visible()
    page.wait_for_function("() => CSS.highlights.get('terms')?.size > 1")
    box = heading.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    expect(page.get_by_role("tooltip").filter(has_text="margin")).to_contain_text("smallest perturbation")
    page.keyboard.press("Escape")
    expect(page.locator(".term-tip")).to_have_count(0)
    page.keyboard.press("w")
    expect(page.get_by_role("dialog", name="Words on this page").get_by_role("link", name="thin ice")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_idle_overview_asks_nothing_and_is_told_by_one_stream(page, product):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(product.address)
    expect(page.locator("main h1")).to_be_visible()
    for _ in range(20):  # until what the page itself asks for is there
        before = len(asked)
        page.wait_for_timeout(3000)
        if len(asked) == before:
            break
    asked.clear()
    page.wait_for_timeout(8000)
    assert asked == []
    shown = product.get(f"/evaluations/{product.evaluations['cnn-dense']}")
    wish = {name: shown[name] for name in ("checkpoint_id", "dataset_id")} | {"samples": 20, "preset": "margin"}
    made = httpx2.post(f"{product.address}/api/v1/evaluations", json=wish | {"seed": 5}, timeout=30).json()["id"]
    expect(page.locator("#jobs-count")).to_have_text("1")
    httpx2.post(f"{product.address}/api/v1/evaluations/{made}/cancel", timeout=30)
    expect(page.locator("#jobs-count")).to_have_text("")
    assert len(asked) <= 6 and not [url for url in asked if "/live" in url]
