"""Quantities as people read them: shares, times, sizes, hashes. Used by the pages; no component is made here."""

from datetime import UTC, datetime

from humanize import naturalsize, naturaltime, precisedelta

from backend.counts import count_words as count_words  # pages take every word from here
from backend.schemas import Interval

STATE_WORDS = {
    "queued": "queued",
    "running": "running",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
SET_WORDS = {"S11": "kept", "S10": "lost", "S01": "gained", "S00": "wrong on both"}
"""What people read for the four sets."""

MINUTE, HOUR, DAY = 60, 3600, 86400


def percent(share: float | None, *, digits: int = 2, unit: bool = True) -> str:
    """A share 0..1 as `73.75 %`; a dash where there is none."""
    if share is None:
        return "–"
    return f"{100 * share:.{digits}f}{' %' if unit else ''}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, `+3.60`, with a real minus; a claim's is claimed minus measured."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def interval_words(interval: Interval | None, *, digits: int = 2) -> str:
    """An interval of shares as `[71.78, 75.63]` (percent), or nothing."""
    if interval is None:
        return ""
    return f"[{100 * interval.low:.{digits}f}, {100 * interval.high:.{digits}f}]"


def duration_words(seconds: float | None) -> str:
    """A length of time as `45 seconds`, `3 minutes`, `1 hour and 20 minutes`; nothing where it is not known.

    From a minute on in whole minutes, from a day on in whole hours.
    """
    if seconds is None:
        return ""
    unit = 1 if seconds < MINUTE else MINUTE if seconds < DAY else HOUR
    return precisedelta(max(0, round(seconds / unit)) * unit, format="%d")


def time_left(eta_seconds: float | None) -> str:
    """`about 3 minutes left`; the estimate is the speed so far, so it is never called exact."""
    if eta_seconds is None:
        return "estimating time left"
    return "a few seconds left" if eta_seconds < 8 else f"about {duration_words(eta_seconds)} left"


def time_until_start(seconds: float) -> str:
    """`starts in about 3 minutes`; an estimate as well."""
    return "starts in a few seconds" if seconds < 8 else f"starts in about {duration_words(seconds)}"


def aware(moment: datetime) -> datetime:
    """The moment in UTC; SQLite gives it back without a zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - aware(moment)).total_seconds()


def ago(moment: datetime | None) -> str:
    """`just now`, `5 minutes ago`; nothing where there is no moment."""
    if moment is None:
        return ""
    passed = seconds_since(moment)
    return "just now" if passed < 5 else naturaltime(passed)


def day_time(moment: datetime | None) -> str:
    """`23 Nov 2026, 04:00 UTC`; a dash where there is no moment."""
    if moment is None:
        return "–"
    shown = aware(moment)
    return f"{shown.day} {shown:%b %Y, %H:%M} UTC"


def size_words(size_bytes: int) -> str:
    """`412.0 kB`, `1.3 GB`, in powers of a thousand."""
    return naturalsize(size_bytes)


def short_hash(sha256: str) -> str:
    """The first twelve digits: enough to tell files apart by eye."""
    return sha256[:12]


def sentence_list(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
