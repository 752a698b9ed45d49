"""Help in a real browser: the search reacts as one types, the keyboard reaches everything, old addresses lead on."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_search_answers_as_one_types_and_enter_opens_the_entry(page, product):
    page.goto(f"{product.address}/help")
    field = page.get_by_label("Search Help")
    expect(field).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "_dash-update" in request.url else None)
    field.press_sequentially("mask")
    results = page.locator(".help-results a")
    expect(results.first).to_have_attribute("href", "/help/flags#flag-masking")
    expect(page.get_by_role("status").filter(has_text="entries")).to_be_visible()
    expect(page.locator(".help-body")).to_be_hidden()
    assert asked == [], "the browser searches, not the server"
    field.press("Enter")
    expect(page).to_have_url(f"{product.address}/help/flags#flag-masking")
    expect(page.locator("#flag-masking")).to_have_class(re.compile("is-named"))
    expect(page.locator("#flag-masking")).to_be_in_viewport()
    expect(page.locator('.rail-link[aria-current="page"]')).to_have_text("Help")


def test_arrow_keys_walk_through_the_results_and_escape_clears_the_field(page, product):
    page.goto(f"{product.address}/help/glossary")
    field = page.get_by_label("Search Help")
    field.press_sequentially("margin")
    results = page.locator(".help-results a")
    expect(results.first).to_have_attribute("href", "/help/glossary#word-margin")
    expect(results.nth(1)).to_have_attribute("href", "/help/attacks#preset-margin")
    page.keyboard.press("ArrowDown")
    expect(results.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(results.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(page.locator(".help-body")).to_be_visible()
    field.press_sequentially("no such entry anywhere")
    expect(page.get_by_role("status").filter(has_text="No entry")).to_be_visible()


def test_result_on_the_same_page_is_shown_in_place_of_the_results(page, product):
    page.goto(f"{product.address}/help/glossary")
    field = page.get_by_label("Search Help")
    field.press_sequentially("snapshot")
    page.locator(".help-results a").first.click()
    expect(page).to_have_url(f"{product.address}/help/glossary#word-snapshot")
    expect(page.locator("#word-snapshot")).to_be_in_viewport()
    expect(field).to_have_value("")


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("flag-masking", "/help/flags#flag-masking"),
        ("word-slack-to-flip", "/help/glossary#word-slack-to-flip"),
        ("rules", "/help/protocol#section-4"),
    ],
)
def test_address_of_the_former_single_page_leads_on(page, product, former, present):
    page.goto(f"{product.address}/help#{former}")
    expect(page).to_have_url(product.address + present)
    expect(page.locator(f"#{present.partition('#')[2]}")).to_be_in_viewport()
