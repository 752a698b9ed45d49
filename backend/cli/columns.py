"""Tables that fit the terminal: columns where there is room, else a paragraph for each row. Nothing is cut off."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.table import Table

from backend.cli.output import out

GAP = 2  # between columns, and before the lines of a paragraph


def print_columns(titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print rows under their titles; those of `numbers` stand on the right.

    Where the columns do not fit, the first cell of a row becomes a line of its own, and the others follow it with their
    titles. Empty cells and dashes are left out there.
    """
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    if sum(widths) + GAP * (len(widths) - 1) <= out.width:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
        for title in titles:
            table.add_column(title, justify="right" if title in numbers else "left", no_wrap=True)
        for row in cells:
            table.add_row(*row)
        out.print(table, markup=False)
        return
    for row in cells:
        for line in stack(titles, row, out.width):
            out.print(line, markup=False, soft_wrap=True)


def stack(titles: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """A row as a paragraph: its first cell, then `title cell; title cell` in lines of at most `width` characters.

    A word that is longer than a line stays whole.
    """
    indent = " " * (len(row[0]) - len(row[0].lstrip()) + GAP)
    pieces = [f"{title} {cell}" for title, cell in zip(titles[1:], row[1:], strict=True) if cell not in ("", "-")]
    lines: list[str] = []
    for number, piece in enumerate(pieces):
        text = piece if number == len(pieces) - 1 else f"{piece};"
        if lines and len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += f" {text}"
        else:
            lines += wrap(
                text,
                width,
                initial_indent=indent,
                subsequent_indent=f"{indent}{' ' * GAP}",
                break_long_words=False,
                break_on_hyphens=False,
            )
    return [row[0], *lines]
