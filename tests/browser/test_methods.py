"""The Methods page in a real browser: its controls go into the address, its marks lead to what they are of."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_methods_controls_recut_the_page_and_the_back_button_restores_it(page, product):
    page.goto(product.address)
    page.get_by_role("link", name="Methods").click()
    expect(page).to_have_url(re.compile("family="))
    expect(page.locator(".answer-word")).to_have_count(3)
    field = page.get_by_label("ε", exact=True)
    field.fill("12/255")
    field.press("Enter")
    expect(page).to_have_url(re.compile("eps=12/255"))
    expect(page.locator(".context")).to_contain_text("ε 12/255")
    page.go_back()
    expect(page.locator(".context")).to_contain_text("ε 25.5/255")
    page.get_by_role("textbox", name="Method in question").click()
    page.get_by_role("option", name="lwm", exact=True).click()
    expect(page.get_by_role("heading", name="Does lwm lose fewer samples?")).to_be_visible()


def test_methods_marks_and_figures_lead_to_what_they_are_of(page, product):
    page.goto(f"{product.address}/methods")
    row = page.locator(".family-card tr", has_text="cnn-lwm-95")
    expect(row.locator(f"a[href*='{product.evaluations['cnn-lwm-95']}']").first).to_be_visible()
    mark = page.locator(".panels > div").nth(2).locator(".point").first
    expect(mark).to_be_visible()
    page.wait_for_timeout(1500)  # the other panels draw themselves, and the page may still move
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile(rf"/compare\?.*pruned={product.evaluations['cnn-lwm-95']}"))


def test_chosen_ones_of_the_address_and_those_ticked_since_are_opened_together(page, product):
    page.goto(f"{product.address}/methods?pick={product.evaluations['cnn-lwm-95']}")
    expect(page.get_by_role("link", name="Show the chosen one")).to_be_visible()
    page.get_by_role("checkbox", checked=False).first.click()
    page.get_by_role("link", name="Compare the 2 chosen").click()
    expect(page).to_have_url(re.compile(r"/several\?"))
    assert len(parse_qs(urlsplit(page.url).query)["pruned"][0].split(",")) == 2
    page.go_back()
    expect(page).to_have_url(re.compile(r"/methods\?"))
