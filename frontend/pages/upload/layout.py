"""The page: a file, the form next to it; or the sheet of a checkpoint or data set that is there."""

from dataclasses import dataclass
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
from frontend.pages.upload.bundle import bundle_form, result_parts
from frontend.pages.upload.form import checkpoint_form, parent_choices
from frontend.pages.upload.sheet import dataset_sheet, sheet_page


@dataclass(frozen=True)
class UploadKind:
    """Something that can be uploaded: its name, the sentences about it, and the button that imports it."""

    title: str
    lead: str
    words: str
    action: str
    button: str


KINDS = {
    "checkpoint": UploadKind(
        "Checkpoint",
        "Drop a file. Within seconds the page shows the network, any warnings, and the checkpoint to compare it with.",
        "A PyTorch state dict in the old or the new format (.pt, .pth, .pth.tar, .t7, .bin), or .safetensors. Masked "
        "files of HYDRA, HARP, TwinRep, MAD and torch.nn.utils.prune work too. The file is opened in a sandboxed child "
        "process, and none of its code runs.",
        "Import the checkpoint",
        ids.GO,
    ),
    "dataset": UploadKind(
        "Data set",
        "Checkpoints are evaluated on a data set. The content of a sample identifies it, not its row.",
        "An .npz file with x (uint8 images, shape (N, H, W, C) or (N, H, W)) and y (integer labels), or an archive of "
        "CIFAR-10, CIFAR-100 or SVHN.",
        "Add the data set",
        ids.SET_GO,
    ),
    "bundle": UploadKind(
        "Results",
        "A bundle brings finished evaluations from another server. They count once a worker has verified them on the "
        "networks of this server, so their checkpoints and data sets must be here.",
        "A .thinice file, as the export of an evaluation or thinice export-bundle writes it.",
        "Verify and import",
        ids.BUNDLE_GO,
    ),
}


def layout(**query: str) -> Component:
    """The forms; with `?checkpoint=<id>` what that checkpoint is, with `?kind=dataset&dataset=<slug>` the data set."""
    if query.get("checkpoint"):
        return sheet_page(query["checkpoint"])
    kind = query.get("kind", "")
    kind = kind if kind in KINDS else "checkpoint"
    if kind == "dataset" and query.get("dataset"):
        return dataset_sheet(datasets.get_dataset(query["dataset"]))
    known = read_list(datasets.list_datasets)
    forms = {"checkpoint": lambda: checkpoint_form(known, query), "dataset": dataset_form, "bundle": bundle_form}
    parts = [
        dcc.Store(id=ids.SETUP, data=setup(kind)),
        dcc.Store(id=ids.MOUNTED),
        dcc.Store(id=ids.FILE),
        html.H1("Upload", className="page-title"),
        html.P(lead(kind, known), className="lead"),
        kinds(kind),
        card("1. The file", html.Div(id=ids.DROP, className="drop")),
        *forms[kind](),
        html.Div(id=ids.REFUSAL, role="alert"),
        html.Div(
            [
                html.Button(KINDS[kind].action, id=KINDS[kind].button, className="button button-primary"),
                html.Span(id=ids.STATUS, role="status", className="muted"),
            ],
            className="form-foot",
        ),
        *(result_parts() if kind == "bundle" else ()),
    ]
    return html.Div(parts, id=ids.PAGE, className="page-stack upload")


def setup(kind: str) -> dict[str, Any]:
    """What the browser needs to know of the server."""
    return {
        "kind": kind,
        "limit_bytes": get_settings().max_upload_mb * 1024 * 1024,
        "words": KINDS[kind].words,
        "parents": parent_choices() if kind == "checkpoint" else [],
    }


def lead(kind: str, known: list[DatasetOut]) -> str:
    if kind == "checkpoint" and not known:
        return "Every checkpoint belongs to a data set. Add a data set first."
    return KINDS[kind].lead


def kinds(chosen: str) -> Component:
    """What can be uploaded."""
    links: list[Content] = [
        dcc.Link(
            kind.title,
            href="/upload" if name == "checkpoint" else f"/upload?kind={name}",
            className=f"chip chip-choice {'is-chosen' if name == chosen else ''}".strip(),
        )
        for name, kind in KINDS.items()
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
