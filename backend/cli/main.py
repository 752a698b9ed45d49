"""The command line: the verbs of the REST interface, against a running server.

Exit codes: 0 done; 1 refused, or the evaluation failed; 2 wrong usage, or no server; 3 a gate is not met.
"""

import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import wrap_file

from backend.attacks.catalogue import DEFAULT_PRESET, PRESETS
from backend.cli import bundles, checkpoints, claims, datasets, evidence, example, jobs, prunings, several, table
from backend.cli.comparison import print_comparison
from backend.cli.datasets import choose_eps, file_to_send, print_dataset
from backend.cli.output import err, out, print_checkpoint, print_evaluation
from backend.cli.session import GATE_NOT_MET, REFUSED, AsJson, Url, connected, reports_failures, wait_for, write_whole
from backend.cli.status import JOB_NAMES, print_status
from backend.client import choose_pair
from backend.counts import count_words
from backend.errors import InvalidRequest
from backend.schemas import ACTIVE, RESUMABLE
from models.pruning.plans import CONTROL, METHODS

DEFAULT_SAMPLES = 1000
DEMO_SAMPLES = 500
DEMO_PRIORITY = 50

app = typer.Typer(
    help="Which samples flip after pruning? Commands talk to a running server (see `serve`).",
    epilog="Exit codes: 0 done; 1 refused, or a job failed; 2 wrong usage, or no server; 3 a gate is not met.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def print_version(is_asked_for: bool) -> None:
    """End with the version, before any command runs."""
    if is_asked_for:
        print(f"thinice {version('thinice')}")
        raise typer.Exit


@app.callback()
def begin(
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit")
    ] = False,
) -> None:
    """What every command shares."""


@app.command()
def serve() -> None:
    """Start the server and its workers, and keep them running until Ctrl-C."""
    from backend.supervisor import main as supervise  # here, so that the other commands start fast

    raise typer.Exit(supervise([]))


@app.command()
def worker() -> None:
    """Start one worker, for a machine that shares the server's database and home."""
    from backend.jobs.worker import main as work  # here, because it imports torch

    work()


@app.command()
@reports_failures
def status(url: Url = None, as_json: AsJson = False) -> None:
    """Show the server's health, its workers and its queue."""
    with connected(url) as client:
        health = client.get_response("health")
        if as_json:
            print(health.text)
            return
        jobs = {
            noun: [item for state in reversed(ACTIVE) for item in client.each(noun, state=state)] for noun in JOB_NAMES
        }
        print_status(client.url, health.json(), jobs)


Architecture = Annotated[
    str | None, typer.Option(help="Name, or @FILE with a JSON list of the layers of a plain nn.Sequential")
]
ClaimedNorm = Annotated[str | None, typer.Option(help="Norm of the claim, Linf, L2 or L1; default: the data set's")]
ClaimedEps = Annotated[
    str | None, typer.Option(help='eps of the claim, "8/255" or a decimal; default: the data set\'s')
]


def read_architecture(given: str | None) -> str | None:
    """What the option says; the text of the file where it starts with @.

    Raises:
        InvalidRequest: no such file.
    """
    if given is None or not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The layers cannot be read from {given[1:]}: {error}.") from error


@app.command()
@reports_failures
def upload(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Checkpoint file")],
    name: Annotated[str, typer.Option(help="Name, unique on the server")],
    role: Annotated[str, typer.Option(help="dense or pruned")],
    dataset: Annotated[str, typer.Option(help="Data set, by slug or id")],
    parent: Annotated[str | None, typer.Option(help="Checkpoint that it was made from, by name or id")] = None,
    architecture: Architecture = None,
    normalization: Annotated[str | None, typer.Option(help="Normalisation preset")] = None,
    method: Annotated[str | None, typer.Option(help=f"{', '.join(METHODS)}, {CONTROL}, ...")] = None,
    declared_sparsity: Annotated[float | None, typer.Option(help="Share of zero weights, 0..1")] = None,
    keep_rate: Annotated[float | None, typer.Option(help="Share of weights kept, 0..1 (HYDRA, HARP)")] = None,
    claimed_robust_accuracy: Annotated[float | None, typer.Option(help="Claimed robust accuracy, 0..1")] = None,
    claimed_attack: Annotated[str | None, typer.Option(help="Attack of the claim")] = None,
    claimed_norm: ClaimedNorm = None,
    claimed_eps: ClaimedEps = None,
    claimed_n: Annotated[int | None, typer.Option(help="How many samples the claim counts")] = None,
    claimed_source: Annotated[str | None, typer.Option(help="Where the claim was made")] = None,
    evaluate: Annotated[str | None, typer.Option(help="Queue an evaluation with this preset at once")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Upload a checkpoint file; the server imports it, or says what is wrong with it."""
    with connected(url) as client:
        fields = {
            "name": name,
            "role": role,
            "dataset_id": dataset,
            "parent_id": client.find_checkpoint(parent)["id"] if parent else None,
            "architecture": read_architecture(architecture),
            "normalization": normalization,
            "method": method,
            "declared_sparsity": declared_sparsity,
            "keep_rate": keep_rate,
            "claimed_robust_accuracy": claimed_robust_accuracy,
            "claimed_attack": claimed_attack,
            "claimed_norm": claimed_norm,
            "claimed_eps": claimed_eps,
            "claimed_n": claimed_n,
            "claimed_source": claimed_source,
            "evaluate": evaluate,
        }
        size = file.stat().st_size
        with (
            file.open("rb") as content,
            wrap_file(content, size, description="Sending", console=err, transient=True, disable=as_json) as reader,
        ):
            response = client.upload(reader, file.name, fields)
        if as_json:
            print(response.text)
        else:
            print_checkpoint(response.json())


@app.command()
@reports_failures
def dataset(
    what: Annotated[
        str, typer.Argument(help="fashion-mnist, cifar10, cifar100, svhn; or a file: .npz with x and y, images as idx")
    ],
    name: Annotated[str | None, typer.Option(help="Name, unique on the server; cifar10, ... have their own")] = None,
    path: Annotated[
        Path | None, typer.Option(exists=True, help="File or folder of fashion-mnist, ...; downloaded if left out")
    ] = None,
    split: Annotated[str | None, typer.Option(help="train or test, of a data set by name; default: test")] = None,
    labels: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Labels, for idx images")] = None,
    norm: Annotated[str, typer.Option(help="Default norm of evaluations")] = "Linf",
    eps: Annotated[str | None, typer.Option(help='Default eps of evaluations; default: its own, or "8/255"')] = None,
    classes: Annotated[str | None, typer.Option(help="Class names, separated by commas")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Upload a data set: Fashion-MNIST, CIFAR-10, CIFAR-100 or SVHN by name, an .npz file, or a pair of idx files."""
    with (
        connected(url) as client,
        file_to_send(what, path=path, split=split, name=name, labels=labels) as (file, chosen, part),
    ):
        fields = {
            "name": chosen,
            "default_norm": norm,
            "default_eps": choose_eps(what, eps),
            "classes": classes,
            "split": part,
        }
        with file.open("rb") as reader:
            response = client.upload(reader, file.name, fields, to="datasets")
        if as_json:
            print(response.text)
        else:
            print_dataset(response.json())


@app.command()
@reports_failures
def evaluate(
    checkpoint: Annotated[str, typer.Argument(help="Checkpoint, by name or id")],
    preset: Annotated[str, typer.Option(help=", ".join(PRESETS))] = DEFAULT_PRESET,
    samples: Annotated[
        str | None, typer.Option(help="How many from row 0 on; 100-199; 500@7 draws 500 by seed 7; or rows: 3,7,9")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Data set; default: the checkpoint's")] = None,
    norm: Annotated[str | None, typer.Option(help="Linf or L2; default: the data set's")] = None,
    eps: Annotated[str | None, typer.Option(help='"8/255" or a decimal; default: the data set\'s')] = None,
    seed: Annotated[int, typer.Option(help="Seed of the attacks")] = 0,
    repeat: Annotated[int, typer.Option(help="Queue this many, with seed, seed + 1, ..., to see attack noise")] = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; exit code 1 unless it succeeds")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Queue an evaluation of a checkpoint."""
    with connected(url) as client:
        found = client.find_checkpoint(checkpoint)
        size = client.get(f"datasets/{dataset or found['dataset_id']}")["size"]
        request = {
            "checkpoint_id": found["id"],
            "dataset_id": dataset or found["dataset_id"],
            "samples": min(DEFAULT_SAMPLES, size) if samples is None else read_samples(samples),
            "norm": norm,
            "eps": eps,
            "preset": preset,
            "seed": seed,
            "repeat": repeat,
        }
        response = client.request("POST", "evaluations", json=request)
        if wait:
            for other in client.each("evaluations", repeat_of=response.json()["id"]) if repeat > 1 else ():
                wait_for(client, f"evaluations/{other['id']}")
            response = wait_for(client, f"evaluations/{response.json()['id']}")
        if as_json:
            print(response.text)
        else:
            print_evaluation(response.json())
        if response.json()["state"] in RESUMABLE:
            raise typer.Exit(REFUSED)


def read_samples(text: str) -> int | str | list[int] | dict[str, int]:
    """What REST takes: `500` is rows 0 to 499, `100-199` and `3,7,9` are these rows, `500@7` a draw by seed 7."""
    if re.fullmatch(r"\s*\d+\s*-\s*\d+\s*", text):
        return re.sub(r"\s", "", text)
    try:
        if "@" in text:
            draw, seed = text.split("@")
            return {"draw": int(draw), "seed": int(seed)}
        return [int(part) for part in text.split(",") if part.strip()] if "," in text else int(text)
    except ValueError:
        raise typer.BadParameter(
            f"--samples takes a number, a range such as 100-199, a draw such as 500@7 (500 by seed 7), or rows such "
            f"as 3,7,9; got {text!r}."
        ) from None


@app.command()
@reports_failures
def compare(
    dense: Annotated[str, typer.Argument(help="Dense checkpoint or evaluation, by name or id")],
    pruned: Annotated[str, typer.Argument(help="Pruned checkpoint or evaluation, by name or id")],
    eps: Annotated[str | None, typer.Option(help='"8/255" or a decimal; default: that of the evaluations')] = None,
    max_lost: Annotated[int | None, typer.Option(min=0, help="Gate: at most this many samples lost at eps")] = None,
    min_robust: Annotated[
        float | None, typer.Option(min=0, max=1, help="Gate: at least this robust accuracy at eps, 0..1")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show what pruning changed; with a gate, exit with code 3 if it is not met or the effort was not equal."""
    with connected(url) as client:
        one, other = choose_pair(client.find_evaluations(dense), client.find_evaluations(pruned))
        response = client.get_response("comparisons", dense=one["id"], pruned=other["id"], eps=eps)
    comparison = response.json()
    if as_json:
        print(response.text)
    else:
        print_comparison(comparison)
    unmet = find_unmet(comparison, max_lost, min_robust)
    for sentence in unmet:
        err.print(f"Gate not met: {sentence}", markup=False)
    if unmet:
        raise typer.Exit(GATE_NOT_MET)


def find_unmet(comparison: dict[str, Any], max_lost: int | None, min_robust: float | None) -> list[str]:
    """Sentences for the gates that the comparison does not meet; none where no gate was asked for."""
    if max_lost is None and min_robust is None:
        return []
    counts, unmet = comparison["robust"], []
    robust = (counts["n11"] + counts["n01"]) / comparison["n"]
    if not comparison["equal_effort"]:
        unmet.append("the two evaluations differ in more than the checkpoint, so they decide no gate.")
    if max_lost is not None and counts["n10"] > max_lost:
        unmet.append(
            f"{count_words(counts['n10'], 'sample')} lost at eps {comparison['eps_text']}, at most {max_lost} allowed."
        )
    if min_robust is not None and robust < min_robust:
        unmet.append(f"robust accuracy {robust:.4f} at eps {comparison['eps_text']}, at least {min_robust} required.")
    return unmet


@app.command()
@reports_failures
def export(
    evaluation: Annotated[str, typer.Argument(help="Evaluation id, or checkpoint by name (its newest evaluation)")],
    format: Annotated[str, typer.Option(help="csv, parquet or json")] = "csv",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; default: standard output")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Write every sample's margin and verdict."""
    with connected(url) as client:
        found = client.find_evaluations(evaluation)[0]
        response = client.get_response(f"evaluations/{found['id']}/margins", format="json" if as_json else format)
    if output is None:
        if format == "parquet" and not as_json and sys.stdout.isatty():
            raise typer.BadParameter("Parquet cannot go to a terminal; name a file with -o.")
        sys.stdout.buffer.write(response.content)
        sys.stdout.buffer.flush()
        return
    write_whole(output, response.content)
    err.print(f"wrote {output} ({len(response.content):,} bytes)", markup=False)


@app.command()
@reports_failures
def demo(
    samples: Annotated[int, typer.Option(min=1, help="Samples per checkpoint")] = DEMO_SAMPLES,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Queue margins for every shipped checkpoint that lacks them, behind the users' own jobs."""
    with connected(url) as client:
        has_margins = {
            item["checkpoint_id"]
            for item in client.each("evaluations")
            if item["preset"] == DEFAULT_PRESET and item["n"] >= samples and item["state"] not in RESUMABLE
        }
        bodies = []
        for checkpoint in client.each("checkpoints"):
            if checkpoint["origin"] == "zoo" and checkpoint["id"] not in has_margins:
                request = {"checkpoint_id": checkpoint["id"], "dataset_id": checkpoint["dataset_id"]}
                wish = {"samples": samples, "preset": DEFAULT_PRESET, "priority": DEMO_PRIORITY}
                bodies.append(client.request("POST", "evaluations", json=request | wish).text)
    if as_json:
        print(f"[{','.join(bodies)}]")
    else:
        out.print(f"queued {count_words(len(bodies), 'evaluation')}; `thinice status` shows them")


app.add_typer(checkpoints.app, name="checkpoints")
app.add_typer(datasets.app, name="datasets")
app.add_typer(jobs.evaluations, name="evaluations")
app.add_typer(evidence.app, name="evidence")
app.add_typer(prunings.app, name="prunings")
app.command()(claims.claims)
app.command("compare-several")(several.compare_several)
app.command()(prunings.prune)
app.command()(evidence.replay)
app.command("attack-harder")(evidence.attack_harder)
app.command("restore-layers")(evidence.restore_layers)
app.command()(table.table)
app.command("export-bundle")(bundles.export_bundle)
app.command("import-bundle")(bundles.import_bundle)
app.command()(example.example)


def main() -> None:
    """Entry point of `thinice`."""
    app()


if __name__ == "__main__":
    main()
