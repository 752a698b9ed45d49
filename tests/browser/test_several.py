"""Several checkpoints in a real browser: from Methods to the samples that two lose, and eight of them at any eps."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.benchmarks.compare_steps import serve
from tests.browser.large_pair import make_home

pytestmark = pytest.mark.browser
SAMPLES, NETWORKS = 2000, 8
LONGEST_TASK_MILLISECONDS = 600  # generous: two busy cores stretch every task
SLOWEST_STEP_MILLISECONDS = 600  # alone it takes a tenth of that
STEP = """async () => {
  const note = () => document.querySelector("#several-wall .card-note").textContent, before = note();
  const start = performance.now();
  const key = { key: "ArrowRight", code: "ArrowRight", bubbles: true };
  document.querySelector("#several-eps [role=slider]").dispatchEvent(new KeyboardEvent("keydown", key));
  while (note() === before && performance.now() - start < 5000) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""


def test_several_is_reached_from_methods_and_leads_to_samples(page: Page, product: Any) -> None:
    page.goto(f"{product.address}/methods")
    for name in ("cnn-lwm-95", "cnn-control"):
        box = page.get_by_role("checkbox", name=f"Choose {name}")
        box.focus()
        page.keyboard.press("Space")
        expect(box).to_have_attribute("aria-checked", "true")
    expect(page).to_have_url(re.compile("pick="))
    page.get_by_role("link", name="Compare the 2 chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("cnn-dense and 2 pruned checkpoints")
    expect(page.locator(".several-table tbody tr")).to_have_count(3)
    page.locator("#several-view").get_by_text("clean").click()
    cell = page.locator("#several-matrix .matrix-own .cell").last
    lost = cell.inner_text()
    cell.click()
    expect(page).to_have_url(re.compile(r"lost=by-2"))
    expect(page.locator("#several-wall .card-note")).to_contain_text(f"▼ {lost} without attack")
    expect(page.locator("#several-wall .tile")).to_have_count(min(18, int(lost)))
    address = page.url
    page.goto(address)
    expect(page.locator("#several-wall .card-note")).to_contain_text(f"▼ {lost} without attack")
    page.get_by_role("link", name="Open in Samples").click()
    expect(page).to_have_url(re.compile(r"/samples\?.*set=S10"))
    page.go_back()
    expect(page).to_have_url(address)
    page.locator(".several-table .sort-heading").first.click()
    expect(page.locator(".several-table [aria-sort=ascending]")).to_have_count(1)


def test_compare_leads_to_several_with_what_is_pruned_alike(page: Page, product: Any) -> None:
    page.goto(product.compare)
    page.get_by_role("link", name="Compare several").click()
    expect(page).to_have_url(re.compile(rf"/several\?.*pruned={product.evaluations['cnn-lwm-95']}.*view=robust"))
    expect(page.locator("#several-sentence")).to_contain_text("are lost by this checkpoint at ε")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("eight")
    query = make_home(folder, SAMPLES, NETWORKS)
    with serve(Path.cwd(), folder / "home") as address:
        yield address, query


def test_eight_checkpoints_are_cut_at_once_and_say_what_rest_says(chromium: Browser, made: tuple[str, str]) -> None:
    address, query = made
    page = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.goto(f"{address}/several?{query}&view=robust")
    expect(page.locator("#several-wall .tile").first).to_be_visible(timeout=120_000)
    expect(page.locator("#several-robust-levels .point").first).to_be_attached()
    page.wait_for_timeout(1500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/comparisons" in request.url else None)
    page.evaluate(
        "() => { window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach("
        "(entry) => window.tasks.push(entry.duration))).observe({ entryTypes: ['longtask'] }); }"
    )
    steps = [page.evaluate(STEP) for _ in range(6)]
    page.wait_for_timeout(1000)
    assert max(steps) < SLOWEST_STEP_MILLISECONDS, steps
    assert max(page.evaluate("() => window.tasks"), default=0) < LONGEST_TASK_MILLISECONDS
    assert not asked, "the columns came once"
    eps = parse_qs(urlsplit(page.url).query)["eps"][0]
    ids = dict(part.split("=") for part in query.split("&"))
    wanted = {"dense": ids["dense"], "pruned": ids["pruned"].split(","), "eps": eps}
    found = httpx2.get(f"{address}/api/v1/comparisons/several", params=wanted, timeout=60).json()
    counts = page.locator("#several-counts strong").all_inner_texts()
    assert counts == [f"{share['count']:,}" for share in reversed(found["robust"]["at_least"])]
    for row in found["pruned"]:
        line = page.locator(".several-table tr", has=page.locator(f"a[href$='{row['evaluation_id']}']")).first
        expect(line).to_contain_text(f"{row['robust']['n10']} / {row['robust']['n01']}")
    marks = page.evaluate(
        "() => document.querySelector('#several-robust-levels .js-plotly-plot').data.flatMap((one) => one.y)"
    )
    assert sorted(marks) == pytest.approx(sorted(100 * row["robust_accuracy"]["value"] for row in found["pruned"]))
    page.context.close()
