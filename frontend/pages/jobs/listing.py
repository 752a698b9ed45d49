"""Which evaluations the page lists, in which order, and what of them stands in the address."""

from dataclasses import dataclass

from backend.schemas import ACTIVE, State
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.health import Health
from backend.services import checkpoints, evaluations, system
from frontend.lists import read_list

STATES: tuple[State, ...] = ("running", "queued", "failed", "cancelled", "succeeded")
ENDED_SHOWN = 50


@dataclass(frozen=True)
class Filter:
    """What the address asks for; None and empty mean everything."""

    state: str | None = None
    checkpoint: str | None = None
    ended_shown: int = ENDED_SHOWN


@dataclass(frozen=True)
class Listing:
    """The rows to show, how many there are by state, and who could work on them."""

    rows: list[EvaluationOut]
    counts: dict[str, int]
    hidden: int
    health: Health
    checkpoint_name: str | None

    def state_of(self, wanted: Filter) -> str:
        """Changes whenever the filter does, or more than the progress of what runs."""
        jobs = [f"{row.id}{row.state}" for row in self.rows]
        workers = [worker.id for worker in self.health.workers]
        others = (self.hidden, self.checkpoint_name, self.has_other_work)
        return str(hash((wanted, *jobs, *workers, *self.counts.items(), *others)))

    @property
    def has_other_work(self) -> bool:
        """Whether evidence or prunings wait or run where no evaluation does."""
        return bool(self.health.queue_depth) and not (self.counts["queued"] or self.counts["running"])

    @property
    def is_stuck(self) -> bool:
        """Whether work waits and nobody lives who could do it."""
        return not self.health.workers and bool(self.counts["queued"] or self.counts["running"])


def read_filter(query: dict[str, str]) -> Filter:
    """The filter of an address; what cannot be understood is ignored, so that no stale link breaks the page."""
    state = query.get("state")
    shown = query.get("shown", "")
    return Filter(
        state=state if state in STATES else None,
        checkpoint=query.get("checkpoint") or None,
        ended_shown=int(shown) if shown.isdecimal() and int(shown) > 0 else ENDED_SHOWN,
    )


def read_listing(wanted: Filter) -> Listing:
    """What runs, then what waits in the order of the queue, then what ended, the newest first."""
    counts: dict[str, int] = {state: count(state, wanted) for state in STATES}
    rows: list[EvaluationOut] = []
    for state in [state for state in STATES if wanted.state in (None, state)]:
        if counts[state]:
            rows.extend(read_state(state, wanted, None if state in ACTIVE else wanted.ended_shown))
    active = [row for row in rows if row.state in ACTIVE]
    active.sort(key=lambda row: (row.state != "running", row.queue_position or 0, row.created_at))
    ended = sorted((row for row in rows if row.state not in ACTIVE), key=ended_at, reverse=True)
    shown = active + ended[: wanted.ended_shown]
    total = sum(counts.values()) if wanted.state is None else counts[wanted.state]
    hidden = total - len(shown)
    name = None if wanted.checkpoint is None else checkpoints.get_checkpoint(wanted.checkpoint).name
    return Listing(shown, counts, hidden, system.health(), name)


def read_state(state: str, wanted: Filter, most: int | None) -> list[EvaluationOut]:
    """The evaluations of one state, the newest first: all, or `most`."""
    return read_list(
        lambda limit, offset: evaluations.list_evaluations(limit, offset, checkpoint_id=wanted.checkpoint, state=state),
        most,
    )


def count(state: str, wanted: Filter) -> int:
    return evaluations.list_evaluations(1, checkpoint_id=wanted.checkpoint, state=state).total


def ended_at(row: EvaluationOut) -> float:
    return (row.finished_at or row.created_at).timestamp()
