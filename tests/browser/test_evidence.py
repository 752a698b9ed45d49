"""More effort on one sample, in a real browser: the bound falls, the margin stays, and Compare names the side."""

import re
import sqlite3
from uuid import UUID

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
WORK_MILLISECONDS = 120_000  # the worker's part


def weaken(product, name: str, index: int) -> float:
    """Make the stored margin of a sample half as large again, as if its attacks had missed what they found."""
    with sqlite3.connect(product.home / "thinice.db", timeout=30) as database:
        where = (UUID(product.evaluations[name]).hex, index)
        row_of = 'WHERE evaluation_id = ? AND "index" = ?'
        database.execute(f"UPDATE result SET margin = 1.5 * margin, best_known = 1.5 * margin {row_of}", where)
        row = database.execute(f"SELECT margin FROM result {row_of}", where).fetchone()
    database.close()
    return float(row[0])


def test_attack_harder_lowers_the_bound_and_compare_says_that_one_side_has_evidence(page, product):
    dense, control = product.evaluations["cnn-dense"], product.evaluations["cnn-control"]
    pair = f"dense={dense}&pruned={control}"
    kept = product.get(f"/comparisons/samples?{pair}&set=S11")["items"]
    index = kept[len(kept) // 2]["index"]
    margin = weaken(product, "cnn-control", index)
    page.goto(f"{product.address}/sample?{pair}&index={index}")
    side = page.locator("#sample-pruned")
    expect(side).to_contain_text("same as the margin: nothing nearer is known")
    side.get_by_role("textbox", name="Budget of the pruned side").fill("400")
    side.get_by_role("button", name="Attack harder").click()
    expect(side.locator(".bound-line")).to_contain_text(re.compile(r"by margin, seed \d"), timeout=WORK_MILLISECONDS)
    row = next(row for row in product.get(f"/evaluations/{control}/margins")["items"] if row["index"] == index)
    assert row["margin"] == margin > row["best_known"]
    expect(side.locator(".bound-line")).to_contain_text(f"{255 * row['best_known']:.2f}/255")
    expect(page.locator("#sample-dense .bound-line")).to_contain_text("as the margin")

    page.goto(f"{product.address}/compare?{pair}")
    expect(page.locator(".notice")).to_contain_text("Additional evidence on one side only.")
    page.locator("[data-section=replay] > summary").click()
    page.get_by_role("button", name="Replay both ways").click()
    shown = page.locator("#compare-replay")
    expect(shown).to_contain_text("dense on pruned", timeout=WORK_MILLISECONDS)
    replay = product.get(f"/comparisons?{pair}")["replay"]["dense_on_pruned"]["broken"]
    expect(shown).to_contain_text(f"{replay['count']} of {replay['n']}")
