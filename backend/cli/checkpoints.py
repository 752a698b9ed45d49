"""Commands that list, show, open, rename and delete checkpoints."""

import json
from typing import Annotated, Any

import typer

from backend.cli.columns import print_columns
from backend.cli.output import out, percent, print_checkpoint, print_evaluation
from backend.cli.session import AsJson, Url, connected, open_page, reports_failures

app = typer.Typer(help="List, show, open, rename, delete checkpoints; `upload` adds one.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Checkpoint, by name or id")]
PAGE = "upload?checkpoint={id}"


@app.command("list")
@reports_failures
def list_checkpoints(url: Url = None, as_json: AsJson = False) -> None:
    """List all checkpoints, newest first."""
    with connected(url) as client:
        rows = list(client.each("checkpoints"))
        if as_json:
            print(json.dumps(rows))
            return
        slugs = {one["id"]: one["slug"] for one in client.each("datasets")}
    if not rows:
        out.print("There is no checkpoint yet. `thinice upload` adds one.", markup=False)
        return
    names = {row["id"]: row["name"] for row in rows}
    titles = ("checkpoint", "role", "made from", "method", "sparsity", "data set")
    cells = [
        (
            row["name"],
            row["role"],
            names.get(row["parent_id"], ""),
            row["method"] or "",
            percent(row["measured_sparsity"]),
            slugs[row["dataset_id"]],
        )
        for row in rows
    ]
    print_columns(titles, cells, numbers=("sparsity",))


@app.command()
@reports_failures
def show(checkpoint: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Show what a checkpoint is, and its evaluations."""
    with connected(url) as client:
        row = client.find_checkpoint(checkpoint)
        if as_json:
            print(json.dumps(row))
            return
        print_checkpoint(row)
        print_surroundings(
            row,
            parent=None if row["parent_id"] is None else client.get(f"checkpoints/{row['parent_id']}")["name"],
            dataset=client.get(f"datasets/{row['dataset_id']}")["slug"],
        )
        evaluations = list(client.each("evaluations", checkpoint_id=row["id"]))
        for one in evaluations:
            print_evaluation(one)
        if not evaluations:
            out.print(f"It has not been evaluated: `thinice evaluate {row['name']}` does that.", markup=False)


def print_surroundings(row: dict[str, Any], *, parent: str | None, dataset: str) -> None:
    """Where it comes from, what is claimed about it, and how its pre-flight ended."""
    made = f"{row['method'] or 'made'} from {parent}, " if parent else ""
    out.print(f"{made}data set {dataset}, pre-flight {row['preflight']['state']}", markup=False)
    if row["claim"]:
        claim = row["claim"]
        ball = f" at {claim['norm']} {claim['eps_text']}" if claim["norm"] and claim["eps_text"] else ""
        out.print(f"Claimed robust accuracy: {percent(claim['robust_accuracy'])}{ball}", markup=False)


@app.command("open")
@reports_failures
def open_checkpoint(checkpoint: Name, url: Url = None) -> None:
    """Open the page of a checkpoint in the browser."""
    with connected(url) as client:
        open_page(client, PAGE.format(id=client.find_checkpoint(checkpoint)["id"]))


@app.command()
@reports_failures
def rename(
    checkpoint: Name,
    name: Annotated[str, typer.Argument(help="New name, unique on the server")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Give a checkpoint another name."""
    with connected(url) as client:
        found = client.find_checkpoint(checkpoint)
        response = client.request("PATCH", f"checkpoints/{found['id']}", json={"name": name})
    if as_json:
        print(response.text)
    else:
        out.print(f"{found['name']} is now {response.json()['name']}", markup=False)


@app.command()
@reports_failures
def delete(checkpoint: Name, url: Url = None) -> None:
    """Delete a checkpoint that nothing was made from and that has no evaluation."""
    with connected(url) as client:
        client.request("DELETE", f"checkpoints/{client.find_checkpoint(checkpoint)['id']}")
