"""Tables that sort by their headings and find rows, by keyboard."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def names(page: Page) -> list[str]:
    return page.locator(".claims-table-card tbody tr:visible .checkpoint-name").all_inner_texts()


def test_claims_sort_by_a_heading_and_find_rows_by_keyboard(page: Page, product: Any) -> None:
    page.goto(f"{product.address}/claims")
    heading = page.get_by_role("button", name="Claimed → re-evaluated (%)")
    expect(heading).to_be_visible()
    before = names(page)
    assert len(before) > 20
    heading.focus()
    page.keyboard.press("Enter")
    column = page.locator(".claims-table-card th", has=heading)
    expect(column).to_have_attribute("aria-sort", "ascending")
    figures = page.locator(".claims-table-card .db-figures").all_inner_texts()
    claimed = [float(text.split("→")[0]) for text in figures]
    assert claimed == sorted(claimed)
    page.keyboard.press("Enter")
    expect(column).to_have_attribute("aria-sort", "descending")
    field = page.get_by_label("Find rows: Claims and their re-evaluations")
    field.focus()
    page.keyboard.type("harp 95")
    expect(page.locator(".claims-table-card .table-found")).to_have_text(f"1 of {len(before)} rows")
    assert names(page) == ["cnn-harp-95"]
    field.fill("")
    assert sorted(names(page)) == sorted(before)


def test_methods_keeps_rows_in_their_groups_when_it_sorts(page: Page, product: Any) -> None:
    page.goto(f"{product.address}/methods")
    groups = page.locator(".family-card .group-row th")
    expect(groups.first).to_be_visible()
    before = groups.all_inner_texts()
    page.locator(".family-card .sort-heading").first.click()
    page.locator(".family-card .sort-heading").first.click()
    assert groups.all_inner_texts() == before
    page.get_by_label("Find rows: All checkpoints of the family").fill("lwm 95 %")
    expect(groups.locator("visible=true")).to_have_count(1)
    expect(page.locator(".family-card tbody .checkpoint-name:visible")).to_have_text(["cnn-lwm-95"])
