"""The command that holds claims against re-evaluations."""

import json
from typing import Annotated, Any

import typer

from backend.cli.columns import print_columns
from backend.cli.output import out, percent
from backend.cli.session import GATE_NOT_MET, AsJson, Url, connected, reports_failures

TITLES = ("checkpoint", "claimed", "re-evaluated", "difference", "too high?", "beyond the relative's")
RELATIONS = {"parent": "parent", "finetuned": "control", "seed": "seed"}


@reports_failures
def claims(
    preset: Annotated[str | None, typer.Option(help="Compare claims only with evaluations of this preset")] = None,
    references: Annotated[
        bool, typer.Option("--references", help="Show published figures instead, for orientation")
    ] = False,
    refuse_overestimated: Annotated[
        bool, typer.Option("--refuse-overestimated", help="Exit with code 3 if a claim is above its re-evaluation")
    ] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Compare claims with re-evaluations, next to the same for parents and controls."""
    with connected(url) as client:
        found = list(client.each("claims/references") if references else client.each("claims", preset=preset))
    if as_json:
        print(json.dumps(found))
    elif references:
        print_references(found)
    else:
        print_claims(found)
    if refuse_overestimated and any(one["gap"] and one["gap"]["answer"] == "yes" for one in found if not references):
        raise typer.Exit(GATE_NOT_MET)


def print_claims(found: list[dict[str, Any]]) -> None:
    """One row a claim, one under it for each relative."""
    if not found:
        out.print("No checkpoint has a claim.")
        return
    rows: list[tuple[str, ...]] = []
    for one in found:
        gap = one["gap"]
        answer = gap["answer"] if gap else "not re-evaluated"
        claimed = describe_claim(one) + ("" if one["is_at_default"] else f" at {one['norm']} {one['eps_text']}")
        rows.append((one["checkpoint_name"], claimed, describe_measured(one), points(gap), answer, ""))
        for other in one["against"] if gap else []:
            name = f"  {RELATIONS[other['relation']]} {other['checkpoint_name']}"
            excess = other["excess"]
            beyond = f"{points(excess)} {excess['answer']}" if excess else ""
            own = describe_claim(other) if other["claim"] else "nothing"
            reason = "" if excess else other["reason"]
            rows.append((name, own, describe_measured(other), points(other["gap"]), reason, beyond))
    print_columns(TITLES, rows, numbers=("claimed", "re-evaluated", "difference", TITLES[-1]))
    for note in dict.fromkeys(note for one in found for note in one["notes"]):
        out.print(note, markup=False)


def describe_claim(one: dict[str, Any]) -> str:
    """`73.60 % (n 2,000)`."""
    claim = one["claim"]
    return percent(claim["robust_accuracy"]) + (f" (n {claim['n']:,})" if claim["n"] else " (n unknown)")


def describe_measured(one: dict[str, Any]) -> str:
    """`70.00 % (autoattack, n 2,000)`, and the flags of the re-evaluation."""
    found = one["reevaluation"]
    if found is None:
        return "-"
    flags = "".join(f", {code}" for code in found.get("flags", ()))
    return f"{percent(found['robust_accuracy'])} ({found['preset']}, n {found['n']:,}{flags})"


def points(difference: dict[str, Any] | None) -> str:
    """`+3.60 [+2.85, +4.51]`, in points; positive where a claim is too high."""
    if difference is None:
        return ""
    low, high = difference["interval"]["low"], difference["interval"]["high"]
    return f"{100 * difference['value']:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def print_references(found: list[dict[str, Any]]) -> None:
    out.print("Published figures about other networks and data, not measured here: never rank them with your own.")
    titles = ("source", "data set", "method", "network", "sparsity", "eps", "clean", "robust", "claimed", "note")
    rows = []
    for one in found:
        claimed = one["claimed_robust_accuracy"]
        rows.append(
            (
                *(one[name] for name in ("source", "dataset", "method", "architecture")),
                f"{100 * one['sparsity']:.0f} %",
                f"{one['norm']} {one['eps_text']}",
                percent(one["clean_accuracy"]),
                f"{percent(one['robust_accuracy'])} {one['attack']}",
                "" if claimed is None else f"{percent(claimed)} {one['claimed_attack']}",
                one["note"] or "",
            )
        )
    print_columns(titles, rows, numbers=("sparsity", "clean", "robust", "claimed"))
