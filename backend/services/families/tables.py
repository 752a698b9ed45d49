"""The columns of a family's table and its cells as people read them: one definition for the page and every text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from backend.attacks.catalogue import PRESETS, WEAKENING, Preset
from backend.counts import is_few, share_words
from backend.schemas import Interval
from backend.schemas.comparisons import Rate
from backend.schemas.families import FamilyDifference, FamilyOut, FamilyRow
from backend.services.checkpoints.trainings import are_alike
from backend.services.families.members import MARGINS
from backend.services.families.rows import ITSELF, UNPRUNED

Better = Literal["higher", "lower"]
EMPTY = "–"


@dataclass(frozen=True)
class Cell:
    """A figure with its interval; `detail` says what it rests on (`n 2,000`), `aside` what else is to be known of it.

    Without a figure, `reason` says why.

    `value` is what cells are ranked by; `has_caveat` where flags say that too little was found, or where there are so
    few samples that the figure is a range (`is_few`). One evaluation stands behind it, or two (dense, pruned) of a
    comparison.
    """

    figure: str = EMPTY
    interval: str = ""
    detail: str = ""
    value: float | None = None
    evaluation_ids: tuple[UUID, ...] = ()
    reason: str | None = None
    has_caveat: bool = False
    aside: str = ""
    is_few: bool = False

    @property
    def text(self) -> str:
        return f"{self.figure} {self.interval}".strip()


@dataclass(frozen=True)
class TableColumn:
    """A column: its heading with the unit, how a row fills it, and which end is better (None: neither)."""

    key: str
    heading: str
    fill: Callable[[FamilyRow, bool], Cell]
    better: Better | None = None


@dataclass(frozen=True)
class Line:
    """A row as it is shown; `best` are the keys of the cells that are the best of their group."""

    row: FamilyRow
    cells: list[Cell]
    best: frozenset[str]


@dataclass(frozen=True)
class TableLayout:
    """The table: headings, to which is added what all cells of a column rest on, and lines under their groups."""

    columns: list[TableColumn]
    headings: list[str]
    shared: dict[str, str]
    groups: list[tuple[str, list[Line]]]


def lay_out(family: FamilyOut) -> TableLayout:
    """The table of a family; a column of an unusual preset is left out where nothing fills it."""
    is_linf = family.norm == "Linf"
    columns = [one for one in list_all_columns() if is_needed(one, family.rows)]
    cells = {row.checkpoint_id: [column.fill(row, is_linf) for column in columns] for row in family.rows}
    shared = {
        column.key: find_shared([cells[row.checkpoint_id][place] for row in family.rows])
        for place, column in enumerate(columns)
    }
    incomparable = find_incomparable(columns, family.rows, cells)
    groups: dict[str, list[FamilyRow]] = {}
    for row in family.rows:
        groups.setdefault(row.group, []).append(row)
    return TableLayout(
        columns,
        [title(column, shared[column.key], is_linf) for column in columns],
        shared,
        [(name, rank(columns, rows, cells, incomparable)) for name, rows in groups.items()],
    )


def is_needed(column: TableColumn, rows: Sequence[FamilyRow]) -> bool:
    """Whether a column says anything: an unusual preset where it was run, budgets where those of pruned ones differ."""
    if column.key in PRESETS and not PRESETS[column.key].is_usual:
        return any(column.fill(row, True).value is not None for row in rows)
    if column.key == TRAINING:
        return not are_of_one_budget([row for row in rows if row.place == "pruned"])
    return True


def are_of_one_budget(rows: Sequence[FamilyRow]) -> bool:
    """Whether all were trained alike, or of none it is known how."""
    return all(are_alike(rows[0].training, row.training) is not False for row in rows)


def find_shared(cells: Sequence[Cell]) -> str:
    """What every filled cell rests on; nothing where they differ."""
    details = {cell.detail for cell in cells if cell.value is not None}
    return details.pop() if len(details) == 1 else ""


def title(column: TableColumn, shared: str, is_linf: bool) -> str:
    heading = column.heading if is_linf else column.heading.replace("(1/255)", "")
    return f"{heading.strip()}, {shared}" if shared else heading.strip()


def find_incomparable(
    columns: Sequence[TableColumn], rows: Sequence[FamilyRow], cells: dict[UUID, list[Cell]]
) -> frozenset[str]:
    """Columns of own figures without one of the dense network, whose effort the others' would have to equal."""
    dense = next((row for row in rows if row.place == "dense"), None)
    if dense is None:
        return frozenset()
    filled = {column.key: cell for column, cell in zip(columns, cells[dense.checkpoint_id], strict=True)}
    return frozenset(key for key, cell in filled.items() if cell.value is None and cell.reason != ITSELF)


def rank(
    columns: Sequence[TableColumn],
    rows: Sequence[FamilyRow],
    cells: dict[UUID, list[Cell]],
    incomparable: frozenset[str] = frozenset(),
) -> list[Line]:
    """The lines of a group, with the best of those pruned.

    A column is not ranked where the networks were trained differently, where the numbers of samples differ, and where
    nothing shows that the effort equals the dense network's (`incomparable`). A flagged figure is never the best.
    """
    pruned = [row for row in rows if row.place == "pruned"]
    is_fair = are_of_one_budget(pruned)
    best: dict[UUID, set[str]] = {row.checkpoint_id: set() for row in rows}
    for place, column in enumerate(columns):
        filled = [(row.checkpoint_id, cells[row.checkpoint_id][place]) for row in pruned]
        values = {each: cell.value for each, cell in filled if cell.value is not None}
        details = {cell.detail for _, cell in filled if cell.value is not None}
        if not is_fair or column.better is None or len(values) < 2 or len(details) > 1 or column.key in incomparable:
            continue
        sure = {each: values[each] for each, cell in filled if each in values and not cell.has_caveat}
        if not sure:
            continue
        end = max(sure.values()) if column.better == "higher" else min(sure.values())
        for each, value in sure.items():
            if value == end:
                best[each].add(column.key)
    return [Line(row, cells[row.checkpoint_id], frozenset(best[row.checkpoint_id])) for row in rows]


def find_gaps(layout: TableLayout) -> list[str]:
    """Why cells are empty: each reason once, with the checkpoints that it holds for; nothing of what must be empty."""
    found: dict[str, dict[str, None]] = {}
    for _, lines in layout.groups:
        for line in lines:
            for cell in line.cells:
                if cell.reason is not None and cell.reason not in (ITSELF, UNPRUNED):
                    found.setdefault(cell.reason, {})[line.row.name] = None
    count = sum(len(lines) for _, lines in layout.groups)
    return [
        f"{reason.removesuffix('.')}: {', '.join(names) if len(names) < count else 'all checkpoints'}."
        for reason, names in found.items()
    ]


def percent(share: float) -> str:
    return f"{100 * share:.2f}"


def percents(interval: Interval) -> str:
    return f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def rate_cell(rate: Rate, ids: Sequence[UUID]) -> Cell:
    """A share with its interval; of few samples the interval alone, which never is the best of its column."""
    low, high = rate.interval.low, rate.interval.high
    figure, detail = share_words(rate.value, low, high, rate.n), f"n {rate.n:,}"
    if not is_few(rate.n):
        return Cell(figure, percents(rate.interval), detail, rate.value, tuple(ids))
    return Cell(figure, "", detail, rate.value, tuple(ids), has_caveat=True, aside=f"only {detail}", is_few=True)


def fill_clean(row: FamilyRow, _is_linf: bool) -> Cell:
    found = row.clean_accuracy
    if found.rate is None or found.evaluation_id is None:
        return Cell(reason=found.reason)
    return rate_cell(found.rate, [found.evaluation_id])


def fill_claim(row: FamilyRow, _is_linf: bool) -> Cell:
    claim = row.claim
    if claim is None:
        return Cell(reason=row.claim_reason)
    n = "n unknown" if claim.n is None else f"n {claim.n:,}"
    detail = f"{claim.attack or 'attack unknown'}, {n}"
    return Cell(percent(claim.robust_accuracy), "", detail, claim.robust_accuracy)


def fill_verdict(preset: str) -> Callable[[FamilyRow, bool], Cell]:
    """A column of robust accuracy by one preset."""

    def fill(row: FamilyRow, _is_linf: bool) -> Cell:
        found = next((one for one in row.verdicts if one.preset == preset), None)
        if found is None:
            return Cell()
        if found.rate is None or found.evaluation_id is None:
            return Cell(reason=found.reason)
        cell = rate_cell(found.rate, [found.evaluation_id])
        if found.broken_by_fallbacks:
            asides = [cell.aside, f"{found.broken_by_fallbacks:,} by fallback attacks"]
            cell = replace(cell, aside=", ".join(aside for aside in asides if aside))
        if found.broken_by_evidence:  # not every network was attacked as hard, so that the share stays the own run's
            cell = replace(cell, detail=f"{cell.detail}; later evidence breaks {found.broken_by_evidence:,} more")
        return replace(cell, has_caveat=cell.has_caveat or has_caveat(row, preset))

    return fill


def has_caveat(row: FamilyRow, preset: str) -> bool:
    """Whether the flags of an evaluation say that its attack may have found too little."""
    return any(one.preset == preset and not WEAKENING.isdisjoint(one.flags) for one in row.verdicts)


def fill_median(row: FamilyRow, is_linf: bool) -> Cell:
    found = row.margin
    verdict = next(one for one in row.verdicts if one.preset == MARGINS)
    if found is None or verdict.evaluation_id is None:
        return Cell(reason=verdict.reason)
    if found.median is None:
        return Cell(reason=found.reason, evaluation_ids=(verdict.evaluation_id,))

    def show(value: float | None) -> str:
        if value is None:
            return "beyond"
        return f"{255 * value:.1f}" if is_linf else f"{value:.3f}"

    interval = f"[{show(found.low)}, {show(found.high)}]"
    ids = (verdict.evaluation_id,)
    return Cell(show(found.median), interval, "", found.median, ids, has_caveat=has_caveat(row, MARGINS))


def fill_flips(name: Literal["clean", "robust"]) -> Callable[[FamilyRow, bool], Cell]:
    """Lost and gained samples, and the negative flip rate; ranked by the lost ones."""

    def fill(row: FamilyRow, _is_linf: bool) -> Cell:
        found = row.flips
        if found is None:
            return Cell(reason=row.flips_reason)
        counts, rate = (found.clean, found.negative_flip_rate)
        if name == "robust":
            counts, rate = (found.robust, found.robust_negative_flip_rate)
        pair = (found.dense_evaluation_id, found.evaluation_id)
        interval = f"{percent(rate.value)} {percents(rate.interval)}"
        is_weak = name == "robust" and has_caveat(row, MARGINS)
        figure = f"{counts.n10:,} / {counts.n01:,}"
        return Cell(figure, interval, f"n {found.n:,}", counts.n10, pair, has_caveat=is_weak)

    return fill


def fill_auroc(row: FamilyRow, _is_linf: bool) -> Cell:
    found = row.flips
    if found is None:
        return Cell(reason=row.flips_reason)
    pair = (found.dense_evaluation_id, found.evaluation_id)
    if found.auroc is None:
        return Cell(reason=found.auroc_reason, evaluation_ids=pair)
    auroc = found.auroc
    interval = f"[{auroc.low:.3f}, {auroc.high:.3f}]"
    return Cell(f"{auroc.value:.3f}", interval, f"n {auroc.n:,}", auroc.value, pair)


def fill_beyond(name: Literal["clean", "robust"]) -> Callable[[FamilyRow, bool], Cell]:
    """Points of what the dense network holds that are lost beyond the control."""

    def fill(row: FamilyRow, _is_linf: bool) -> Cell:
        found = row.flips
        if found is None or found.beyond is None:
            return Cell(reason=row.flips_reason if found is None else found.beyond_reason)
        difference = found.beyond.clean if name == "clean" else found.beyond.robust
        pair = (found.dense_evaluation_id, found.evaluation_id)
        if difference is None:
            return Cell(reason="The dense network holds none of the shared samples.", evaluation_ids=pair)
        incompatible = "" if found.beyond.incompatible is None else ", control trained differently"
        is_weak = name == "robust" and has_caveat(row, MARGINS)
        detail = f"n {difference.n:,}{incompatible}"
        return Cell(*points(difference), detail, difference.value, pair, has_caveat=is_weak)

    return fill


def fill_training(row: FamilyRow, _is_linf: bool) -> Cell:
    found = row.training
    if found is None:
        return Cell(reason="It is not known how an upload was trained.")
    return Cell(f"{found.passes / 1e6:.3g}", "", f"eps {found.eps_text}", found.passes)


def points(difference: FamilyDifference) -> tuple[str, str]:
    """`+1.20` and `[+0.3, +2.1]`."""
    low, high = difference.interval.low, difference.interval.high
    return signed(100 * difference.value), f"[{signed(100 * low, 1)}, {signed(100 * high, 1)}]"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign; what rounds to 0 has a plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


TRAINING = "training"
BEFORE_VERDICTS: tuple[TableColumn, ...] = (
    TableColumn(TRAINING, "trained (million passes)", fill_training),
    TableColumn("clean", "clean (%)", fill_clean, "higher"),
    TableColumn("claim", "claimed (%)", fill_claim),
)
AFTER_VERDICTS: tuple[TableColumn, ...] = (
    TableColumn("median", "median margin (1/255)", fill_median, "higher"),
    TableColumn("clean_flips", "clean lost / gained, lost (%)", fill_flips("clean"), "lower"),
    TableColumn("robust_flips", "robust lost / gained, lost (%)", fill_flips("robust"), "lower"),
    TableColumn("auroc", "AUROC of dense margin", fill_auroc),
    TableColumn("beyond_clean", "clean lost beyond control (points)", fill_beyond("clean"), "lower"),
    TableColumn("beyond_robust", "robust lost beyond control (points)", fill_beyond("robust"), "lower"),
)


def list_all_columns() -> tuple[TableColumn, ...]:
    """Every column; robust accuracy has one for each preset, the strongest first."""
    presets = sorted(PRESETS.values(), key=lambda preset: -preset.rank)
    return (*BEFORE_VERDICTS, *map(verdict_column, presets), *AFTER_VERDICTS)


def verdict_column(preset: Preset) -> TableColumn:
    by = f"by {preset.short_title}s" if preset.promises == "margin" else preset.short_title
    return TableColumn(preset.name, f"{by} (%)", fill_verdict(preset.name), "higher")
