"""Whole lists out of the services' pages: a choice must offer every row, the old ones too."""

from collections.abc import Callable
from typing import TypeVar

from backend.schemas import Page

PAGE_ROWS = 200
Item = TypeVar("Item")


def read_list(page: Callable[[int, int], Page[Item]], most: int | None = None) -> list[Item]:
    """The items of a paged list, in its order: all of them, or the first `most`.

    Args:
        page: asks for at most so many items from an offset on; a function of a service without its conditions.
    """
    items: list[Item] = []
    while most is None or len(items) < most:
        limit = PAGE_ROWS if most is None else min(PAGE_ROWS, most - len(items))
        found = page(limit, len(items))
        items.extend(found.items)
        if not found.items or len(items) >= found.total:
            break
    return items
