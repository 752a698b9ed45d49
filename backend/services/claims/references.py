"""Published figures of adversarially pruned networks, as `references.json` has them from their sources.

They are no measurements of ours and no claims of a checkpoint here: other networks, other data, another eps.
"""

import json
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from backend.schemas import Page
from backend.schemas.claims import ReferenceFigure
from backend.services.shared.arguments import check_page

FILE = Path(__file__).with_name("references.json")


def list_references(limit: int = 50, offset: int = 0) -> Page[ReferenceFigure]:
    """A page of published figures, in the order of the file."""
    check_page(limit, offset)
    rows = read_references()
    return Page(items=list(rows[offset : offset + limit]), total=len(rows), limit=limit, offset=offset)


@lru_cache(maxsize=1)
def read_references() -> tuple[ReferenceFigure, ...]:
    """Every published figure; the file keeps percent as text, so that no digit is lost."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(read_row(each, row) for each in content["sets"] for row in each["rows"])


def read_row(each: dict[str, Any], row: dict[str, Any]) -> ReferenceFigure:
    return ReferenceFigure(
        **{name: each[name] for name in ("source", "url", "dataset", "structure", "norm", "attack")},
        **{name: row[name] for name in ("method", "architecture", "sparsity")},
        eps_text=each["eps"],
        clean_accuracy=read_percent(row.get("clean")),
        claimed_robust_accuracy=read_percent(row.get("claimed")),
        claimed_attack=row.get("claimed_attack"),
        robust_accuracy=float(Decimal(row["robust"]) / 100),
        note=row.get("note"),
    )


def read_percent(text: str | None) -> float | None:
    return None if text is None else float(Decimal(text) / 100)
