"""Tables and figures in a real browser: sorted and filtered by keyboard, and saved as they are shown."""

import csv
import io
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
TABLE = "#overview-checkpoints"


def read_names(page):
    return [text.split("\n")[0] for text in page.locator(f"{TABLE} tbody tr:visible th").all_inner_texts()]


def test_table_is_sorted_by_keyboard_up_down_and_back(page, product):
    page.goto(product.address)
    head = page.locator(f"{TABLE} th.is-sortable").first
    expect(head).to_be_visible()
    own = read_names(page)
    head.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert read_names(page) == sorted(own) != own
    head.press(" ")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert read_names(page) == sorted(own, reverse=True)
    head.press("Enter")
    expect(head).to_have_attribute("aria-sort", "none")
    assert read_names(page) == own


def test_table_is_filtered_while_typing_and_saved_as_it_is_shown(page, product):
    page.goto(product.address)
    field = page.get_by_role("searchbox", name="Filter the rows of: Checkpoints").first
    field.fill("harp 99")
    expect(page.locator(f"{TABLE} tbody tr:visible")).to_have_count(1)
    expect(page.locator(".table-tools", has=field)).to_contain_text(re.compile(r"1 of \d+ rows"))
    page.locator(".table-tools", has=field).get_by_text("Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "overview_checkpoints-and-their-evaluations.csv"
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(), newline="")))
    assert len(rows) == 2 and rows[0][0] == "Checkpoint" and rows[1][0].startswith("cnn-harp-99")
    page.locator(".table-tools", has=field).get_by_text("Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Parquet").click()
    assert download.value.suggested_filename == "overview_checkpoints-and-their-evaluations.parquet"
    (row,) = pq.read_table(download.value.path()).to_pylist()
    assert list(row) == rows[0] and row["Checkpoint"] == rows[1][0]


def test_figure_is_saved_with_the_cut_in_its_name_and_in_its_picture(page, product):
    page.goto(f"{product.compare}&eps=20/255")
    expect(page.locator("#compare-scatter .point").first).to_be_attached()
    bar = page.locator(".plot-tools").first
    bar.get_by_text("Save").click()
    with page.expect_download() as download:
        bar.get_by_role("button", name="SVG").click()
    name = download.value.suggested_filename
    assert name.startswith("compare_cnn-dense-vs-cnn-lwm-95_eps-20-255_") and name.endswith(".svg")
    drawn = Path(download.value.path()).read_text()
    assert "ε 20/255" in drawn and drawn.count('class="point') > 50
    bar.get_by_text("Save").click()
    with page.expect_download() as download:
        bar.get_by_role("button", name="PNG").click()
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_rows_keep_to_their_group_and_are_found_by_its_words(page, product):
    page.goto(f"{product.address}/methods")
    groups = page.locator(".family-card .group-row th")
    expect(groups.first).to_be_visible()
    before = groups.all_inner_texts()
    head = page.locator(".family-card th.is-sortable").first
    head.press("Enter")
    head.press("Enter")
    assert groups.all_inner_texts() == before
    page.get_by_role("searchbox", name="Filter the rows of: All checkpoints").fill("lwm 95 %")
    expect(groups.locator("visible=true")).to_have_count(1)
    expect(page.locator(".family-card tbody .checkpoint-name:visible")).to_have_text(["cnn-lwm-95"])
