"""The command that prints the table of a dense checkpoint and all that was made from it, and fills its gaps."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.output import err
from backend.cli.session import REFUSED, AsJson, Url, connected, reports_failures, wait_for, write_whole
from backend.client import Client
from backend.counts import count_words
from backend.schemas import ACTIVE

FORMATS = ("markdown", "latex", "csv", "json")
ROUNDS = 3  # the dense network of a newer engine first, then what is compared with it
Wish = tuple[str, int]
"""A preset and how many samples."""


@reports_failures
def table(
    parent: Annotated[str, typer.Argument(help="Dense checkpoint, by name or id")],
    format: Annotated[str, typer.Option(help="markdown, latex, csv or json")] = "markdown",
    output: Annotated[Path | None, typer.Option("-o", "--out", help="File to write; default: standard output")] = None,
    norm: Annotated[str | None, typer.Option(help="Linf, L2 or L1; default: the data set's")] = None,
    eps: Annotated[str | None, typer.Option(help='"8/255" or a decimal; default: the data set\'s')] = None,
    method: Annotated[str | None, typer.Option(help="Method whose losses are compared with the others'")] = None,
    evaluate: Annotated[
        list[str] | None, typer.Option(help="PRESET=SAMPLES: queue the missing evaluations; may be repeated")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for what was queued; exit code 1 unless all succeed")
    ] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show every checkpoint made from a dense one, and answer the paper's claims: yes, no or cannot tell."""
    wanted = "json" if as_json else format
    if wanted not in FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(FORMATS)}; got {wanted!r}.")
    wishes = [read_wish(text) for text in evaluate or ()]
    with connected(url) as client:
        path = f"families/{client.find_checkpoint(parent)['id']}"
        terms = {"norm": norm, "eps": eps, "method": method}
        for _ in range(ROUNDS if wishes else 0):
            queued = queue_missing(client, client.get(path, **terms), wishes)
            if not queued:
                break
            if not wait:
                err.print("The table includes them once they are done; `thinice status` shows their progress.")
                return
            ended = [wait_for(client, f"evaluations/{each}").json()["state"] for each in queued]
            if any(state != "succeeded" for state in ended):
                err.print(f"{sum(state != 'succeeded' for state in ended):,} of them did not succeed.")
                raise typer.Exit(REFUSED)
        response = client.get_response(path, format=wanted, **terms)
    write_output(response.content, output)


def write_output(content: bytes, output: Path | None) -> None:
    """To the file, or to standard output."""
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    write_whole(output, content)
    err.print(f"wrote {output} ({len(content):,} bytes)", markup=False)


def read_wish(text: str) -> Wish:
    """`margin=2000` as a preset and a number of samples; the server knows which presets there are."""
    preset, _, samples = text.partition("=")
    if not preset or not samples.isdecimal() or int(samples) < 1:
        raise typer.BadParameter(f"--evaluate takes PRESET=SAMPLES, such as margin=2000; got {text!r}.")
    return preset, int(samples)


def queue_missing(client: Client, family: dict[str, Any], wishes: Sequence[Wish]) -> list[str]:
    """Queue what the table lacks, after saying what and how much work it is; the ids, in the order of the queue."""
    size = client.get(f"datasets/{family['dataset_id']}")["size"]
    largest = {preset: min(samples, size) for preset, samples in sorted(wishes, key=lambda wish: wish[1])}
    active = [one for state in ACTIVE for one in client.each("evaluations", state=state)]
    bodies = [
        {
            "checkpoint_id": row["checkpoint_id"],
            "dataset_id": family["dataset_id"],
            "samples": wanted,
            "norm": family["norm"],
            "eps": family["eps_text"],
            "preset": preset,
        }
        for preset, samples in largest.items()
        for row, wanted in choose_rows(client, family["rows"], preset, samples)
        if not is_on_its_way(active, family, row, preset, wanted)
    ]
    names = {row["checkpoint_id"]: row["name"] for row in family["rows"]}
    paces = measure_paces(client)
    for preset, samples in largest.items():
        missing = [names[body["checkpoint_id"]] for body in bodies if body["preset"] == preset]
        err.print(describe_work(preset, samples, missing, paces.get(preset)), markup=False, soft_wrap=True)
    return [client.request("POST", "evaluations", json=body).json()["id"] for body in bodies]


def choose_rows(
    client: Client, rows: Sequence[dict[str, Any]], preset: str, samples: int
) -> list[tuple[dict[str, Any], int]]:
    """The rows to evaluate, each on how many samples: those that lack it, or the dense network's where others are
    ahead of it.

    Where a newer version attacks otherwise, what it measured can be compared only with a dense network that it measured
    too, on as many samples as before: the same again would never be enough.
    """
    dense = rows[0]
    own = find_verdict(dense, preset) or {}
    chosen: dict[str, tuple[dict[str, Any], int]] = {}
    for row in rows:
        incompatible = (find_verdict(row, preset) or {}).get("incompatible_evaluation_id")
        if (
            own.get("evaluation_id")
            and incompatible is not None
            and is_newer(client, incompatible, own["evaluation_id"])
        ):
            chosen[dense["checkpoint_id"]] = (dense, max(samples, own["rate"]["n"]))
        elif is_missing(row, preset, samples):
            chosen.setdefault(row["checkpoint_id"], (row, samples))
    return list(chosen.values())


def is_newer(client: Client, first: str, second: str) -> bool:
    """Whether the first evaluation was asked for after the second."""
    asked = [str(client.get(f"evaluations/{each}")["created_at"]) for each in (first, second)]
    return asked[0] > asked[1]


def find_verdict(row: dict[str, Any], preset: str) -> dict[str, Any] | None:
    return next((one for one in row["verdicts"] if one["preset"] == preset), None)


def is_missing(row: dict[str, Any], preset: str, samples: int) -> bool:
    """Whether the row has no robust accuracy by that preset on at least so many samples."""
    found = find_verdict(row, preset)
    return found is None or found["rate"] is None or found["rate"]["n"] < samples


def is_on_its_way(
    active: Sequence[dict[str, Any]], family: dict[str, Any], row: dict[str, Any], preset: str, samples: int
) -> bool:
    """Whether such an evaluation is queued or running."""
    wanted = (row["checkpoint_id"], family["dataset_id"], family["norm"], family["eps_text"], preset)
    return any(
        tuple(one[name] for name in ("checkpoint_id", "dataset_id", "norm", "eps_text", "preset")) == wanted
        and one["n"] >= samples
        for one in active
    )


def measure_paces(client: Client) -> dict[str, float]:
    """Seconds a sample took, by preset, in the newest finished evaluation that says so."""
    paces: dict[str, float] = {}
    for one in client.each("evaluations", state="succeeded"):
        seconds = one["record"].get("seconds")
        if isinstance(seconds, int | float):
            paces.setdefault(one["preset"], seconds / one["n"])
    return paces


def describe_work(preset: str, samples: int, missing: Sequence[str], pace: float | None) -> str:
    """`margin: 3 evaluations of 2,000 samples, about 9 min on one worker: a, b, c`."""
    size = count_words(samples, "sample")
    if not missing:
        return f"{preset}: nothing is missing on {size}"
    text = f"{preset}: {count_words(len(missing), 'evaluation')} of {size}"
    if pace is not None:
        text += f", about {max(1, round(pace * samples * len(missing) / 60)):,} min on one worker"
    return f"{text}: {', '.join(missing)}"
