"""Families that take seconds to measure are measured ahead, in a thread, which tells how far it is.

What it measures is kept where `get_family` looks for it. A family of which another evaluation stands in a row is
another one, and is measured anew.
"""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from backend.services.families.members import Family, read_family
from backend.services.families.questions import ask_claims, ask_rivals
from backend.services.families.rows import show_row

LOG = logging.getLogger(__name__)
QUICK_SECONDS = 1.5  # what is done by then needs no progress
KEPT = 64
ANSWERS = 3  # the questions asked at the end, in rows that would take as long

_lock = threading.Lock()
_places = threading.Semaphore(2)  # families measured at once
_known: OrderedDict[tuple[Any, ...], "Measuring"] = OrderedDict()


@dataclass
class Measuring:
    """`done` of `total` parts of a family are measured."""

    total: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first part is done."""
        done = self.done
        return (time.monotonic() - self.began) / done * (self.total - done) if done else None


def measure_ahead(
    checkpoint_id: UUID,
    *,
    norm: str | None = None,
    eps: str | float | None = None,
    method: str,
    patience: float | None = None,
) -> Measuring | None:
    """Begin to measure a family, or find it being measured; None once `get_family` returns at once.

    Waits `patience` seconds at most, by default `QUICK_SECONDS`. Other arguments and errors as in `get_family`.
    """
    family = read_family(checkpoint_id, norm, eps)
    with _lock:
        key = identify(family, method)
        found = _known.get(key)
        if found is None:
            found = _known[key] = Measuring(len(family.members) + ANSWERS)
            threading.Thread(target=measure, args=(family, method, found), daemon=True).start()
            while len(_known) > KEPT:
                _known.popitem(last=False)
        _known.move_to_end(key)
    if not found.ended.wait(QUICK_SECONDS if patience is None else patience):
        return found
    with _lock:
        _known.pop(key, None)  # the next visit measures again, which is quick where everything is kept still
    return None


def identify(family: Family, method: str) -> tuple[Any, ...]:
    """What the numbers of a family depend on: its terms, the method, and the evaluations in its rows."""
    chosen = [
        None if choice.evaluation is None else choice.evaluation.id
        for member in family.members
        for choice in member.chosen.values()
    ]
    names = [(member.row.id, member.group) for member in family.members]
    return (family.terms.norm, family.terms.eps_text, method, *names, *chosen)


def measure(family: Family, method: str, progress: Measuring) -> None:
    """Fill the caches that `get_family` reads; an error shows again there."""
    try:
        with _places:
            for member in family.members:
                show_row(family, member)
                progress.done += 1
            ask_claims(family)
            progress.done += 1
            ask_rivals(family, method)
    except Exception:  # the page asks again without a thread and says what is wrong
        LOG.exception("the family of %s was not computed in advance", family.dense.row.id)
    finally:
        progress.done = progress.total
        progress.ended.set()
