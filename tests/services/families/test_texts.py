"""A family as text: every number in its place, ranks among equals alone, and nothing that a program would run."""

import csv
import io
import re
from uuid import UUID, uuid4

import pytest

from backend.schemas import Interval
from backend.schemas.checkpoints import ClaimOut
from backend.schemas.comparisons import Auroc, CountsOut, Rate
from backend.schemas.families import (
    FamilyAnswer,
    FamilyBeyond,
    FamilyDifference,
    FamilyFinding,
    FamilyFlips,
    FamilyMargin,
    FamilyOut,
    FamilyRate,
    FamilyRow,
    FindingPart,
    MethodAnswer,
)
from backend.services.families.tables import lay_out, signed
from backend.services.families.texts import (
    escape_latex,
    escape_markdown,
    flatten,
    list_columns,
    write_flat,
    write_latex,
    write_markdown,
)

IDS = {name: uuid4() for name in ("dense", "a", "b", "c")}
MISSING = "No finished evaluation with autoattack at Linf 8/255."


def rate(count: int, n: int) -> Rate:
    return Rate(value=count / n, interval=Interval(low=count / n - 0.01, high=count / n + 0.02), count=count, n=n)


def found(preset: str, each: Rate | None, id: UUID, *flags: str) -> FamilyRate:
    reason = None if each else MISSING
    return FamilyRate(preset=preset, rate=each, evaluation_id=id if each else None, flags=list(flags), reason=reason)


def flips(id: UUID, lost: int, n: int = 1000) -> FamilyFlips:
    counts = CountsOut(n11=800 - lost, n10=lost, n01=3, n00=n - 803)
    difference = FamilyDifference(value=lost / 800, interval=Interval(low=-0.0004, high=0.05), n=800)
    return FamilyFlips(
        dense_evaluation_id=IDS["dense"],
        evaluation_id=id,
        n=n,
        clean=counts,
        robust=counts,
        negative_flip_rate=rate(lost, n),
        robust_negative_flip_rate=rate(lost, n),
        auroc=Auroc(value=0.9123, low=0.8, high=0.95, positives=lost, n=800) if lost > 20 else None,
        auroc_reason=None if lost > 20 else "Only 5 lost samples; 20 needed.",
        logit_gap_auroc=None,
        margin_over_logit_gap=None,
        bins=[],
        beyond=FamilyBeyond(
            control_id=IDS["dense"],
            control_name="control",
            evaluation_id=IDS["dense"],
            clean=difference,
            robust=difference,
            auroc=None,
            auroc_reason=None,
            incompatible=None,
        ),
        beyond_reason=None,
    )


def row(
    name: str, count: int, lost: int | None, *, n: int = 1000, title: str | None = None, **fields: object
) -> FamilyRow:
    id = IDS[name]
    values = {
        "checkpoint_id": id,
        "name": title or name,
        "place": "dense" if lost is None else "pruned",
        "method": None,
        "structure": None if lost is None else "weight",
        "level": None if lost is None else 0.95,
        "group": "nothing pruned" if lost is None else "weights, 95 %",
        "declared_sparsity": None,
        "measured_sparsity": 0.95,
        "origin": "upload",
        "clean_accuracy": found("margin", rate(count, n), id),
        "claim": ClaimOut(robust_accuracy=0.736, attack="PGD-10", norm=None, eps_text=None, n=2000, source=None),
        "claim_reason": None,
        "verdicts": [
            found("margin", rate(count - 50, n), id, "saturated"),
            found("fast", rate(count - 60, n), id),
            found("autoattack", None, id),
            found("autoattack-plus", None, id),
        ],
        "margin": FamilyMargin(median=0.1, low=0.09, high=None, n=count, censored=600, reason=None),
        "flips": None if lost is None else flips(id, lost, n),
        "flips_reason": "This is the dense network itself." if lost is None else None,
        "training": None,
    }
    return FamilyRow.model_validate(values)


def answer() -> FamilyAnswer:
    part = FindingPart(
        name="fewer lost, clean", unit="points", value=0.0125, interval=Interval(low=-0.002, high=0.03), n=800,
        answer="cannot tell", evaluation_ids=[IDS["a"]],
    )  # fmt: skip
    additional = part.model_copy(update={"name": "lost, clean", "unit": "percent", "answer": None})
    finding = FamilyFinding(
        checkpoint_id=IDS["a"], checkpoint_name="a|b", method="harp", group="weights, 95 %", rival_id=IDS["b"],
        rival_name="b", parts=[part], additional=[additional], answer="cannot tell", reason=None,
    )  # fmt: skip
    return FamilyAnswer(
        question="rivals", asks="Does it lose fewer?", answer="cannot tell", sentence="Cannot tell. Of 1.",
        counts="Of 1.", reimplemented="none",
        basis="1 interval decides, each at 95 % confidence.", asked=1, confidence=0.95,
        methods=[MethodAnswer(method="harp", answer="cannot tell", findings=1)], findings=[finding],
    )  # fmt: skip


def family(*rows: FamilyRow) -> FamilyOut:
    return FamilyOut(
        checkpoint_id=IDS["dense"], name="dense_1", dataset_id=uuid4(), dataset_name="Digits", norm="Linf", eps=0.1,
        eps_text="25.5/255", rows=list(rows), answers=[answer()], rule="The rule.", notes=["A note."],
    )  # fmt: skip


@pytest.fixture
def whole() -> FamilyOut:
    return family(row("dense", 900, None), row("a", 880, 40), row("b", 890, 5))


def test_lay_out_puts_what_all_cells_rest_on_into_the_heading(whole: FamilyOut) -> None:
    layout = lay_out(whole)
    assert layout.headings[0] == "clean (%), n 1,000"
    assert layout.headings[1] == "claimed (%), PGD-10, n 2,000"
    assert "AutoAttack plus (%)" not in layout.headings and "AutoAttack (%)" in layout.headings
    assert [name for name, _ in layout.groups] == ["nothing pruned", "weights, 95 %"]


def test_lay_out_ranks_only_what_is_pruned_alike_on_as_many_samples(whole: FamilyOut) -> None:
    _, (_, (first, second)) = lay_out(whole).groups
    assert first.best == {"median"}, "both have the same median"
    assert second.best >= {"clean", "margin", "fast", "clean_flips", "beyond_clean", "median"}
    assert "claim" not in second.best and "auroc" not in second.best, "neither end of these is better"
    fewer = family(row("a", 880, 40), row("b", 400, 5, n=500))
    (_, lines), = lay_out(fewer).groups  # fmt: skip
    assert all("clean" not in line.best for line in lines)
    (_, (alone,)), = lay_out(family(row("a", 880, 40))).groups  # fmt: skip
    assert alone.best == frozenset()


def test_markdown_has_every_part_and_square_tables(whole: FamilyOut) -> None:
    text = write_markdown(whole)
    assert text.startswith(r"**dense\_1** and the checkpoints made from it, Digits, Linf 25.5/255.")
    assert "1. **Does it lose fewer?** Cannot tell. Of 1." in text
    assert r"| a\|b | b | +1.25 [-0.20, +3.00] | cannot tell | 1.2 % [-0.2, 3.0] |" in text
    assert "**89.00** [88.0, 91.0]" in text and "**5 / 3** 0.50 [-0.5, 2.5]" in text
    assert "0.912 [0.800, 0.950]" in text and "25.5 [22.9, beyond]" in text
    assert "**+0.62** [+0.0, +5.0]" in text, "what rounds to 0 has no minus"
    assert "Reliability flags: dense (saturated); a (saturated); b (saturated)." in text
    assert "No finished evaluation with autoattack at Linf 8/255: all checkpoints." in text
    assert "Only 5 lost samples; 20 needed: b." in text and "dense network itself" not in text
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_markdown_says_n_in_the_cell_where_it_differs() -> None:
    text = write_markdown(family(row("dense", 900, None), row("a", 400, 40, n=500)))
    assert "90.00 [89.0, 92.0] (n 1,000)" in text and "80.00 [79.0, 82.0] (n 500)" in text


def test_latex_is_a_tabular_of_as_many_cells_as_columns(whole: FamilyOut) -> None:
    text = write_latex(whole)
    columns = re.search(r"\\begin\{tabular\}\{(l r*|lr*)\}", text)
    assert columns is not None
    lines = [line for line in text.splitlines() if line.endswith(r" \\") and "multicolumn" not in line]
    assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {len(columns[1])}
    assert text.startswith(r"% dense\_1, Digits") and r"\emph{weights, 95 \%}" in text
    assert r"\textbf{89.00} [88.0, 91.0]" in text and text.endswith("\\end{tabular}\n")


def test_names_cannot_break_out_of_their_cell() -> None:
    name = "=2+2|\\x_{%&#$^~}\n**b**<script>[l](u)"
    assert escape_latex(name) == (
        r"=2+2|\textbackslash{}x\_\{\%\&\#\$\textasciicircum{}\textasciitilde{}\} **b**<script>[l](u)"
    )
    assert escape_markdown(name) == r"=2+2\|\\x\_{%&#$^~} \*\*b\*\*\<script\>\[l\](u)"
    shown = family(row("a", 880, 40, title=name))
    for text in (write_markdown(shown), write_latex(shown)):
        assert "\n**b**" not in text
    (read,) = csv.DictReader(io.StringIO(write_flat(shown).decode(), newline=""))
    assert read["name"] == f"'{name}", "a spreadsheet runs no formula"


def test_attack_of_a_claim_cannot_break_out_of_heading_or_cell() -> None:
    claim = ClaimOut(
        robust_accuracy=0.7, attack="PGD | <img src=x>", norm="Linf", eps_text="8/255", n=1000, source=None
    )
    rows = [row("dense", 900, None), row("a", 800, 40)]
    text = write_markdown(family(*(one.model_copy(update={"claim": claim}) for one in rows)))
    assert "<img" not in text.replace("\\<img", "") and r"PGD \| \<img src=x\>" in text


def test_csv_read_back_gives_every_number_and_leaves_empty_what_is_missing(whole: FamilyOut) -> None:
    first, second, _ = csv.DictReader(io.StringIO(write_flat(whole).decode(), newline=""))
    assert float(second["clean_accuracy.rate.value"]) == 0.88
    assert second["robust_accuracy.fast.rate.count"] == "820" and second["robust_accuracy.margin.flags"] == "saturated"
    assert (
        second["robust_accuracy.autoattack.rate.value"] == ""
        if "robust_accuracy.autoattack.rate.value" in second
        else True
    )
    assert second["robust_accuracy.autoattack.reason"] == MISSING
    assert second["flips.robust.n10"] == "40" and second["margin.median"] == "0.1"
    assert first["flips.robust.n10"] == "" and "flips" not in first
    known = set(list_columns(FamilyRow))
    assert len(known) == len(list_columns(FamilyRow)) and set(first) == known
    for row in whole.rows:
        filled = {name for name, value in flatten(row.model_dump(mode="json")).items() if value is not None}
        assert filled <= known, "no number is left out"


def test_signed_of_what_rounds_to_nothing_has_a_plus() -> None:
    assert (signed(-0.004), signed(-0.006), signed(1.234, 1)) == ("+0.00", "-0.01", "+1.2")
