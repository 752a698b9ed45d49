"""Commands that carry finished evaluations from one server to another as a file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.jobs import Wait
from backend.cli.output import err, out
from backend.cli.session import REFUSED, AsJson, Url, connected, reports_failures, wait_for, write_whole
from backend.counts import count_words

SHOWN = {"queued": "queued, to be verified", "known": "here already", "refused": "refused"}


@reports_failures
def export_bundle(
    evaluations: Annotated[
        list[str], typer.Argument(help="Evaluation ids, or checkpoints by name (their newest evaluation)")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write, such as results.thinice")],
    adversarials: Annotated[bool, typer.Option(help="Whether the adversarial images go along")] = True,
    url: Url = None,
) -> None:
    """Write finished evaluations to one file, which `import-bundle` takes on another server."""
    with connected(url) as client:
        ids = list(dict.fromkeys(client.find_evaluations(one)[0]["id"] for one in evaluations))
        response = client.get_response("bundles", evaluation=ids, adversarials="all" if adversarials else "none")
    write_whole(output, response.content)
    err.print(f"wrote {output}: {count_words(len(ids), 'evaluation')}, {len(response.content):,} bytes", markup=False)


@reports_failures
def import_bundle(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `export-bundle` wrote")],
    wait: Wait = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import finished evaluations; their rows count once this server's networks have verified them."""
    with connected(url) as client, file.open("rb") as reader:
        body = client.upload(reader, file.name, {}, to="bundles").json()
        states = []
        for row in body["evaluations"] if wait else ():
            if row["outcome"] == "queued":
                states.append(wait_for(client, f"evaluations/{row['evaluation_id']}").json()["state"])
    if as_json:
        print(json.dumps(body))
    else:
        for row in body["evaluations"]:
            reason = f": {row['reason']}" if row["reason"] else ""
            named = f"{row['checkpoint_name']}, {row['preset']}, {count_words(row['n'], 'sample')}"
            out.print(f"{named}: {SHOWN[row['outcome']]}{reason}", markup=False)
    if any(row["outcome"] == "refused" for row in body["evaluations"]) or set(states) - {"succeeded"}:
        raise typer.Exit(REFUSED)
