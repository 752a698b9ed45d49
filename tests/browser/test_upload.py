"""An engineer's way: drop a checkpoint on the page, see what it is, watch its job, read the record."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
import torch
from playwright.sync_api import expect
from safetensors.torch import load_file

from tests.jobs.test_importing import rewrite

pytestmark = pytest.mark.browser
ZOO = Path(__file__).parents[2] / "models" / "zoo"


def test_upload_of_a_wrapped_state_dict_shows_what_it_is_and_runs_its_job(page, product, tmp_path):
    state = load_file(ZOO / "cnn-lwm-80.safetensors")
    file = tmp_path / "my-pruned.pth"
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, file)
    page.goto(f"{product.address}/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_label("Name")).to_have_value("my-pruned")
    page.get_by_role("textbox", name="Parent (dense)").click()
    page.get_by_role("option", name=re.compile(r"^cnn-dense\b(?!-)")).first.click()
    page.get_by_label("Declared sparsity").fill("80")
    page.get_by_role("button", name="Import the checkpoint").click()
    expect(page.locator("main")).to_contain_text("small-cnn", timeout=60_000)
    expect(page.locator("main")).to_contain_text("80.00")
    uploaded = next(one for one in product.get("/checkpoints?limit=200")["items"] if one["name"] == "my-pruned")
    assert uploaded["measured_sparsity"] == pytest.approx(0.8, abs=1e-4)

    page.goto(f"{product.address}/jobs")
    row = page.locator("main").get_by_text("my-pruned").first
    expect(row).to_be_visible()
    evaluation = product.get(f"/evaluations?checkpoint_id={uploaded['id']}")["items"][0]
    page.goto(f"{product.address}/jobs?evaluation={evaluation['id']}")
    expect(page.locator("main")).to_contain_text(uploaded["weights_sha256"][:12])
    product_cancel = page.request.post(f"{product.address}/api/v1/evaluations/{evaluation['id']}/cancel")
    assert product_cancel.status in (200, 409), product_cancel.text()


def test_upload_of_what_is_no_checkpoint_keeps_the_form_and_says_why(watched, product, tmp_path):
    page = watched.page
    file = tmp_path / "notes.pt"
    file.write_text("these are notes, not weights")
    page.goto(f"{product.address}/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_label("Name")).to_have_value("notes")
    page.get_by_role("button", name="Import the checkpoint").click()
    expect(page.locator("main")).to_contain_text("unreadable_checkpoint", timeout=60_000)
    expect(page.get_by_label("Name")).to_have_value("notes")
    refused = [trouble for trouble in watched.troubles if "422" in trouble]
    assert refused
    watched.troubles.clear()  # the refusal is the point of this test


def test_upload_of_a_bundle_says_what_it_holds_verifies_it_and_leads_to_the_comparison(page, product, tmp_path):
    evaluation = product.evaluations["cnn-lwm-95"]
    file = tmp_path / "one.thinice"
    file.write_bytes(page.request.get(f"{product.address}/api/v1/bundles?evaluation={evaluation}").body())
    new = rewrite(file, tmp_path / "new.thinice", id=uuid4())
    page.goto(f"{product.address}/upload?kind=bundle")
    page.locator("input[type=file]").first.set_input_files(new)
    expect(page.locator("main")).to_contain_text("To verify: 150 predictions", timeout=60_000)
    expect(page.get_by_role("region", name="Evaluations in the bundle")).to_contain_text("will be verified")
    page.get_by_role("button", name="Verify and import").click()
    expect(page.locator("main")).to_contain_text("verified: 150 of 150 predictions", timeout=60_000)
    page.locator("main").get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile(r"/compare\?dense="))
