"""What every command shares: its exit codes, the connection to a server, waiting for a job, and writing a file."""

import os
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from backend.cli.output import err
from backend.client import Client, RequestRefused, ServerUnreachable
from backend.errors import StartupFailed, ThinIceError
from backend.schemas import ENDED
from backend.startup import find_address, read_settings

REFUSED, UNUSABLE, GATE_NOT_MET, INTERRUPTED = 1, 2, 3, 130
POLL_SECONDS = 1.0
RESTART_SECONDS = 60.0  # how long a waiting command bears a server that is being restarted

Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="THINICE_URL", help="Server that commands speak to; default: the address that the settings name"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the JSON of the REST interface")]
Arguments = ParamSpec("Arguments")


def reports_failures(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """End a command with the exit code that its failure has, and one sentence on stderr."""

    @wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except RequestRefused as error:
            if kwargs.get("as_json") and error.body:
                print(error.body)
            err.print(error.message, markup=False, soft_wrap=True)
            raise typer.Exit(REFUSED) from None
        except (ServerUnreachable, StartupFailed) as error:
            err.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(UNUSABLE) from None
        except ThinIceError as error:
            err.print(error.message, markup=False, soft_wrap=True)
            raise typer.Exit(REFUSED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None

    return wrapped


@contextmanager
def connected(url: str | None) -> Iterator[Client]:
    """A client for the given address, or for the server that this machine's settings describe."""
    settings = read_settings()
    client = Client(url or find_address(settings), settings.token)
    try:
        yield client
    finally:
        client.session.close()


def wait_for(client: Client, path: str) -> Any:
    """The last response about a job once it is over; shows its progress meanwhile."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    reached = time.monotonic()
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("queued", total=None)
        while True:
            try:
                response = client.get_response(path)
                reached = time.monotonic()
            except ServerUnreachable:
                if time.monotonic() - reached > RESTART_SECONDS:
                    raise
                time.sleep(POLL_SECONDS)
                continue
            now = response.json()
            if now["state"] in ENDED:
                return response
            done = now["progress"]
            progress.update(bar, description=done["stage"] or now["state"], completed=done["done"], total=done["total"])
            time.sleep(POLL_SECONDS)


def open_page(client: Client, page: str) -> None:
    """Open a page of the dashboard in the browser; its address is printed too, for who sits at another machine."""
    address = f"{client.url}/{page}"
    print(address, flush=True)
    if not webbrowser.open(address):
        err.print("No browser could be started here; open the address above.", markup=False)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file all at once, so that no reader ever sees half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror}).") from error
