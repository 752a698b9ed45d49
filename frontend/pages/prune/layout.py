"""The page's frame: the form; or, with `?pruning=<id>`, one run."""

from dash import html
from dash.development.base_component import Component

from backend.schemas.checkpoints import CheckpointOut
from backend.services import checkpoints
from frontend.components import empty_state
from frontend.lists import read_list
from frontend.pages.prune import ids
from frontend.pages.prune.form import cards, foot
from frontend.pages.prune.record import record_page

LEAD = (
    "Prune a dense checkpoint with adversarial training. The result is stored with its parent, recipe and claim. "
    "Pruning runs as a job: it keeps running if you close this tab, and resumes if a worker is killed. While a worker "
    "trains, it takes no other job."
)


def layout(**query: str) -> Component:
    """The form with the parent of the address, `?parent=<id>`."""
    if query.get("pruning"):
        return record_page(query["pruning"])
    parents = dense_checkpoints()
    if not parents:
        body: list[Component] = [
            empty_state("There is no dense checkpoint to prune yet.", "Upload a checkpoint", "/upload")
        ]
    else:
        chosen = next((row for row in parents if str(row.id) == query.get("parent")), parents[0])
        body = [*cards(parents, chosen), *foot()]
    head = [html.H1("Prune", className="page-title"), html.P(LEAD, className="lead")]
    return html.Div([*head, *body], id=ids.PAGE, className="page-stack prune")


def dense_checkpoints() -> list[CheckpointOut]:
    """Those that can be a parent: first what was pruned before, then others; the newest first. Controls are none."""
    parents = {row.parent_id for row in read_list(checkpoints.list_checkpoints)}
    roots = [row for row in checkpoints.list_parents() if row.parent_id is None]
    return sorted(roots, key=lambda row: row.id not in parents)
