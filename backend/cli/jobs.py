"""Commands that every kind of job has: list, show, open, cancel, resume, delete; and how a command tells of jobs."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from backend.cli.output import out, print_evaluation
from backend.cli.session import REFUSED, AsJson, Url, connected, open_page, reports_failures, wait_for
from backend.client import Client

Row = dict[str, Any]
Show = Callable[[Row], None]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the end; exit code 1 unless it succeeds")]


def tell_all(rows: list[Row], show: Show, *, nothing: str, as_json: bool) -> None:
    """Print a list of jobs; the sentence `nothing` where there is none."""
    if as_json:
        print(json.dumps(rows))
    elif not rows:
        out.print(nothing, markup=False)
    else:
        for row in rows:
            show(row)


def tell(client: Client, path: str, show: Show, rows: Row | list[Row], *, wait: bool, as_json: bool) -> None:
    """Print one job or several, at their end where asked to wait; exit code 1 where one did not succeed."""
    listed = rows if isinstance(rows, list) else [rows]
    if wait:
        listed = [wait_for(client, f"{path}/{row['id']}").json() for row in listed]
    if as_json:
        print(json.dumps(listed if isinstance(rows, list) else listed[0]))
    else:
        for row in listed:
            show(row)
    if wait and any(row["state"] != "succeeded" for row in listed):
        raise typer.Exit(REFUSED)


def add_job_commands(
    app: typer.Typer, path: str, noun: str, show: Show, *, keeps: str, deletes: str, page: str | None
) -> None:
    """Add `show`, `cancel`, `resume` and `delete` for the jobs that REST has under `path`, and `open` where such a job
    has a page."""
    job_id = typer.Argument(metavar="ID", help=f"Id of the {noun}")

    @app.command("show", help="Show a job: its state, and what came of it.")
    @reports_failures
    def show_job(job: Annotated[str, job_id], url: Url = None, as_json: AsJson = False) -> None:
        with connected(url) as client:
            tell(client, path, show, client.get(f"{path}/{job}"), wait=False, as_json=as_json)

    if page is not None:

        @app.command("open", help="Open the page of a job in the browser.")
        @reports_failures
        def open_job(job: Annotated[str, job_id], url: Url = None) -> None:
            with connected(url) as client:
                open_page(client, page.format(id=client.get(f"{path}/{job}")["id"]))

    @app.command(help=f"Cancel a job that waits or runs; {keeps}.")
    @reports_failures
    def cancel(job: Annotated[str, job_id], url: Url = None, as_json: AsJson = False) -> None:
        with connected(url) as client:
            row = client.request("POST", f"{path}/{job}/cancel").json()
            tell(client, path, show, row, wait=False, as_json=as_json)

    @app.command(help="Resume a job that failed or was cancelled, from where it stopped.")
    @reports_failures
    def resume(job: Annotated[str, job_id], wait: Wait = False, url: Url = None, as_json: AsJson = False) -> None:
        with connected(url) as client:
            row = client.request("POST", f"{path}/{job}/resume").json()
            tell(client, path, show, row, wait=wait, as_json=as_json)

    @app.command(help=f"Delete a job that has ended{deletes}.")
    @reports_failures
    def delete(job: Annotated[str, job_id], url: Url = None) -> None:
        with connected(url) as client:
            client.request("DELETE", f"{path}/{job}")


evaluations = typer.Typer(
    help="List, show, open, cancel, resume, delete evaluations; `evaluate` queues one.", no_args_is_help=True
)


@evaluations.command("list")
@reports_failures
def list_evaluations(url: Url = None, as_json: AsJson = False) -> None:
    """List all evaluations, newest first."""
    with connected(url) as client:
        rows = list(client.each("evaluations"))
    nothing = "There is no evaluation yet. `thinice evaluate CHECKPOINT` queues one."
    tell_all(rows, print_evaluation, nothing=nothing, as_json=as_json)


add_job_commands(
    evaluations,
    "evaluations",
    "evaluation",
    print_evaluation,
    keeps="finished chunks are kept",
    deletes=", with its results, its evidence and its log",
    page="jobs?evaluation={id}",
)
