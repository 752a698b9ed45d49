"""Pictures of every page of a running server, for eyes; and the one in README.md.

    python -m tests.browser.screenshots http://127.0.0.1:8000 FOLDER    every page, both themes, 1440 and 400 px
    python -m tests.browser.screenshots http://127.0.0.1:8000 --readme   frontend/help/compare.png anew

The server must have finished a comparison (`make run` does that by itself within two minutes).
"""

import json
import sys
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from frontend.pages import PAGES
from tests.browser.conftest import ARGUMENTS, find_chromium

README_PICTURE = Path(__file__).parents[2] / "frontend" / "help" / "compare.png"
WIDTHS = {1440: 1000, 400: 850}
THEMES = ("light", "dark")
QUIET_MILLISECONDS = 2500  # plots draw themselves after the last request


def find_pages(address: str) -> dict[str, str]:
    """Name and path of every page; Compare and Sample with the shipped pair at 95 % and its first lost sample."""

    def ask(path: str) -> list[dict[str, str]]:
        with urllib.request.urlopen(f"{address}/api/v1{path}", timeout=30) as response:
            items: list[dict[str, str]] = json.load(response)["items"]
            return items

    done = ask("/evaluations?limit=200&state=succeeded")
    margins = sorted((one for one in done if one["preset"] == "margin"), key=lambda one: -int(one["n"]))
    dense = next(one for one in margins if one["checkpoint_name"] == "cnn-dense")
    pruned = next(one for one in margins if one["checkpoint_name"] == "cnn-lwm-95" and one["n"] == dense["n"])
    pair = f"dense={dense['id']}&pruned={pruned['id']}"
    index = ask(f"/comparisons/samples?{pair}&set=S10")[0]["index"]
    return {
        **{row.module: row.path for row in PAGES},
        "compare": f"/compare?{pair}",
        "samples": f"/samples?{pair}",
        "sample": f"/sample?{pair}&index={index}",
        "record": f"/jobs?evaluation={pruned['id']}",
    }


def open_page(browser: Browser, address: str, width: int, theme: str) -> Page:
    """The address in a window of that width and theme, once its plots stand."""
    size = {"width": width, "height": WIDTHS[width]}
    page = browser.new_page(viewport=size, color_scheme=theme)  # type: ignore[arg-type]  # two literals
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    page.wait_for_timeout(QUIET_MILLISECONDS)
    return page


def main() -> None:
    address, target = sys.argv[1].rstrip("/"), sys.argv[2]
    pages = find_pages(address)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        if target == "--readme":
            page = open_page(browser, address + pages["compare"], 1440, "light")
            page.screenshot(path=README_PICTURE, clip={"x": 0, "y": 0, "width": 1440, "height": 1000})
            return
        folder = Path(target)
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in pages.items():
            for width in WIDTHS:
                for theme in THEMES:
                    page = open_page(browser, address + path, width, theme)
                    page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
                    page.close()


if __name__ == "__main__":
    main()
