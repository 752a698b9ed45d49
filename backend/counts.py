"""Counts in sentences: the noun follows the number, and few samples give a range in place of a share."""

FEW_SAMPLES = 50  # below these a share is shown as its 95 % interval: at 40 it is wider than 20 points


def count_words(number: int, singular: str, plural: str | None = None) -> str:
    """`1 checkpoint`, `2,000 samples`, `1 tensor is`, `3 tensors are`; the plural adds an s where none is given."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def is_few(n: int) -> bool:
    """Whether so few samples give a range and no number."""
    return n < FEW_SAMPLES


def share_words(share: float, low: float, high: float, n: int) -> str:
    """A share in percent, `73.75`; of few samples its interval, `38 to 96`."""
    return f"{100 * low:.0f} to {100 * high:.0f}" if is_few(n) else f"{100 * share:.2f}"
