"""The page: a file, the form next to it; or the sheet of a checkpoint or data set that is there."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.datasets import DatasetOut
from backend.services import datasets
from backend.settings import get_settings
from frontend.components import Content, aria, card
from frontend.lists import read_list
from frontend.pages.upload import ids
from frontend.pages.upload.form import checkpoint_form, parent_choices
from frontend.pages.upload.sheet import dataset_sheet, sheet_page

CHECKPOINT_WORDS = (
    "A PyTorch state dict in the old or the new format (.pt, .pth, .pth.tar, .t7, .bin), or .safetensors. Masked "
    "files of HYDRA, HARP, TwinRep, MAD and torch.nn.utils.prune work too. The file is opened in a sandboxed child "
    "process, and none of its code runs."
)
DATASET_WORDS = (
    "An .npz file with x (uint8 images, shape (N, H, W, C) or (N, H, W)) and y (integer labels), or an archive of "
    "CIFAR-10, CIFAR-100 or SVHN."
)


def layout(**query: str) -> Component:
    """The forms; with `?checkpoint=<id>` what that checkpoint is, with `?kind=dataset&dataset=<slug>` the data set."""
    if query.get("checkpoint"):
        return sheet_page(query["checkpoint"])
    is_dataset = query.get("kind") == "dataset"
    if is_dataset and query.get("dataset"):
        return dataset_sheet(datasets.get_dataset(query["dataset"]))
    known = read_list(datasets.list_datasets)
    parts = [
        dcc.Store(id=ids.SETUP, data=setup(is_dataset)),
        dcc.Store(id=ids.MOUNTED),
        dcc.Store(id=ids.FILE),
        html.H1("Upload", className="page-title"),
        html.P(lead(is_dataset, known), className="lead"),
        kinds(is_dataset),
        card("1. The file", html.Div(id=ids.DROP, className="drop")),
        *(dataset_form() if is_dataset else checkpoint_form(known, query)),
        html.Div(id=ids.REFUSAL, role="alert"),
        html.Div(
            [
                html.Button(
                    "Add the data set" if is_dataset else "Import the checkpoint",
                    id=ids.SET_GO if is_dataset else ids.GO,
                    className="button button-primary",
                ),
                html.Span(id=ids.STATUS, role="status", className="muted"),
            ],
            className="form-foot",
        ),
    ]
    return html.Div(parts, id=ids.PAGE, className="page-stack upload")


def setup(is_dataset: bool) -> dict[str, Any]:
    """What the browser needs to know of the server."""
    return {
        "kind": "dataset" if is_dataset else "checkpoint",
        "limit_bytes": get_settings().max_upload_mb * 1024 * 1024,
        "words": DATASET_WORDS if is_dataset else CHECKPOINT_WORDS,
        "parents": [] if is_dataset else parent_choices(),
    }


def lead(is_dataset: bool, known: list[DatasetOut]) -> str:
    if is_dataset:
        return "Checkpoints are evaluated on a data set. The content of a sample identifies it, not its row."
    if not known:
        return "Every checkpoint belongs to a data set. Add a data set first."
    return (
        "Drop a file. Within seconds the page shows the network, any warnings, and the checkpoint to compare it with."
    )


def kinds(is_dataset: bool) -> Component:
    """The two things that can be uploaded."""
    rows = (("Checkpoint", "/upload", not is_dataset), ("Data set", "/upload?kind=dataset", is_dataset))
    links: list[Content] = [
        dcc.Link(words, href=href, className=f"chip chip-choice {'is-chosen' if is_chosen else ''}".strip())
        for words, href, is_chosen in rows
    ]
    return html.Div(links, className="chips", role="group", **aria(label="What to upload"))


def dataset_form() -> list[Component]:
    norms: Any = [{"value": name, "label": name} for name in ("Linf", "L2")]
    fields = [
        dmc.TextInput(id=ids.SET_NAME, label="Name", placeholder="from the file name", value="", className="field"),
        dmc.Select(id=ids.SET_NORM, label="Norm", data=norms, value="Linf", allowDeselect=False, className="field"),
        dmc.TextInput(id=ids.SET_EPS, label="ε", value="8/255", className="field"),
        dmc.TextInput(
            id=ids.SET_CLASSES,
            label="Class names",
            placeholder="optional, separated by commas",
            value="",
            className="field",
        ),
        dmc.Select(
            id=ids.SET_SPLIT,
            label="Split (archives only)",
            placeholder="test",
            data=["test", "train"],
            clearable=True,
            className="field",
        ),
    ]
    return [card("2. What it is", html.Div(fields, className="fields"))]
