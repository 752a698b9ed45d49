"""Families that take seconds to measure are measured in a thread, which tells how far it is.

A family of which another evaluation stands in a row is another one, and is measured anew.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from backend.schemas.families import FamilyOut
from backend.services.families.members import Family, read_family
from backend.services.families.service import write_family

QUICK_SECONDS = 1.5  # what is done by then needs no progress
FRESH_SECONDS = 10.0  # after that, what nobody fetched is measured again: names, claims and evidence may have changed
KEPT = 64
ANSWERS = 3  # the questions asked at the end

_lock = threading.Lock()
_places = threading.Semaphore(2)  # families measured at once
_known: OrderedDict[tuple[Any, ...], "Measuring"] = OrderedDict()


@dataclass
class Measuring:
    """`done` of `total` parts of a family are measured; at the end there is the family, or why there is none."""

    total: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)
    family: FamilyOut | None = None
    error: Exception | None = None
    ended_at: float | None = None

    def step(self) -> None:
        """One more part is measured."""
        self.done += 1

    @property
    def is_stale(self) -> bool:
        """Whether it ended too long ago to be shown."""
        return self.ended_at is not None and time.monotonic() - self.ended_at > FRESH_SECONDS

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first part is done."""
        done = self.done
        return (time.monotonic() - self.began) / done * (self.total - done) if done else None


def measure_family(
    checkpoint_id: UUID,
    *,
    norm: str | None = None,
    eps: str | float | None = None,
    method: str,
    patience: float | None = None,
) -> FamilyOut | Measuring:
    """The family as `get_family` gives it, or how far it is measured after `patience` seconds.

    `patience` is `QUICK_SECONDS` by default. Other arguments and errors as in `get_family`.
    """
    family = read_family(checkpoint_id, norm, eps)
    with _lock:
        key = identify(family, method)
        found = _known.get(key)
        if found is None or found.is_stale:
            found = _known[key] = Measuring(len(family.members) + ANSWERS)
            threading.Thread(target=measure, args=(family, method, found), daemon=True).start()
            while len(_known) > KEPT:
                _known.popitem(last=False)
        _known.move_to_end(key)
    if not found.ended.wait(QUICK_SECONDS if patience is None else patience):
        return found
    with _lock:
        _known.pop(key, None)  # the next visit measures again, which is quick where everything is kept still
    if found.family is None:
        assert found.error is not None
        raise found.error
    return found.family


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
    """Measure a family and hold it in `progress`; an error is raised where it is asked for."""
    try:
        with _places:
            progress.family = write_family(family, method, progress.step)
    except Exception as error:  # whatever it is, the thread that asks raises it, and the page says it
        progress.error = error
    finally:
        progress.ended_at = time.monotonic()
        progress.ended.set()
