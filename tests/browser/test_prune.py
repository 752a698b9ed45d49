"""A researcher's way: prune the dense network on the page, follow the run, and find what it made."""

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.jobs.training_sets import TRAINING_IMAGES, write_images

pytestmark = pytest.mark.browser


def test_form_makes_a_checkpoint_whose_run_can_be_followed(page, product, tmp_path):
    path = write_images(tmp_path / "images.npz", 1000, TRAINING_IMAGES, change=1)
    form = {"name": "some-images", "default_eps": "25.5/255", "classes": ",".join(map(str, range(10)))}
    with path.open("rb") as file:
        response = httpx2.post(f"{product.address}/api/v1/datasets", data=form, files={"file": file}, timeout=60)
    assert response.status_code == 201, response.text
    dense = next(one for one in product.get("/checkpoints?limit=200")["items"] if one["name"] == "cnn-dense")
    page.goto(f"{product.address}/prune?parent={dense['id']}")
    expect(page.get_by_label("Name of the result")).to_have_attribute("placeholder", "cnn-dense-lwm-90")
    page.get_by_label("Total epochs").fill("1")
    page.get_by_label("Name of the result").fill("made-on-the-page")
    page.get_by_text("Settings of Lowest weight magnitude").click()
    page.get_by_label("global ranking").fill("1")
    expect(page.locator("main")).to_contain_text("over 1 epoch.")
    assert Axe().run(page).violations_count == 0
    page.get_by_role("button", name="Start pruning").click()
    page.get_by_role("link", name="Follow it").click()
    expect(page.locator("main")).to_contain_text("Claim: PGD-10", timeout=120_000)
    assert Axe().run(page).violations_count == 0
    expect(page.locator("main")).to_contain_text("global ranking 1")
    made = next(one for one in product.get("/checkpoints?limit=200")["items"] if one["name"] == "made-on-the-page")
    assert (made["origin"], made["parent_id"]) == ("pruned", dense["id"])
    assert made["measured_sparsity"] == pytest.approx(0.9, abs=1e-4)
    page.get_by_role("link", name="Open the checkpoint").click()
    expect(page.locator("main")).to_contain_text("pruned here")
    for one in product.get(f"/evaluations?checkpoint_id={made['id']}")["items"]:
        httpx2.post(f"{product.address}/api/v1/evaluations/{one['id']}/cancel", timeout=30)
