"""Counts in sentences: the noun follows the number."""


def count_words(number: int, singular: str, plural: str | None = None) -> str:
    """`1 checkpoint`, `2,000 samples`, `1 tensor is`, `3 tensors are`; the plural adds an s where none is given."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
