"""Quantities as people read them: shares, times, sizes, hashes. Used by the pages; no component is made here."""

from datetime import UTC, datetime

from backend.schemas import Interval

STATE_WORDS = {
    "queued": "queued",
    "running": "running",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
SIZE_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def percent(share: float | None, *, digits: int = 2, unit: bool = True) -> str:
    """A share 0..1 as `73.75 %`; a dash where there is none."""
    if share is None:
        return "–"
    return f"{100 * share:.{digits}f}{' %' if unit else ''}"


def interval_words(interval: Interval | None, *, digits: int = 2) -> str:
    """An interval of shares as `[71.78, 75.63]` (percent), or nothing."""
    if interval is None:
        return ""
    return f"[{100 * interval.low:.{digits}f}, {100 * interval.high:.{digits}f}]"


def count_words(number: int, noun: str, plural: str | None = None) -> str:
    """`1 checkpoint`, `2,000 samples`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration_words(seconds: float | None) -> str:
    """A length of time as `45 s`, `3 min`, `1 h 20 min`; nothing where it is not known."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 24 else f"{hours} h"


def time_left(eta_seconds: float | None) -> str:
    """`about 3 min left`; the estimate is the speed so far, so it is never called exact."""
    if eta_seconds is None:
        return "time left not known yet"
    return "a few seconds left" if eta_seconds < 8 else f"about {duration_words(eta_seconds)} left"


def aware(moment: datetime) -> datetime:
    """The moment in UTC; SQLite gives it back without a zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - aware(moment)).total_seconds()


def ago(moment: datetime | None) -> str:
    """`just now`, `5 min ago`; nothing where there is no moment."""
    if moment is None:
        return ""
    passed = seconds_since(moment)
    return "just now" if passed < 5 else f"{duration_words(passed)} ago"


def day_time(moment: datetime | None) -> str:
    """`23 Nov 2026, 04:00 UTC`; a dash where there is no moment."""
    if moment is None:
        return "–"
    shown = aware(moment)
    return f"{shown.day} {shown:%b %Y, %H:%M} UTC"


def size_words(size_bytes: int) -> str:
    """`412 kB`, `1.3 GB`, in powers of a thousand."""
    size, place = float(size_bytes), 0
    while size >= 1000 and place < len(SIZE_UNITS) - 1:
        size, place = size / 1000, place + 1
    digits = 0 if place == 0 or size >= 100 else 1
    return f"{size:.{digits}f} {SIZE_UNITS[place]}"


def short_hash(sha256: str) -> str:
    """The first twelve digits: enough to tell files apart by eye."""
    return sha256[:12]


def sentence_list(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
