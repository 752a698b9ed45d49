"""Compare cuts 2,000 samples in the browser: it shows what REST says, and touches nothing else on the page."""

import math
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LargePair

pytestmark = pytest.mark.browser
STEPS = 12
# Generous: two busy cores stretch every task. Where Plotly or Dash draw again, one takes seconds.
LONGEST_TASK_MILLISECONDS = 600
# Every element that Dash made, but for those that the scripts fill, carries a mark; a remount loses it.
MARK = """() => {
  const own = "#compare-numbers, #compare-wall, #compare-wall-head, #compare-scope, .headline, #compare-thin, "
    + "#compare-predictive, #compare-controls, #compare-notes, #compare-downloads, #compare-table, #compare-chips, "
    + "#compare-share-note, #compare-classes-note, .as-table";
  const kept = [...document.querySelectorAll("#compare *")].filter(
    (element) => !element.closest(own) && !element.closest("svg") && !element.closest("[data-portal]"));
  window.kept = kept;
  window.cards = [...document.querySelectorAll("#compare-numbers > *")];
  window.marks = [...document.querySelectorAll("#compare-scatter .scatterlayer .trace path.point")];
  window.tasks = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.tasks.push(entry.duration)))
    .observe({ entryTypes: ["longtask"] });
  return [kept.length, window.marks.length];
}"""
LOST = "() => [window.kept, window.cards, window.marks].map((all) => all.filter((one) => !one.isConnected).length)"


def open_compare(page: Page, made: LargePair, more: str = "", *sections: str) -> None:
    page.goto(f"{made.address}/compare?{made.query}{more}")
    expect(page.locator("a.tile").first).to_be_visible(timeout=120_000)
    expect(page.locator("#compare-scatter .scatterlayer .trace path.point").first).to_be_attached()
    expect(page.locator("#compare-rest")).to_contain_text("AUROC")
    for name in sections:
        open_section(page, name)
    page.evaluate("() => window.scrollTo(0, 0)")


def open_section(page: Page, name: str) -> None:
    page.locator(f"[data-section={name}] > summary").click()
    expect(page.locator(f"#compare-{name}-body > *").first).to_be_visible()


def press_right(page: Page, times: int) -> None:
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(times):
        page.keyboard.press("ArrowRight")


def eps_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["eps"][0]


def check_against_rest(page: Page, made: LargePair, view: str) -> None:
    """Every number that the browser counted, at the eps of the address."""
    eps = eps_of(page)
    found = made.get("", eps=eps)
    counts = found["clean"] if view == "clean" else found["robust"]
    cards = page.locator("#compare-numbers > *")
    expect(cards.nth(4)).to_contain_text(f"at {found['eps_text']}")
    values = [text.replace(",", "") for text in page.locator(".number-value").all_inner_texts()]
    assert values[:4] == [str(counts[name]) for name in ("n11", "n10", "n01", "n00")]
    held = [100 * (one["n11"] + one["n01"]) / found["n"] for one in (found["clean"], found["robust"])]
    assert re.sub(r"\s+", " ", values[4]) == f"{held[0]:.2f} / {held[1]:.2f} %"
    lost = found["negative_flip_rate"] if view == "clean" else found["robust_statistics"]["negative_flip_rate"]
    interval = f"[{100 * lost['interval']['low']:.2f}, {100 * lost['interval']['high']:.2f}]"
    expect(cards.nth(1)).to_contain_text(f"{100 * lost['value']:.2f} % of {lost['n']:,} {interval}")
    key = "set" if view == "clean" else "robust_set"
    samples = [one for one in made.get("/samples", eps=eps)["items"] if one[key] == "S10"]
    samples.sort(key=lambda one: (math.inf if one["dense_margin"] is None else one["dense_margin"], one["index"]))
    expect(page.locator("#compare-wall-head h2 .card-note")).to_have_text(f"▼ {len(samples):,}")
    shown = page.locator("#compare-wall .tile").evaluate_all("all => all.map(one => Number(one.dataset.sample))")
    assert shown == [one["index"] for one in samples[: len(shown)]] and min(6, len(samples)) <= len(shown) <= 16
    drawn = page.evaluate(
        "() => [...document.querySelectorAll('#compare-scatter .scatterlayer path.point')].filter("
        "one => one.style.visibility !== 'hidden' && one.getAttribute('d').startsWith('M-') "
        "&& /V|L0,[\\d]/.test(one.getAttribute('d'))).length"
    )
    assert drawn == len(samples), "lost marks point down"
    label = page.locator("#compare-curve .annotation text").nth(0).text_content() or ""
    dense = found["robust"]["n11"] + found["robust"]["n10"]
    assert label == f"dense {100 * dense / found['n']:.2f} %"


@pytest.mark.parametrize("view", ["clean", "robust"])
def test_numbers_on_the_page_are_those_of_the_rest_answer_at_every_eps(large: Page, made: LargePair, view: str) -> None:
    open_compare(large, made, f"&view={view}", "prediction", "margins")
    for steps in (1, 7, 20):
        press_right(large, steps)
        expect(large.locator("#compare-bar output").first).to_have_text(re.compile(r"/255"))
        large.wait_for_timeout(1000)
        check_against_rest(large, made, view)
    expect(large.locator("[data-updating]")).to_have_count(0)
    population = made.get("", eps=eps_of(large))["robust_statistics"]["population"]
    expect(large.locator("#compare-predictive")).to_contain_text(f"lost of the {population:,} that hold")


def test_compare_opens_cold_with_few_requests_and_bytes(large: Page, made: LargePair) -> None:
    session = large.context.new_cdp_session(large)
    session.send("Network.enable")
    asked, sizes = [], []
    session.on("Network.requestWillBeSent", lambda sent: asked.append(sent["request"]["url"]))
    session.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
    open_compare(large, made)
    large.wait_for_timeout(2000)
    assert len([url for url in asked if not url.startswith("data:")]) <= 40
    assert 500_000 < sum(sizes) <= 2_500_000
    assert not [url for url in asked if "dash_ag_grid" in url], "the table of samples is folded"
    open_section(large, "table")
    expect(large.locator("#compare-table .ag-row").first).to_be_attached()


def test_anchor_opens_its_section_and_keeps_it_in_sight(large: Page, made: LargePair) -> None:
    open_compare(large, made, "#table")
    expect(large.locator("#compare-table .ag-row").first).to_be_attached()
    large.wait_for_function("() => document.querySelector('[data-section=table]').getBoundingClientRect().top < 400")
    press_right(large, 1)
    expect(large).to_have_url(re.compile(r"eps=.*#table$"))


@pytest.mark.parametrize("view", ["clean", "robust"])
def test_eps_steps_remount_nothing_and_ask_the_server_once(large: Page, made: LargePair, view: str) -> None:
    open_compare(large, made, f"&view={view}", "prediction", "controls", "margins", "table", "notes")
    expect(large.locator("#compare-table .ag-row").first).to_be_attached()
    expect(large.locator("#compare-predictive table")).to_be_visible()
    large.wait_for_timeout(3000)
    elements, marks = large.evaluate(MARK)
    assert elements > 100 and marks > 1500
    asked: list[str] = []
    large.on("request", lambda request: asked.append(request.url) if "/samples/" not in request.url else None)
    press_right(large, STEPS)
    expect(large).to_have_url(re.compile("eps="))
    expect(large.locator("[data-updating]")).to_have_count(0)
    large.wait_for_timeout(500)
    assert large.evaluate(LOST) == [0, 0, 0]
    cuts = [url for url in asked if "_dash-update-component" in url]
    assert len(cuts) <= 2 * STEPS and not [url for url in asked if "/comparisons" in url]
    tasks = large.evaluate("() => window.tasks")
    assert max(tasks, default=0) < LONGEST_TASK_MILLISECONDS, tasks


def test_tile_class_and_address_filter_the_same_samples(large: Page, made: LargePair) -> None:
    open_compare(large, made)
    lost = made.get("")["clean"]["n10"]
    tile = large.locator(".number-button").nth(1)
    tile.focus()
    large.keyboard.press("Enter")
    expect(large).to_have_url(re.compile("set=S10"))
    expect(tile).to_have_attribute("aria-pressed", "true")
    expect(tile).to_be_focused()
    visible = "() => [...document.querySelectorAll('#compare-scatter .scatterlayer path.point')]"
    visible += ".filter(one => one.style.visibility !== 'hidden').length"
    large.wait_for_function(f"count => ({visible})() === count", arg=lost)
    large.go_back()
    expect(tile).to_have_attribute("aria-pressed", "false")
    large.wait_for_function(f"count => ({visible})() > count", arg=10 * lost)


def test_export_of_the_scatter_shows_the_cut(large: Page, made: LargePair, tmp_path: Path) -> None:
    open_compare(large, made, "&view=robust&eps=30/255&set=S10")
    large.wait_for_timeout(1500)
    tools = large.locator(".plot-tools", has=large.get_by_label(re.compile("Save: .*margin", re.I))).first
    tools.get_by_text("Save").click()
    with large.expect_download() as started:
        tools.get_by_role("button", name="SVG").click()
    started.value.save_as(tmp_path / "scatter.svg")
    lost = [one for one in made.get("/samples", eps="30/255")["items"] if one["robust_set"] == "S10"]
    marks = re.findall(r'<path class="point[^>]*>', (tmp_path / "scatter.svg").read_text(encoding="utf-8"))
    assert len([mark for mark in marks if "visibility: hidden" not in mark]) == len(lost) < len(marks)


def test_zoom_survives_a_step(large: Page, made: LargePair) -> None:
    open_compare(large, made, "&view=robust")
    large.wait_for_timeout(1500)
    box = large.locator("#compare-scatter .nsewdrag").bounding_box()
    assert box is not None
    large.mouse.move(box["x"] + 100, box["y"] + 100)
    large.mouse.down()
    large.mouse.move(box["x"] + 300, box["y"] + 300, steps=5)
    large.mouse.up()
    span = "() => document.querySelector('#compare-scatter .js-plotly-plot')._fullLayout.xaxis.range.slice()"
    large.wait_for_timeout(800)
    before = large.evaluate(span)
    press_right(large, 3)
    large.wait_for_timeout(1500)
    assert large.evaluate(span) == before and before[1] - before[0] < 40
    assert f"compare?{made.query}" in large.url, "a drag opens no sample"


def test_samples_without_a_distance_stay_in_sight_when_the_scatter_is_zoomed(large: Page, made: LargePair) -> None:
    open_compare(large, made)
    large.wait_for_timeout(1500)
    in_sight = """() => {
      const ground = document.querySelector('#compare-scatter .nsewdrag').getBoundingClientRect();
      const marks = document.querySelectorAll('#compare-scatter .scatterlayer .trace:last-child path.point');
      return [...marks].map(one => one.getBoundingClientRect()).filter(box => box.width && box.left >= ground.left - 9
        && box.right <= ground.right + 9 && box.top >= ground.bottom - 30).length;
    }"""
    lost = large.evaluate(in_sight)
    box = large.locator("#compare-scatter .nsewdrag").bounding_box()
    assert box is not None and lost > 50, "the lost ones are wrong on the pruned side"
    large.mouse.move(box["x"] + 60, box["y"] + 60)
    large.mouse.down()
    large.mouse.move(box["x"] + 400, box["y"] + 200, steps=5)
    large.mouse.up()
    large.locator("#compare-scatter .strips rect").first.wait_for()
    large.wait_for_timeout(1000)
    assert 20 < large.evaluate(in_sight) < lost
    large.mouse.dblclick(box["x"] + 200, box["y"] + 100)
    expect(large.locator("#compare-scatter .strips")).to_have_count(0)
    large.wait_for_function(f"count => ({in_sight})() === count", arg=lost)
