"""A family as text: Markdown with the answers and what they rest on, a LaTeX table, and flat CSV."""

import re
from collections.abc import Callable, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from backend.attacks.catalogue import PRESETS
from backend.schemas.families import FamilyAnswer, FamilyFinding, FamilyOut, FamilyRate, FamilyRow, FindingPart
from backend.services.exports import write_csv
from backend.services.families.tables import EMPTY, Line, TableLayout, find_gaps, lay_out, signed

LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
MARKDOWN = re.compile(r"([\\|`*_<>\[\]])")
CELL = re.compile(r"([\\|<>`])")
Escape = Callable[[str], str]


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(LATEX.get(character, character) for character in " ".join(text.split()))


def escape_markdown(text: str) -> str:
    """Text that is no markup and cannot end a cell."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def escape_cell(text: str) -> str:
    """The same for words among figures, whose brackets stay: nothing that ends a cell or begins a tag."""
    return CELL.sub(r"\\\1", " ".join(text.split()))


def write_markdown(family: FamilyOut) -> str:
    """The three answers, each with the intervals it rests on, and the table under its groups."""
    name = escape_markdown(family.name)
    at = f"{family.norm} {family.eps_text}"
    parts = [f"**{name}** and the checkpoints made from it, {escape_markdown(family.dataset_name)}, {at}."]
    for number, answer in enumerate(family.answers, 1):
        parts.append(write_answer(number, answer))
    parts.append(f"How the answers are given. {escape_markdown(family.rule)}")
    layout = lay_out(family)
    parts.append(
        "Brackets hold 95 % intervals. Bold marks the best of those that are pruned alike, rest on equally many "
        "samples and are not flagged."
    )
    parts.append(write_table(layout))
    flagged = [f"{escape_markdown(row.name)} ({', '.join(flags_of(row))})" for row in family.rows if flags_of(row)]
    if flagged:
        parts.append(f"Reliability flags: {'; '.join(flagged)}.")
    parts.extend(list_gaps(layout))
    parts.extend(map(escape_markdown, family.notes))
    return "\n\n".join(parts) + "\n"


def write_answer(number: int, answer: FamilyAnswer) -> str:
    """A question, its answer in a sentence, the findings that were made and the rule."""
    lines = [f"{number}. **{escape_markdown(answer.asks)}** {escape_markdown(answer.sentence)}"]
    told = [one for one in answer.findings if one.parts]
    if told:
        lines.append(write_findings(told))
    lines.append(escape_markdown(answer.basis))
    return "\n\n".join(lines)


def write_findings(findings: Sequence[FamilyFinding]) -> str:
    """One line a finding: what decides with its widened interval, the answer, and what is shown in addition."""
    deciding = name_parts([one.parts for one in findings])
    additional = name_parts([one.additional for one in findings])
    has_rivals = any(one.rival_name for one in findings)
    first = ["checkpoint", "rival"] if has_rivals else ["checkpoint"]
    rows = []
    for one in findings:
        names = [one.checkpoint_name, one.rival_name or EMPTY] if has_rivals else [one.checkpoint_name]
        cells = [show_named(one.parts, name) for name in deciding] + [one.answer]
        rows.append([*map(escape_markdown, names), *cells, *(show_named(one.additional, name) for name in additional)])
    return write_pipes([*first, *deciding, "answer", *additional], rows, len(first))


def name_parts(groups: Sequence[Sequence[FindingPart]]) -> list[str]:
    """Names in the order of the group that has most of them: a group that lacks one does not say where it belongs."""
    return list(dict.fromkeys(part.name for group in sorted(groups, key=len, reverse=True) for part in group))


def show_named(parts: Sequence[FindingPart], name: str) -> str:
    return next((show_part(part) for part in parts if part.name == name), EMPTY)


def show_part(part: FindingPart) -> str:
    """`+1.20 [+0.30, +2.10]` in points, `12.3 % [9.1, 16.0]`, `0.830 [0.780, 0.880]`."""
    return " ".join(show_ends(part))


def show_ends(part: FindingPart) -> tuple[str, str]:
    """The figure and its interval: `12.3 %` and `[9.1, 16.0]`."""
    value, low, high = part.value, part.interval.low, part.interval.high
    if part.unit == "points":
        return signed(100 * value), f"[{signed(100 * low)}, {signed(100 * high)}]"
    if part.unit == "percent":
        return f"{100 * value:.1f} %", f"[{100 * low:.1f}, {100 * high:.1f}]"
    if part.unit == "auroc difference":
        return signed(value, 3), f"[{signed(low, 3)}, {signed(high, 3)}]"
    return f"{value:.3f}", f"[{low:.3f}, {high:.3f}]"


def write_table(layout: TableLayout) -> str:
    """The table in pipes; the group stands in the first column of its first row."""
    rows = [
        [
            f"*{escape_markdown(group)}*" if place == 0 else "",
            escape_markdown(line.row.name),
            *show_cells(layout, line, "**{}**".format, escape_cell),
        ]
        for group, lines in layout.groups
        for place, line in enumerate(lines)
    ]
    return write_pipes(["pruned", "checkpoint", *layout.headings], rows, 2)


def list_gaps(layout: TableLayout) -> list[str]:
    """Why cells are empty: each reason once, with the checkpoints that it holds for."""
    told = find_gaps(layout)
    return [escape_markdown(f"Empty cells. {' '.join(told)}")] if told else []


def show_cells(layout: TableLayout, line: Line, embolden: Escape, escape: Escape = str) -> list[str]:
    """The cells of a line as text; what not all of a column rest on stands in the cell."""
    shown = []
    for column, cell in zip(layout.columns, line.cells, strict=True):
        figure = embolden(escape(cell.figure)) if column.key in line.best else escape(cell.figure)
        detail = f"({cell.detail})" if cell.detail and cell.detail != layout.shared[column.key] else ""
        shown.append(" ".join(part for part in (figure, *map(escape, (cell.interval, cell.aside, detail))) if part))
    return shown


def write_pipes(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """A Markdown table whose first `words` columns are left-aligned and the others right."""
    rule = ["---" if place < words else "---:" for place in range(len(headings))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (map(escape_cell, headings), rule, *rows))


def write_latex(family: FamilyOut) -> str:
    """A tabular for the package booktabs, one midrule a group; the intervals are in it, the reasons are not."""
    layout = lay_out(family)
    lines = [
        f"% {escape_latex(family.name)}, {escape_latex(family.dataset_name)}, {family.norm} {family.eps_text}",
        rf"\begin{{tabular}}{{l{'r' * len(layout.columns)}}}",
        r"\toprule",
        " & ".join(["checkpoint", *map(escape_latex, layout.headings)]) + r" \\",
    ]
    for group, rows in layout.groups:
        span = len(layout.columns) + 1
        lines += [r"\midrule", rf"\multicolumn{{{span}}}{{l}}{{\emph{{{escape_latex(group)}}}}} \\"]
        for line in rows:
            cells = show_cells(layout, line, r"\textbf{{{}}}".format, escape_latex)
            lines.append(" & ".join([escape_latex(line.row.name), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def write_flat(family: FamilyOut) -> bytes:
    """One line a checkpoint, every number in full, as CSV; the columns are always the same, empty without a number."""
    names = list_columns(FamilyRow)
    rows = [flatten(row.model_dump(mode="json")) for row in family.rows]
    return write_csv(names, [[row.get(name) for name in names] for row in rows])


def list_columns(schema: type[BaseModel], prefix: str = "") -> list[str]:
    """The names under which `flatten` writes what a schema may hold."""
    names: list[str] = []
    for name, described in schema.model_fields.items():
        kind = described.annotation
        inner = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if name == "verdicts":
            names.extend(
                f"robust_accuracy.{preset}.{each}" for preset in PRESETS for each in list_columns(FamilyRate)[1:]
            )
        elif inner and get_origin(kind) is not list:
            names.extend(list_columns(inner[0], f"{prefix}{name}."))
        elif name == "flags" or get_origin(kind) is not list:
            names.append(f"{prefix}{name}")
    return names


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested objects as one level of names joined by dots; verdicts go by their preset, other lists are left out."""
    found: dict[str, Any] = {}
    for name, each in value.items():
        whole = f"{prefix}{name}"
        if isinstance(each, dict):
            found |= flatten(each, f"{whole}.")
        elif name == "verdicts":
            for one in each:
                preset = one.pop("preset")
                found |= flatten(one, f"robust_accuracy.{preset}.")
        elif name == "flags":
            found[whole] = " ".join(each)
        elif not isinstance(each, list):
            found[whole] = each
    return found


def flags_of(row: FamilyRow) -> list[str]:
    """Flags of all its evaluations, each once."""
    return sorted({code for found in (row.clean_accuracy, *row.verdicts) for code in found.flags})


WRITERS: dict[str, Callable[[FamilyOut], bytes]] = {
    "csv": write_flat,
    "markdown": lambda family: write_markdown(family).encode(),
    "latex": lambda family: write_latex(family).encode(),
}
