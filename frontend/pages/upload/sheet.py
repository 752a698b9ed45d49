"""What a checkpoint is: recognised architecture, measured sparsity by layer, oddities, pre-flight, what comes next."""

import json

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.schemas.checkpoints import CheckpointOut, ClaimOut
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.inspections import LayerDescent, LayerStructure
from backend.services import checkpoints, comparisons, datasets, evaluations
from backend.services.catalogues import promises_margins
from frontend.components import Content, accuracy, aria, card, dot, icon, number_card
from frontend.lists import read_list
from frontend.pages.upload import ids
from frontend.pages.upload.checks import FieldCheck, check_list
from frontend.pages.upload.inspection import inspection_card
from frontend.rows import Column, Live, left_text, live_cells, live_text, progress_bar, row_table
from frontend.words import count_words, day_time, percent, short_hash, size_words

DIFFERS = 0.01
POLL_MILLISECONDS = 1000
PREFLIGHT_SENTENCES = {
    "queued": "The pre-flight is waiting for a worker.",
    "running": "The pre-flight is running.",
    "passed": "No problems were found.",
    "warned": "Read the warnings before you trust the numbers.",
    "failed": "Something is wrong. Further measurements of this checkpoint would mean little.",
    "error": "The network could not be run.",
}


def sheet_page(checkpoint_id: str) -> Component:
    """The sheet of a checkpoint; it follows the pre-flight and the jobs."""
    row = checkpoints.get_checkpoint(checkpoint_id)
    parts = [
        dcc.Store(id=ids.CHECKPOINT_ID, data=str(row.id)),
        dcc.Store(id=ids.SHEET_STATE, data=fingerprint(row, jobs_of(row), jobs_of_parent(row))),
        dcc.Store(id=ids.SHEET_LIVE),
        dcc.Interval(id=ids.SHEET_POLL, interval=POLL_MILLISECONDS),
        dcc.Link("Upload another checkpoint", href="/upload", className="back"),
        html.Div(sheet_body(row, jobs_of(row)), id=ids.SHEET, className="page-stack"),
    ]
    return html.Div(parts, className="page-stack upload sheet")


def jobs_of(row: CheckpointOut) -> list[EvaluationOut]:
    """Its evaluations, the newest first."""
    return read_list(lambda limit, offset: evaluations.list_evaluations(limit, offset, checkpoint_id=row.id))


def jobs_of_parent(row: CheckpointOut) -> list[EvaluationOut]:
    """The evaluations of its parent: the comparison waits for them, too."""
    return [] if row.parent_id is None else jobs_of(checkpoints.get_checkpoint(row.parent_id))


def fingerprint(row: CheckpointOut, jobs: list[EvaluationOut], kin: list[EvaluationOut]) -> str:
    """Changes whenever more changes than progress."""
    states = [(str(job.id), job.state) for job in [*jobs, *kin]]
    return str([row.name, row.preflight.state, len(row.preflight.checks), states])


def sheet_body(row: CheckpointOut, jobs: list[EvaluationOut]) -> list[Component]:
    dataset = datasets.get_dataset(str(row.dataset_id))
    parts: list[Component | None] = [
        context_line(row, dataset),
        html.H1(
            html.Span([dot("dense" if row.role == "dense" else "pruned-1"), row.name], className="name"),
            className="page-title",
        ),
        html.P(what_it_is(row), className="lead"),
        comparison_line(row, jobs),
        oddities(row),
        numbers(row),
        html.Div([preflight_card(row), next_card(row, dataset, jobs)], className="grid two"),
        inspection_card(row, None if row.parent_id is None else checkpoints.get_checkpoint(row.parent_id)),
        layers_card(row),
        identity_card(row),
    ]
    return [part for part in parts if part is not None]


def context_line(row: CheckpointOut, dataset: DatasetOut) -> Component:
    origin = {"zoo": "shipped with Thin Ice", "upload": "uploaded", "pruned": "pruned here"}[row.origin]
    details: list[Content] = [dataset.name, row.role, row.method or "", f"{origin} {day_time(row.created_at)}"]
    details.append(html.Span(["file ", html.Code(short_hash(row.source_sha256), title=row.source_sha256)]))
    return html.Ul([html.Li(detail) for detail in details if detail], className="context")


def what_it_is(row: CheckpointOut) -> list[Content]:
    """One sentence: network, size, and how much of it is zero."""
    zero = percent(row.measured_sparsity)
    start: list[Content] = [
        "A ",
        html.Span(row.architecture, className="strong"),
        f" with {count_words(row.parameters, 'parameter')}; ",
        html.Span(zero, className="strong"),
        f" of its {row.prunable:,} prunable weights are zero",
    ]
    if row.declared_sparsity is None:
        return [*start, "."]
    if abs(row.declared_sparsity - row.measured_sparsity) <= DIFFERS:
        return [*start, ", as declared."]
    declared = html.Span(f"{percent(row.declared_sparsity)} were declared", className="is-warning strong")
    return [*start, ", but ", declared, "."]


def comparison_line(row: CheckpointOut, jobs: list[EvaluationOut]) -> Component | None:
    """The way to the comparison with the parent, or how far the evaluation is that it waits for."""
    if row.parent_id is None:
        return None
    parent = checkpoints.get_checkpoint(row.parent_id)
    pairs = pairs_of(row)
    if pairs:
        dense, pruned = pairs[0]
        words = f"Compare with {parent.name} ({comparisons.count_shared(dense, pruned):,} shared)"
        href = f"/compare?dense={dense.id}&pruned={pruned.id}"
        return html.Div(dcc.Link(words, href=href, className="button button-primary"), className="to-comparison")
    waiting = next((job for job in [*jobs, *jobs_of(parent)] if job.state in ACTIVE), None)
    if waiting is None:
        return None
    words = f"Can be compared with {parent.name} once {waiting.checkpoint_name} is evaluated:"
    parts = [
        html.Span(words),
        progress_bar(waiting, waiting.preset),
        live_text(f"{waiting.id}:left", left_text(waiting), "under"),
    ]
    return html.Div(parts, className="to-comparison", role="status")


def pairs_of(row: CheckpointOut) -> list[tuple[EvaluationOut, EvaluationOut]]:
    """Evaluations of the parent and of this checkpoint that were attacked alike, the most telling first."""
    return [pair for pair in comparisons.default_pairs() if pair[1].checkpoint_id == row.id]


def oddities(row: CheckpointOut) -> Component | None:
    if not row.warnings:
        return None
    sentences = [
        html.Div([icon("warning"), html.Span(sentence)], className="notice") for sentence in dict.fromkeys(row.warnings)
    ]
    return html.Div(sentences, className="notices", role="note", **aria(label="Warnings"))


def numbers(row: CheckpointOut) -> Component:
    flight = row.preflight
    declared = "none declared" if row.declared_sparsity is None else f"declared {percent(row.declared_sparsity)}"
    source = "pre-flight not finished yet" if flight.n is None else f"on the first {count_words(flight.n, 'sample')}"
    cards = [
        number_card(
            "Architecture",
            html.Span(row.architecture, className="word-value"),
            count_words(row.parameters, "parameter"),
        ),
        number_card("Measured sparsity (US)", percent(row.measured_sparsity), declared),
        number_card("Normalisation", html.Span(row.normalization, className="word-value"), "inside the network"),
        number_card("Clean accuracy", accuracy(flight.clean_accuracy, flight.n), source),
    ]
    return html.Div(cards, className="record-numbers")


def preflight_card(row: CheckpointOut) -> Component:
    """Each check with its result; until then that it waits or runs."""
    flight = row.preflight
    checks = [FieldCheck(check.outcome, check.title, check.sentence) for check in flight.checks]
    waiting = flight.state in ACTIVE
    parts: list[Content] = [html.P(PREFLIGHT_SENTENCES[flight.state], role="status", className="muted preflight-state")]
    if waiting:
        parts.append(html.Div([html.Div(className="skeleton skeleton-line") for _ in range(5)], className="waiting"))
    if checks:
        parts.append(check_list(checks))
    return card("Pre-flight", *parts, note=flight.state)


def next_card(row: CheckpointOut, dataset: DatasetOut, jobs: list[EvaluationOut]) -> Component:
    """What it is compared with, its evaluations, and where to go."""
    parts = [html.Div(comparison_parts(row, jobs), className="comparison"), *job_parts(jobs), *claim_parts(row.claim)]
    links = [
        dcc.Link("Evaluate", href=f"/jobs?new={row.id}", className="button"),
        dcc.Link("View jobs", href=f"/jobs?checkpoint={row.id}", className="button"),
    ]
    if row.role == "dense":
        links.append(dcc.Link("Prune", href=f"/prune?parent={row.id}", className="button"))
    if row.pruning_id is not None:
        links.append(dcc.Link("Pruning run", href=f"/prune?pruning={row.pruning_id}", className="button"))
    return card("Next steps", *parts, html.Div(links, className="form-foot"))


def comparison_parts(row: CheckpointOut, jobs: list[EvaluationOut]) -> list[Content]:
    """The comparison where there is one, otherwise what it lacks."""
    if row.parent_id is None:
        if row.role == "dense":
            return [
                html.P("Pruned checkpoints are compared with this one. Upload one with this checkpoint as its parent.")
            ]
        words = "This checkpoint has no parent, so it is not compared automatically. You can pick any pair on Compare."
        return [html.Div([icon("warning"), html.Span(words)], className="notice")]
    parent = checkpoints.get_checkpoint(row.parent_id)
    link = dcc.Link(parent.name, href=f"/upload?checkpoint={parent.id}", className="strong")
    pairs = pairs_of(row)
    if pairs:
        dense, pruned = pairs[0]
        sides = "on both sides" if dense.n == pruned.n else f"here, {dense.n:,} of the parent"
        return [html.P(["Compared with ", link, f": {pruned.preset}, n {pruned.n:,} {sides}."])]
    return [html.P(["It will be compared with ", link, *waiting_words(row, parent, jobs)])]


def waiting_words(row: CheckpointOut, parent: CheckpointOut, jobs: list[EvaluationOut]) -> list[Content]:
    """What is missing until there is a comparison, and the link that brings it about."""
    done = [job for job in jobs_of(parent) if job.state == "succeeded"]
    if not done:
        return [", which has not been evaluated yet. ", dcc.Link("Evaluate it", href=f"/jobs?new={parent.id}"), " too."]
    if any(can_meet(job, other) for job in jobs if job.state in ACTIVE for other in done):
        return [" as soon as its evaluation has finished."]
    other = max(done, key=lambda job: (promises_margins(job.preset), job.n))
    alike = dcc.Link("Evaluate this one the same way", href=f"/jobs?new={row.id}&preset={other.preset}&n={other.n}")
    return [f", which was evaluated with {other.preset}, n {other.n:,}. ", alike, "."]


def can_meet(job: EvaluationOut, other: EvaluationOut) -> bool:
    """Whether two evaluations will be comparable: attacked alike, on sets of samples that are nested."""
    if (job.preset, job.norm) != (other.preset, other.norm):
        return False
    if not promises_margins(job.preset) and job.eps_text != other.eps_text:
        return False
    return job.selection == other.selection and not job.explicit


def job_parts(jobs: list[EvaluationOut]) -> list[Component]:
    """Its evaluations in short, running ones with their bar."""
    shown = []
    for job in jobs[:6]:
        name = dcc.Link(f"{job.preset}, n {job.n:,}", href=f"/jobs?evaluation={job.id}", id=f"upload-job-{job.id}")
        if job.state in ACTIVE:
            state: Component = html.Span(
                [progress_bar(job, job.preset), live_text(f"{job.id}:left", left_text(job), "under")],
                className="job-state",
            )
        elif job.summary is not None:
            shares = job.summary.clean_accuracy, job.summary.robust_accuracy
            clean, robust = (accuracy(share, job.summary.n, unit=False) for share in shares)
            state = html.Span([clean, " / ", robust, " %"])
        else:
            state = html.Span(job.state, className="is-warning")
        shown.append(html.Li([name, state]))
    return [html.Ul(shown, className="short-jobs")] if shown else []


def claim_parts(claim: ClaimOut | None) -> list[Component]:
    if claim is None:
        return []
    parts = [
        f"{percent(claim.robust_accuracy)} robust accuracy",
        claim.attack or "",
        f"n {claim.n:,}" if claim.n else "",
    ]
    parts.append(f"{claim.norm} {claim.eps_text}" if claim.norm and claim.eps_text else "")
    source = f" ({claim.source})" if claim.source else ""
    return [html.P(f"Claimed: {', '.join(part for part in parts if part)}{source}.", className="footnote")]


def layers_card(row: CheckpointOut) -> Component:
    """Measured sparsity of every prunable layer with a bar, and what else its weights say."""
    found = row.inspection
    kinds = {} if found is None else {layer.name: layer for layer in found.structure.layers}
    kin = {} if found is None or found.descent is None else {layer.name: layer for layer in found.descent.layers}
    columns = [
        Column("Layer"),
        Column("Shape"),
        Column("Weights", True),
        Column("Zeros", True),
        Column("Sparsity (%)", True),
        *([Column("Kind of zeros"), Column("Dead filters", True)] if kinds else []),
        *([Column("Parent correlation", True)] if kin else []),
        Column(html.Span("bar", className="hidden-label"), kind="layer-bar-cell"),
    ]
    rows: list[list[Content]] = [
        [
            html.Code(layer.name),
            html.Span(" × ".join(str(size) for size in layer.shape), className="layer-shape"),
            f"{layer.weights:,}",
            f"{layer.zeros:,}",
            percent(layer.sparsity, unit=False),
            *(kind_cells(kinds.get(layer.name)) if kinds else []),
            *([correlation_cell(kin.get(layer.name))] if kin else []),
            html.Span(
                html.Span(className="progress-fill", style={"width": f"{100 * layer.sparsity:.2f}%"}),
                className="progress layer-bar",
                **aria(hidden="true"),
            ),
        ]
        for layer in row.layers
    ]
    body = html.Div(
        row_table("Sparsity by layer", columns, rows),
        className="table-scroll layers",
        tabIndex=0,
        role="region",
        **aria(label="Sparsity by layer"),
    )
    return card(
        "Sparsity by layer",
        body,
        note=f"{count_words(len(row.layers), 'prunable layer')}, counted in the loaded network",
    )


def kind_cells(layer: LayerStructure | None) -> list[Content]:
    """The kind of a layer's zeros, and how many of its filters have no weight left."""
    if layer is None:
        return ["–", "–"]
    return [layer.pattern or layer.kind, f"{layer.zero_filters:,} of {layer.filters:,}"]


def correlation_cell(layer: LayerDescent | None) -> str:
    return "–" if layer is None or layer.correlation is None else f"{layer.correlation:.2f}"


def identity_card(row: CheckpointOut) -> Component:
    pairs = [
        ("Uploaded file, SHA-256", html.Code(row.source_sha256)),
        ("Effective weights, SHA-256", html.Code(row.weights_sha256)),
        ("Checkpoint", html.Code(str(row.id))),
    ]
    if row.layer_list is not None:
        pairs.append(("Layers, as given", html.Code(json.dumps(row.layer_list))))
    details = [part for name, value in pairs for part in (html.Dt(name), html.Dd(value))]
    link = html.A(
        [icon("download"), "JSON"],
        href=f"/api/v1/checkpoints/{row.id}",
        download=f"checkpoint-{row.name}.json",
        className="button button-quiet",
    )
    return card("Identity", html.Dl(details, className="details"), tools=link)


def sheet_cells(jobs: list[EvaluationOut]) -> Live:
    return live_cells([job for job in jobs if job.state in ACTIVE])


def dataset_sheet(dataset: DatasetOut) -> Component:
    """What a data set is, with its first images."""
    height, width, channels = dataset.shape
    details = [
        number_card("Samples", f"{dataset.size:,}", f"split {dataset.split}"),
        number_card("Images", f"{height} × {width}", "greyscale" if channels == 1 else f"{channels} channels"),
        number_card("Classes", f"{len(dataset.classes):,}", ", ".join(dataset.classes[:12])),
        number_card("Default ε", dataset.default_eps_text, dataset.default_norm),
    ]
    raw = size_words(dataset.size * height * width * channels)
    images = [
        html.Img(
            src=f"/api/v1/datasets/{dataset.id}/samples/{index}.png?scale=2",
            className="pixels",
            alt=f"Sample {index}",
        )
        for index in range(min(12, dataset.size))
    ]
    parts = [
        dcc.Link("Upload another data set", href="/upload?kind=dataset", className="back"),
        html.Ul(
            [html.Li(detail) for detail in ("data set", dataset.slug, f"{raw} of pixel data", dataset.source)],
            className="context",
        ),
        html.H1(dataset.name, className="page-title"),
        html.Div(details, className="record-numbers"),
        card("First samples", html.Div(images, className="first-samples")),
        html.Div(
            dcc.Link(
                "Upload a checkpoint for it", href=f"/upload?for={dataset.slug}", className="button button-primary"
            )
        ),
    ]
    return html.Div(parts, className="page-stack upload")
