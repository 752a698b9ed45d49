"""Delete on Jobs, in a real browser: the first press asks and says what goes with the job, the second deletes."""

import httpx2
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_delete_of_a_cancelled_evaluation_asks_first_and_says_what_goes_with_it(page, product):
    shown = product.get(f"/evaluations/{product.evaluations['cnn-dense']}")
    wish = {name: shown[name] for name in ("checkpoint_id", "dataset_id")} | {"samples": 10, "preset": "margin"}
    made = httpx2.post(f"{product.address}/api/v1/evaluations", json=wish, timeout=30).json()["id"]
    httpx2.post(f"{product.address}/api/v1/evaluations/{made}/cancel", timeout=30)
    page.goto(f"{product.address}/jobs")
    delete = page.locator(f"button[data-row='{made}']", has_text="elete")
    note = page.locator(f"#delete-note-{made}")
    expect(note).to_be_hidden()
    delete.click()
    expect(delete).to_have_text("Really delete?")
    expect(note).to_contain_text("This also deletes the margins")
    assert product.get("/evaluations?limit=200")["items"][0]["id"] == made
    delete.click()
    expect(page.locator(f"#jobs-name-{made}")).to_have_count(0)
    assert made not in [row["id"] for row in product.get("/evaluations?limit=200")["items"]]
