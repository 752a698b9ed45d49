"""How long a step on Compare and Samples takes in a real browser: `python -m tests.benchmarks.compare_steps --help`.

A home with a made-up pair, a server on it, a Chromium in front. Times are from the key press; a task is what keeps the
browser from answering, and its length is that of the browser's own record of long tasks (from 50 ms on). Other work on
the machine adds to all of them, so the load is printed too.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, find_chromium, serve
from tests.browser.large_pair import make_home

# By page, the panels that a cut decides and those that follow from the server; the first one of all is the "numbers".
PANELS = {
    "compare": (
        ("numbers", "scatter", "curve", "histogram", "wall", "table", "downloads", "thin", "eps-text", "chips"),
        ("predictive", "controls", "notes", "headline", "rest", "replay", "share", "classes"),
    ),
    "samples": (("sentence", "chips", "wall", "list", "sort", "eps-text"), ()),
}
SECTIONS = ("prediction", "controls", "margins", "table")  # of Compare, folded
QUIET_MILLISECONDS = 1500
WATCH = """([page, cut, rest]) => {
  window.seen = { tasks: [], last: {}, from: 0, requests: 0 };
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.seen.tasks.push(
    [entry.startTime, entry.duration]))).observe({ entryTypes: ["longtask"] });
  new PerformanceObserver((list) => { window.seen.requests += list.getEntries().length; })
    .observe({ entryTypes: ["resource"] });
  for (const name of [...cut, ...rest]) {
    const panel = document.getElementById(page + "-" + name);
    if (panel) new MutationObserver(() => { window.seen.last[name] = performance.now(); })
      .observe(panel, { subtree: true, childList: true, characterData: true, attributes: true });
  }
  const begin = () => { if (!window.seen.from) window.seen.from = performance.now(); };
  addEventListener("keydown", begin, true);
  addEventListener("pointerdown", begin, true);
  addEventListener("click", begin, true);
}"""
RESET = "() => { Object.assign(window.seen, { tasks: [], last: {}, from: 0, requests: 0 }); }"
Measured = dict[str, float]


def measure(page: Page, name: str, act: Callable[[], None]) -> Measured:
    """One step on the page of that name, until nothing on it has changed for a while."""
    cut = PANELS[name][0]
    page.evaluate(RESET)
    act()
    page.wait_for_function(
        "quiet => { const all = Object.values(window.seen.last);"
        " return all.length && performance.now() - Math.max(...all) > quiet; }",
        arg=QUIET_MILLISECONDS,
        timeout=120_000,
    )
    seen = page.evaluate("() => window.seen")
    last, start = seen["last"], seen["from"]
    tasks = [length for began, length in seen["tasks"] if began + length > start]
    drawn = [last[panel] - start for panel in cut if panel in last]
    return {
        "numbers": last.get(cut[0], start) - start,
        "cut": max(drawn, default=0.0),
        "all": max(last.values()) - start,
        "longest task": max(tasks, default=0.0),
        "requests": seen["requests"],
    }


def list_actions(page: Page, name: str) -> dict[str, Callable[[], None]]:
    """What a visitor does, by name; each call is one step."""
    slider = page.get_by_role("slider").first

    def step() -> None:
        slider.focus()
        page.keyboard.press("ArrowRight")

    if name == "compare":
        return {"eps step": step, "tile as filter": lambda: page.locator(".number-button").nth(1).click()}
    return {
        "eps step": step,
        "chip": lambda: page.locator("[data-focus=clean-S11]").click(),
        "order": lambda: page.locator(".sort[aria-pressed=false]").first.click(),
    }


def run(address: str, query: str, steps: int, *, is_open: bool) -> dict[str, list[Measured]]:
    """Every action on both pages and views, each so many times; `is_open`: with the folded sections of Compare open."""
    found: dict[str, list[Measured]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for name, view in (("compare", "clean"), ("compare", "robust"), ("samples", "robust")):
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(f"{address}/{name}?{query}&view={view}")
            page.locator("a.tile").first.wait_for(timeout=120_000)
            folded = page.locator(",".join(f"[data-section={one}] > summary" for one in SECTIONS))
            for section in folded.all() if is_open else []:
                section.click()
            page.evaluate("() => window.scrollTo(0, 0)")
            page.wait_for_timeout(6000)
            page.evaluate(WATCH, [name, *PANELS[name]])
            for action, act in list_actions(page, name).items():
                title = f"{name.capitalize()}, {view}: {action}"
                found[title] = [measure(page, name, act) for _ in range(steps)]
            page.close()
        browser.close()
    return found


def tabulate(found: dict[str, list[Measured]]) -> str:
    """Medians (and the worst) in milliseconds as a Markdown table."""
    columns: dict[str, Any] = {"numbers": "first panel", "cut": "cut panels", "all": "all panels"}
    columns |= {"longest task": "longest task", "requests": "requests"}
    lines = ["| action | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, rows in found.items():
        cells = [
            f"{statistics.median(values):.0f} ({max(values):.0f})"
            for values in ([row[key] for row in rows] for key in columns)
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare_steps", description=__doc__)
    parser.add_argument("--samples", type=int, default=2000, help="of the made-up pair (default %(default)s)")
    parser.add_argument("--steps", type=int, default=5, help="of each action (default %(default)s)")
    parser.add_argument(
        "--code", type=Path, default=Path.cwd(), help="checkout whose server is measured (default here)"
    )
    parser.add_argument("--open", action="store_true", help="open the sections of Compare that are folded")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        query = make_home(folder, given.samples)
        with serve(given.code, folder / "home") as address:
            before = os.getloadavg()[0]
            found = run(address, query, given.steps, is_open=given.open)
    finally:
        shutil.rmtree(folder)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=given.code, capture_output=True, text=True)
    print(f"n {given.samples:,}, commit {commit.stdout.strip()}, load {before:.1f} to {os.getloadavg()[0]:.1f}")
    print("Milliseconds: median (worst).\n")
    print(tabulate(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
