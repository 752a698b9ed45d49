"""What callers hand in, checked once at the door: ids and pages."""

from uuid import UUID

from backend.errors import InvalidRequest, NotFound

MAX_PAGE = 200
MAX_MARGINS = 100_000


def check_page(limit: int, offset: int, most: int = MAX_PAGE) -> None:
    """Refuse a page that is too large or starts before the first row."""
    if not 1 <= limit <= most or offset < 0:
        raise InvalidRequest(
            f"limit must be within 1..{most:,} and offset at least 0; got {limit} and {offset}.",
            limit=limit,
            offset=offset,
        )


def read_id(value: UUID | str, noun: str) -> UUID:
    """A UUID from text; what is none cannot be the id of anything.

    Raises:
        NotFound: the text is no UUID.
    """
    try:
        return UUID(str(value))
    except ValueError as error:
        raise NotFound(f"There is no {noun} {str(value)[:80]!r}: an id is a UUID.", id=str(value)[:80]) from error
