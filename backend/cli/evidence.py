"""Commands for additional evidence: uploaded adversarials, replays, and more effort on chosen samples."""

import json
from pathlib import Path
from typing import Annotated

import typer

from backend.attacks.catalogue import DEFAULT_PRESET
from backend.cli.jobs import Wait, add_job_commands, tell, tell_all
from backend.cli.output import print_evidence, print_layers
from backend.cli.session import AsJson, Url, connected, reports_failures
from backend.client import choose_pair

app = typer.Typer(help="Evidence that lowers best-known bounds and leaves margins as they are.", no_args_is_help=True)

EvaluationName = Annotated[str, typer.Argument(help="Evaluation id, or checkpoint by name (its newest evaluation)")]


@app.command()
@reports_failures
def upload(
    evaluation: EvaluationName,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help=".npy, float32 (n, C, H, W), pixels in [0, 1]")
    ],
    source: Annotated[str, typer.Option(help="Whom to credit: attack, tool, author")],
    indices: Annotated[
        str | None,
        typer.Option(help="Data set row of each: 3,17,9, or a .json or .npy file; default: all rows, ascending"),
    ] = None,
    wait: Wait = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Upload adversarials; the server verifies each one on the network itself before it counts."""
    rows = None if indices is None else json.dumps(read_indices(indices))
    with connected(url) as client, file.open("rb") as reader:
        path = f"evaluations/{client.find_evaluations(evaluation)[0]['id']}/evidence"
        response = client.upload(reader, file.name, {"source": source, "indices": rows}, to=path)
        tell(client, "evidence", print_evidence, response.json(), wait=wait, as_json=as_json)


@app.command("list")
@reports_failures
def list_evidence(evaluation: EvaluationName, url: Url = None, as_json: AsJson = False) -> None:
    """List the additional evidence of an evaluation, newest first."""
    with connected(url) as client:
        found = list(client.each(f"evaluations/{client.find_evaluations(evaluation)[0]['id']}/evidence"))
    nothing = "This evaluation has no additional evidence. `thinice evidence upload` and `attack-harder` add some."
    tell_all(found, print_evidence, nothing=nothing, as_json=as_json)


add_job_commands(
    app,
    "evidence",
    "evidence",
    print_evidence,
    keeps="the bounds that it lowered are kept",
    deletes=", and withdraw the bounds that it set",
    page=None,
)


@reports_failures
def replay(
    dense: Annotated[str, typer.Argument(help="Dense checkpoint or evaluation, by name or id")],
    pruned: Annotated[str, typer.Argument(help="Pruned checkpoint or evaluation, by name or id")],
    wait: Wait = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Try the dense network's adversarials on the pruned one and the reverse: moved boundary or new hole?"""
    with connected(url) as client:
        one, other = choose_pair(client.find_evaluations(dense), client.find_evaluations(pruned))
        pair = {"dense": one["id"], "pruned": other["id"]}
        rows = client.request("POST", "comparisons/replay", json=pair).json()
        tell(client, "evidence", print_evidence, rows, wait=wait, as_json=as_json)


@reports_failures
def attack_harder(
    evaluation: EvaluationName,
    samples: Annotated[str, typer.Option(help="Rows of the data set, such as 3,17,9")],
    budget: Annotated[
        float,
        typer.Option(
            help="Gradients per sample (three passes without one count as one), or seconds in total (see --unit)"
        ),
    ],
    unit: Annotated[str, typer.Option(help="gradients or seconds")] = "gradients",
    preset: Annotated[
        str, typer.Option(help="Preset to run again and again, each time with another seed")
    ] = DEFAULT_PRESET,
    wait: Wait = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Spend a stated budget on chosen samples, to lower their best-known bounds, never their margins."""
    with connected(url) as client:
        path = f"evaluations/{client.find_evaluations(evaluation)[0]['id']}/attack-harder"
        request = {"samples": read_indices(samples), "budget": budget, "budget_unit": unit, "preset": preset}
        row = client.request("POST", path, json=request).json()
        tell(client, "evidence", print_evidence, row, wait=wait, as_json=as_json)


@reports_failures
def restore_layers(
    dense: Annotated[str, typer.Argument(help="Dense checkpoint or evaluation, by name or id")],
    pruned: Annotated[str, typer.Argument(help="Pruned checkpoint or evaluation, by name or id")],
    eps: Annotated[str | None, typer.Option(help='"8/255" or a decimal; default: that of the comparison')] = None,
    wait: Wait = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Restore the parent's layers one at a time: which one brings lost samples back?"""
    with connected(url) as client:
        one, other = choose_pair(client.find_evaluations(dense), client.find_evaluations(pruned))
        wish = {"dense": one["id"], "pruned": other["id"], "eps": eps}
        row = client.request("POST", "comparisons/layers", json=wish).json()
        if wait and not as_json:
            tell(client, "evidence", print_evidence, row, wait=True, as_json=False)
            print_layers(client.get(f"evidence/{row['id']}/layers"))
        else:
            tell(client, "evidence", print_evidence, row, wait=wait, as_json=as_json)


def read_indices(text: str) -> list[int]:
    """Row numbers written as `3,17,9`, or out of a .json list or an .npy of whole numbers."""
    path = Path(text)
    try:
        if path.suffix == ".npy":
            import numpy as np  # here, so that the other commands start fast

            return [int(index) for index in np.load(path, allow_pickle=False).ravel()]
        if path.suffix == ".json":
            return [int(index) for index in json.loads(path.read_text(encoding="utf-8"))]
        return [int(part) for part in text.split(",") if part.strip()]
    except (ValueError, TypeError, OSError) as error:
        raise typer.BadParameter(f"Rows must be numbers such as 3,17,9, or a .json or .npy file: {error}.") from error
