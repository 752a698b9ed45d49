"""Commands that prune a checkpoint on the server, and tell of what was pruned there."""

from typing import Annotated, Any

import typer

from backend.cli.columns import print_columns
from backend.cli.jobs import Wait, add_job_commands, tell, tell_all
from backend.cli.output import out, percent
from backend.cli.session import AsJson, Url, connected, reports_failures
from backend.counts import count_words
from models.pruning.plans import CONTROL, METHODS

app = typer.Typer(help="List, show, open, cancel, resume, delete prunings; `prune` queues one.", no_args_is_help=True)

Sparsity = Annotated[
    float | None, typer.Option(help="Share to remove, such as 0.95 (for HARP's channels: of multiplications)")
]
Augments = Annotated[
    bool | None, typer.Option("--augment/--no-augment", help="Random crops and mirror images; default: the schedule's")
]


@reports_failures
def prune(
    method: Annotated[str, typer.Argument(help=f"{', '.join(METHODS)}; {CONTROL} prunes nothing")],
    parent: Annotated[str, typer.Option(help="Dense checkpoint, by name or id")],
    data: Annotated[str, typer.Option(help="Training images: a data set by slug or id, not the parent's own")],
    sparsity: Sparsity = None,
    name: Annotated[str | None, typer.Option(help="Name of the result; generated if left out")] = None,
    granularity: Annotated[str, typer.Option(help="weight, filter or channel")] = "weight",
    schedule: Annotated[str, typer.Option(help="short, or paper (for a GPU)")] = "short",
    epochs: Annotated[int | None, typer.Option(help="Epochs of the whole run; default: the schedule's")] = None,
    eps: Annotated[str | None, typer.Option(help='Radius of training, "8/255"; default: the parent\'s')] = None,
    loss: Annotated[str | None, typer.Option(help="PGD-AT, TRADES or MART; default: the method's")] = None,
    pgd_steps: Annotated[int | None, typer.Option(help="Steps of the attack in training")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate of the finetuning")] = None,
    epoch_images: Annotated[int | None, typer.Option(help="Images drawn for each epoch")] = None,
    validation_samples: Annotated[int | None, typer.Option(help="Training images kept back to pick the epoch")] = None,
    augments: Augments = None,
    precision: Annotated[str | None, typer.Option(help="float32 (default), or bfloat16 for a GPU")] = None,
    setting: Annotated[list[str] | None, typer.Option(help="A setting of the method, such as rho=0.01")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the training")] = 0,
    evaluate: Annotated[str | None, typer.Option(help="Queue an evaluation of the result with this preset")] = None,
    wait: Wait = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Prune a dense checkpoint on the server; the result becomes one of its checkpoints."""
    with connected(url) as client:
        wish = {
            "method": method,
            "parent_id": client.find_checkpoint(parent)["id"],
            "training_dataset_id": data,
            "sparsity": sparsity,
            "name": name,
            "granularity": granularity,
            "schedule": schedule,
            "epochs": epochs,
            "eps": eps,
            "loss": loss,
            "pgd_steps": pgd_steps,
            "learning_rate": learning_rate,
            "epoch_images": epoch_images,
            "validation_samples": validation_samples,
            "augments": augments,
            "precision": precision,
            "settings": read_settings(setting or []),
            "seed": seed,
            "evaluate": evaluate,
        }
        row = client.request("POST", "prunings", json=wish).json()
        tell(client, "prunings", print_pruning, row, wait=wait, as_json=as_json)


@app.command("list")
@reports_failures
def list_prunings(url: Url = None, as_json: AsJson = False) -> None:
    """List the prunings on the server, newest first."""
    with connected(url) as client:
        rows = list(client.each("prunings"))
    nothing = "Nothing has been pruned here yet. `thinice prune METHOD` starts that."
    tell_all(rows, print_pruning, nothing=nothing, as_json=as_json)


@app.command()
@reports_failures
def methods(url: Url = None, as_json: AsJson = False) -> None:
    """List the pruning methods and what they prune."""
    with connected(url) as client:
        response = client.get_response("pruning-methods")
    if as_json:
        print(response.text)
        return
    rows = []
    for row in response.json()["items"]:
        schedules = ", ".join(f"{one['name']} ({count_words(one['epochs'], 'epoch')})" for one in row["schedules"])
        names = ", ".join(one["name"] for one in row["settings"])
        rows.append((row["name"], ", ".join(row["granularities"]), schedules, names))
    print_columns(("method", "prunes", "schedules", "settings"), rows)


def print_pruning(row: dict[str, Any]) -> None:
    what = "nothing pruned" if row["method"] == CONTROL else f"{row['granularity']}s {percent(row['sparsity'])}"
    out.print(
        f"[bold]{row['name']}[/bold]  {row['id']}  {row['method']} of {row['parent_name']}, {what}, "
        f"trained on {row['training_dataset']} at eps {row['eps_text']}, {count_words(row['epochs'], 'epoch')}, "
        f"{count_words(row['passes'], 'pass', 'passes')}, seed {row['seed']}: {row['state']}",
        soft_wrap=True,
    )
    if row["error"]:
        out.print(row["error"]["message"], markup=False)
    for warning in row["warnings"]:
        out.print(f"Warning: {warning}", markup=False)
    if row["checkpoint_id"]:
        record = row["record"]
        out.print(
            f"Checkpoint {row['checkpoint_id']}: sparsity {percent(record['measured_sparsity'])} measured, clean / "
            f"PGD-10 accuracy {percent(record['clean_accuracy'])} / {percent(record['claimed_robust_accuracy'])}, "
            f"n = {record['claimed_n']:,}",
            soft_wrap=True,
        )


add_job_commands(
    app,
    "prunings",
    "pruning",
    print_pruning,
    keeps="the state of its training is kept",
    deletes=" and left no checkpoint, with the state of its training",
    page="prune?pruning={id}",
)


def read_settings(words: list[str]) -> dict[str, float]:
    """Numbers written as `rho=0.01`."""
    try:
        pairs = [word.split("=", 1) for word in words]
        return {name: float(value) for name, value in pairs}
    except ValueError:
        raise typer.BadParameter(f"--setting takes a name and a number, such as rho=0.01; got {words}.") from None
