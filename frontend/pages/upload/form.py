"""The form sent with a checkpoint's file. Shares are typed in percent; upload.js sends them as 0..1."""

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.schemas.datasets import DatasetOut
from backend.services import catalogues, checkpoints
from backend.services.catalogues import DEFAULT_PRESET
from frontend.components import card
from frontend.pages.upload import ids
from models.pruning.plans import CONTROL, SEED

ROLES = {"dense": "dense", "pruned": "pruned", CONTROL: CONTROL, SEED: "other seed"}
"""What a checkpoint can be; upload_form.js sends the two kinds of control as dense networks with a method."""
BELOW: Any = ["label", "input", "description", "error"]
"""What upload.js says about a field stands under it, so that nothing moves."""


def parent_choices() -> list[dict[str, Any]]:
    """The parents of all data sets, each with how many samples its newest evaluation has, by preset."""
    rows = checkpoints.list_parents()
    samples = checkpoints.list_samples_at_defaults([row.id for row in rows])
    return [
        {
            "value": str(row.id),
            "label": f"{row.name} ({row.architecture})",
            "name": row.name,
            "dataset": str(row.dataset_id),
            "samples": samples.get(row.id, {}),
        }
        for row in rows
    ]


def checkpoint_form(known: list[DatasetOut], query: dict[str, str]) -> list[Component]:
    """What it is, what is claimed about it, and whether to evaluate it at once."""
    return [
        card("2. What it is", html.Div(identity_fields(known, query), className="fields")),
        card(
            "3. Claimed robust accuracy",
            html.Div(claim_fields(), className="fields"),
            note="optional; shown next to the re-evaluation at the same norm and ε",
        ),
        card("4. What happens next", html.Div(next_fields(), className="next")),
    ]


def identity_fields(known: list[DatasetOut], query: dict[str, str]) -> list[Component]:
    sets: Any = [{"value": str(row.id), "label": row.name} for row in known]
    chosen = chosen_dataset(known, query.get("for"))
    parents: Any = [choice for choice in parent_choices() if choice["dataset"] == chosen]
    roles: Any = [{"value": name, "label": words} for name, words in ROLES.items()]
    return [
        dmc.TextInput(id=ids.NAME, label="Name", placeholder="from the file name", value="", className="field"),
        html.Div(
            [
                html.Span("Role", className="mantine-InputWrapper-label", id="upload-role-label"),
                dmc.SegmentedControl(id=ids.ROLE, data=roles, value="pruned", fullWidth=True),
                html.Span(id=ids.ROLE_HINT, className="under"),
            ],
            className="field",
        ),
        dmc.Select(id=ids.DATASET, label="Data set", data=sets, value=chosen, allowDeselect=False, className="field"),
        boxed(
            ids.PARENT_BOX,
            dmc.Select(
                id=ids.PARENT,
                label="Parent (dense)",
                placeholder="the checkpoint it was made from",
                data=[{"value": row["value"], "label": row["label"]} for row in parents],
                value=parents[0]["value"] if len(parents) == 1 else None,
                searchable=True,
                clearable=True,
                nothingFoundMessage="No dense checkpoint for this data set",
                inputWrapperOrder=BELOW,
                className="field",
            ),
        ),
        *recognised_fields(),
        *pruning_fields(),
    ]


def chosen_dataset(known: list[DatasetOut], slug: str | None) -> str | None:
    """The data set of the address, else that of the newest checkpoint, else the newest; None where there is none."""
    named = next((str(row.id) for row in known if row.slug == slug), None)
    if named is not None or not known:
        return named
    newest = checkpoints.list_checkpoints(1).items
    return str(newest[0].dataset_id if newest else known[0].id)


def recognised_fields() -> list[Component]:
    """What the file usually says itself."""
    automatic: dict[str, Any] = {"clearable": True, "className": "field"}
    return [
        dmc.Autocomplete(
            id=ids.ARCHITECTURE,
            label="Architecture",
            placeholder="automatic, a name or a JSON list of layers",
            data=[row.name for row in catalogues.list_architectures().items],
            value="",
            maxDropdownHeight=320,
            **automatic,
        ),
        dmc.Select(
            id=ids.NORMALIZATION,
            label="Input normalisation",
            placeholder="automatic",
            data=catalogues.list_normalizations(),
            **automatic,
        ),
    ]


def pruning_fields() -> list[Component]:
    share: dict[str, Any] = {"min": 0, "max": 100, "suffix": " %", "decimalScale": 4, "hideControls": True}
    return [
        boxed(
            ids.METHOD_BOX,
            dmc.Autocomplete(
                id=ids.METHOD,
                label="Pruning method",
                placeholder="e.g. hydra",
                data=catalogues.list_pruning_methods(),
                value="",
                className="field",
            ),
        ),
        boxed(
            ids.SPARSITY_BOX,
            dmc.NumberInput(
                id=ids.SPARSITY, label="Declared sparsity (US)", placeholder="95 %", className="field", **share
            ),
        ),
        # Also for dense networks: HYDRA's files carry scores before pruning, too.
        dmc.NumberInput(
            id=ids.KEEP_RATE,
            label="Weights kept (HYDRA and HARP score files)",
            placeholder="e.g. 5 %; 100 % before pruning",
            className="field",
            **share,
        ),
    ]


def boxed(id: str, field: Component) -> Component:
    """A field that upload.js hides where the role has no use for it."""
    return html.Div(field, id=id)


def claim_fields() -> list[Component]:
    return [
        dmc.NumberInput(
            id=ids.CLAIM,
            label="Robust accuracy",
            placeholder="e.g. 62.24 %",
            min=0,
            max=100,
            suffix=" %",
            decimalScale=4,
            hideControls=True,
            className="field",
        ),
        dmc.TextInput(id=ids.CLAIM_ATTACK, label="Attack", placeholder="e.g. PGD-50", value="", className="field"),
        dmc.Select(
            id=ids.CLAIM_NORM,
            label="Norm",
            placeholder="data set default",
            data=["Linf", "L2", "L1"],
            clearable=True,
            className="field",
        ),
        dmc.TextInput(
            id=ids.CLAIM_EPS,
            label="ε",
            placeholder="data set default, or e.g. 4/255",
            value="",
            className="field",
        ),
        dmc.NumberInput(
            id=ids.CLAIM_N,
            label="Samples (n)",
            placeholder="e.g. 10,000",
            min=1,
            allowDecimal=False,
            thousandSeparator=",",
            hideControls=True,
            className="field",
        ),
        dmc.TextInput(
            id=ids.CLAIM_SOURCE, label="Source", placeholder="e.g. paper, table or run", value="", className="field"
        ),
    ]


def next_fields() -> list[Component]:
    """The pre-flight always runs; an evaluation if wanted. upload.js fills in how many samples."""
    presets: Any = [{"value": row.name, "label": row.title} for row in catalogues.list_attacks().presets]
    return [
        dmc.Select(
            id=ids.EVALUATE,
            label="Evaluate now",
            description="The pre-flight always runs.",
            placeholder="not now",
            data=presets,
            value=DEFAULT_PRESET,
            clearable=True,
            className="field",
        ),
        dmc.NumberInput(
            id=ids.SAMPLES,
            label="Samples (n)",
            description="from row 0 on",
            inputWrapperOrder=BELOW,
            min=1,
            allowDecimal=False,
            thousandSeparator=",",
            hideControls=True,
            className="field",
        ),
    ]
