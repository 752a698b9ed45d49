"""Tables on the screen, and the same in a JSON and a Markdown file."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as ScreenTable

from tests.benchmarks.machine import describe_machine
from tests.benchmarks.tables import Table

READING = (
    "Counts and times are per sample; gradients are forward and backward passes through the input, extra forwards are "
    "passes without one, work is all forward passes plus twice the gradients. Times are processor time of one thread. "
    "Figures are medians over the runs with the extremes in brackets. 'x floor' is the time over that of the counted "
    "passes alone, measured in the same process. False claims are examples that a tool claimed and the bench's own "
    "judge refused (box, radius, or the untouched network in float32 on that image alone). Samples that the network "
    "gets wrong without an attack are left out for everyone."
)


def show(console: Console, table: Table) -> None:
    screen = ScreenTable(title=table.title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for place, heading in enumerate(table.headings):
        is_text = place == 0 or heading in {"attack", "norm", "flags", "network", "measured", "asked", ""}
        screen.add_column(heading, justify="left" if is_text else "right", overflow="fold", no_wrap=place == 0)
    for row in table.rows:
        screen.add_row(*row)
    console.print(screen)
    for note in table.notes:
        console.print(note, style="dim", highlight=False)
    console.print()


def write_markdown(tables: Sequence[Table], machine: dict[str, object], notes: Sequence[str]) -> str:
    lines = ["# Thin Ice next to other attack libraries", "", describe_machine(machine), "", READING, ""]
    lines += [f"- {note}" for note in notes]
    for table in tables:
        lines += ["", f"## {table.title}", "", " | ".join(["", *table.headings, ""]).strip()]
        lines.append("|" + "---|" * len(table.headings))
        lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in table.rows]
        lines += ["", *[f"- {note}" for note in table.notes]] if table.notes else []
    return "\n".join(lines) + "\n"


def make_plain(value: Any) -> Any:
    """JSON has no infinity and no NaN: both are null."""
    if isinstance(value, dict):
        return {str(key): make_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_files(
    folder: Path, tables: Sequence[Table], machine: dict[str, object], notes: Sequence[str], options: dict[str, Any]
) -> list[Path]:
    """bench.json and bench.md in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": machine,
        "options": options,
        "notes": list(notes),
        "tables": [{"title": table.title, "records": table.records, "notes": table.notes} for table in tables],
    }
    paths = [folder / "bench.json", folder / "bench.md"]
    paths[0].write_text(json.dumps(make_plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    paths[1].write_text(write_markdown(tables, machine, notes), encoding="utf-8")
    return paths
