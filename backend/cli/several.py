"""`thinice compare-several`: what several pruned checkpoints lose, and which losses they have in common."""

from typing import Annotated, Any

import typer

from backend.cli.columns import print_columns
from backend.cli.output import out
from backend.cli.session import AsJson, Url, connected, reports_failures
from backend.client import choose_pair
from backend.counts import count_words


@reports_failures
def compare_several(
    dense: Annotated[str, typer.Argument(help="Dense checkpoint or evaluation, by name or id")],
    pruned: Annotated[list[str], typer.Argument(help="Up to eight pruned checkpoints or evaluations, by name or id")],
    eps: Annotated[str | None, typer.Option(help='"8/255" or a decimal; default: that of the evaluations')] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show what several pruned checkpoints lose of one dense one, and how much of it they lose together."""
    with connected(url) as client:
        candidates = client.find_evaluations(dense)
        others = []
        for name in pruned:
            one, other = choose_pair(candidates, client.find_evaluations(name))
            candidates = [one]  # the evaluation that the first pair rests on serves all
            others.append(other["id"])
        response = client.get_response("comparisons/several", dense=candidates[0]["id"], pruned=others, eps=eps)
    if as_json:
        print(response.text)
    else:
        print_several(response.json())


def print_several(found: dict[str, Any]) -> None:
    """The checkpoints in a table, clean and at eps, and the losses that they share."""
    rows = [show_row(row) for row in (found["dense"], *found["pruned"])]
    titles = ("checkpoint", "clean", "robust", "lost", "gained", f"lost at {found['eps_text']}", "gained at eps")
    out.print(f"n = {found['n']:,}, the samples that all evaluations share", markup=False)
    print_columns(titles, rows, numbers=titles[1:])
    networks = len(found["pruned"])
    for words, shared in (("clean", found["clean"]), (f"at eps {found['eps_text']}", found["robust"])):
        counts = [one["count"] for one in shared["at_least"]]
        held = count_words(shared["held"], "sample")
        out.print(
            f"Of the {held} that the dense checkpoint holds {words}: {counts[0]:,} lost by at least one, "
            f"{counts[-1]:,} by all {networks}",
            markup=False,
        )
    for note in found["notes"]:
        out.print(f"Note: {note}", markup=False)


def show_row(row: dict[str, Any]) -> list[str]:
    """A checkpoint: its accuracies in percent, and what it loses and gains; the dense one loses nothing."""
    name, counts = row["name"], [row["clean"]["n10"], row["clean"]["n01"]]
    counts += [row["robust"]["n10"], row["robust"]["n01"]]
    accuracies = [f"{100 * row[key]['value']:.2f} %" for key in ("clean_accuracy", "robust_accuracy")]
    return [name, *accuracies, *(f"{count:,}" for count in counts)]
