"""The table of checkpoints, and the numbers behind the dumbbells."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.counts import is_few
from backend.schemas import RESUMABLE
from backend.schemas.checkpoints import CheckpointOut
from backend.schemas.evaluations import EvaluationOut
from backend.services import catalogues
from frontend.components import Content, dot, icon, table
from frontend.components import accuracy as count_accuracy
from frontend.figures.units import unit_of
from frontend.pages.overview import ids
from frontend.pages.overview.holdings import HeldFamily, Holdings, Standing, claim_words, effort_words
from frontend.pages.overview.layout import family_title, is_above
from frontend.rows import Column, Group, left_text, live_text, progress_bar, row_table
from frontend.words import interval_words, percent, points

CONTROL_WORDS = {"finetuned": "finetuned, not pruned", "seed": "another training seed"}
PREFLIGHT_WORDS = {
    "queued": "waiting",
    "running": "running",
    "passed": "passed",
    "warned": "warnings",
    "failed": "failed",
    "error": "could not run",
}


def checkpoint_table(holdings: Holdings) -> Component:
    """One row per checkpoint, under its family where there are several."""
    rows: list[list[Content] | Group] = []
    titles = {flag.code: flag.title for flag in catalogues.list_flags().items}
    for family in holdings.families:
        if len(holdings.families) > 1:
            rows.append(Group(family_title(family)))
        best = best_ids(family)
        rows.extend(cells(standing, best, titles) for standing in family.members)
    norms = {family.dataset.default_norm for family in holdings.families}
    unit = unit_of(norms.pop()).suffix if len(norms) == 1 else "unit of the norm"
    columns = [
        Column("Checkpoint"),
        Column("Sparsity, declared / measured (% US)", True, "narrow-head"),
        Column("Clean / robust (%)", True),
        Column(f"Median margin ({unit})", True, "narrow-head"),
        Column("Flags"),
        Column("Pre-flight"),
        Column("Jobs", kind="jobs-cell"),
        Column(html.Span("links", className="hidden-label"), kind="links-cell"),
    ]
    return row_table("Checkpoints and their evaluations", columns, rows)


def best_ids(family: HeldFamily) -> dict[str, set[str]]:
    """Checkpoints with the best clean and robust accuracy, named only where all were attacked alike.

    A flagged checkpoint is never the best robust one.
    """
    shown = [standing for standing in family.members if standing.verdict and standing.verdict.summary]
    efforts = {(row.verdict.preset, row.verdict.n) for row in shown if row.verdict is not None}
    if len(efforts) != 1 or len(shown) < 2 or is_few(min(n for _, n in efforts)):
        return {"clean": set(), "robust": set()}
    best = {}
    for name in ("clean", "robust"):
        rows = [row for row in shown if name == "clean" or not has_caveat(row)]
        values = {str(row.checkpoint.id): value for row in rows if (value := accuracy(row, name)) is not None}
        best[name] = {key for key, value in values.items() if value == max(values.values())}
    return best


def has_caveat(standing: Standing) -> bool:
    """Whether flags say that the attack may have found too little."""
    return standing.verdict is not None and catalogues.is_weakened(standing.verdict.flags)


def accuracy(standing: Standing, name: str) -> float | None:
    summary = None if standing.verdict is None else standing.verdict.summary
    if summary is None:
        return None
    return summary.clean_accuracy if name == "clean" else summary.robust_accuracy


def count_samples(standing: Standing) -> int | None:
    """How many samples the shown accuracies are of."""
    return None if standing.verdict is None or standing.verdict.summary is None else standing.verdict.summary.n


def cells(standing: Standing, best: dict[str, set[str]], titles: dict[str, str]) -> list[Content]:
    row = standing.checkpoint
    return [
        name_cell(standing),
        sparsity_cell(row),
        accuracy_cell(standing, best),
        margin_cell(standing),
        flags_cell(standing, titles),
        preflight_cell(row),
        jobs_cell(standing),
        links_cell(standing),
    ]


def name_cell(standing: Standing) -> Component:
    row = standing.checkpoint
    kind = "pruned-1" if standing.place == "pruned" else standing.place
    method = CONTROL_WORDS.get(standing.kind, row.method)
    words = " · ".join(part for part in (standing.place, method) if part)
    name = dcc.Link(row.name, href=f"/upload?checkpoint={row.id}", className="checkpoint-name", id=named(row, "name"))
    parts: list[Component] = [name, html.Span(words, className="under")]
    if row.inspection is not None and row.inspection.descent is not None and row.inspection.descent.answer == "no":
        parts.append(
            html.Span([icon("warning"), " by its weights, not made from its parent"], className="under is-warning")
        )
    return html.Span([dot(kind), html.Span(parts)], className="named")


def named(row: CheckpointOut | EvaluationOut, what: str) -> str:
    """An id, so that live.js finds a focused link again after its table was built anew."""
    return f"{ids.PAGE}-{what}-{row.id}"


def sparsity_cell(row: CheckpointOut) -> Content:
    """Declared next to measured; loud where they differ by more than a point."""
    declared = percent(row.declared_sparsity, unit=False)
    measured = percent(row.measured_sparsity, unit=False)
    differs = row.declared_sparsity is not None and abs(row.declared_sparsity - row.measured_sparsity) > 0.01
    if not differs:
        return f"{declared} / {measured}"
    return html.Span(
        [icon("warning"), f" {declared} / {measured}"],
        className="is-warning strong",
        title="Declared and measured sparsity differ",
    )


def accuracy_cell(standing: Standing, best: dict[str, set[str]]) -> Content:
    """`86.20 / 74.20`, a link to the evaluation; the best of its column bold."""
    if standing.verdict is None or standing.verdict.summary is None:
        return "–"
    row = str(standing.checkpoint.id)
    summary = standing.verdict.summary

    def show(share: float | None) -> Content:
        return count_accuracy(share, summary.n, unit=False)

    parts: list[Content] = [
        html.Span(show(summary.clean_accuracy), className="best" if row in best["clean"] else ""),
        " / ",
        html.Span(show(summary.robust_accuracy), className="best" if row in best["robust"] else ""),
    ]
    link = dcc.Link(
        parts,
        href=f"/jobs?evaluation={standing.verdict.id}",
        title="The evaluation behind these numbers",
        id=named(standing.checkpoint, "accuracy"),
    )
    under = html.Span([effort_words(standing.verdict), " ", robust_interval(standing)], className="under")
    return html.Span([link, under])


def robust_interval(standing: Standing) -> str:
    summary = None if standing.verdict is None else standing.verdict.summary
    return "" if summary is None else interval_words(summary.robust_accuracy_interval)


def margin_cell(standing: Standing) -> Content:
    """The median margin of the largest evaluation of margins; a link to it where the verdict is another one."""
    source = standing.margins
    if source is None or source.summary is None:
        return "–"
    median = source.summary.median_margin
    unit = unit_of(source.norm)
    text = "not found" if median is None else f"{unit.shown(median):.{1 if unit.suffix == '1/255' else 3}f}"
    return dcc.Link(text, href=f"/jobs?evaluation={source.id}", title=effort_words(source), id=named(source, "margin"))


def flags_cell(standing: Standing, titles: dict[str, str]) -> Content:
    """Flags of the verdict and of the margins, each with its title."""
    raised = dict.fromkeys(code for row in (standing.verdict, standing.margins) if row for code in row.flags)
    if not raised:
        return html.Span("none" if standing.verdict else "–", className="muted")
    return html.Span(
        [
            html.Span([icon("warning"), code], className="flag", title=titles.get(code, code), tabIndex=0)
            for code in raised
        ],
        className="flags",
    )


def preflight_cell(row: CheckpointOut) -> Component:
    state = row.preflight.state
    tone = {"passed": "is-gained", "warned": "is-warning", "failed": "is-lost", "error": "is-lost"}.get(state, "muted")
    mark: Content = ""
    if state == "passed":
        mark = icon("check")
    elif state in ("warned", "failed", "error"):
        mark = icon("warning")
    return dcc.Link(
        [mark, PREFLIGHT_WORDS[state]],
        href=f"/upload?checkpoint={row.id}",
        className=f"preflight {tone}",
        id=named(row, "preflight"),
    )


def jobs_cell(standing: Standing) -> Content:
    """The job that runs, or the place in the queue, or how many are done."""
    if standing.active:
        first = standing.active[0]
        more = f" and {len(standing.active) - 1} more" if len(standing.active) > 1 else ""
        if first.state == "running":
            parts: list[Content] = [
                progress_bar(first, standing.checkpoint.name),
                live_text(f"{first.id}:left", left_text(first), "under"),
            ]
        else:
            parts = [html.Span(["queued, ", live_text(f"{first.id}:left", left_text(first)), more], className="nowrap")]
        return html.Span(parts, className="job-state")
    if not standing.evaluations:
        return html.Span("not evaluated", className="muted")
    last = max(standing.evaluations, key=lambda row: row.created_at)
    if last.state in RESUMABLE:
        return dcc.Link(
            [icon("warning"), f"latest {last.state}"],
            href=f"/jobs?evaluation={last.id}",
            className="is-warning nowrap",
            id=named(last, "job"),
        )
    return html.Span([icon("check"), f"{len(standing.evaluations)} done"], className="muted nowrap")


def links_cell(standing: Standing) -> Component:
    row = standing.checkpoint
    links: list[Component] = []
    if standing.pair is not None:
        dense, pruned = standing.pair
        words = f"{row.name} with its parent"
        address = f"/compare?dense={dense}&pruned={pruned}"
        links.append(quiet_link("Compare", words, address, named(row, "compare"), title=f"Compare {words}"))
    if standing.evaluations:
        jobs = f"Jobs ({len(standing.evaluations)})"
        links.append(quiet_link(jobs, f"of {row.name}", f"/jobs?checkpoint={row.id}", named(row, "evaluations")))
    else:
        links.append(quiet_link("Evaluate", row.name, f"/jobs?new={row.id}", named(row, "evaluate")))
    if row.role == "dense" and row.parent_id is None:
        links.append(quiet_link("Prune", row.name, f"/prune?parent={row.id}", named(row, "prune")))
    return html.Span(links, className="links")


def quiet_link(words: str, hidden: str, href: str, id: str, *, title: str | None = None) -> Component:
    """A link of one word to the eye; `hidden` says to screen readers what it is about."""
    label: list[Content] = [words, html.Span(f" {hidden}", className="hidden-label")]
    return dcc.Link(label, href=href, className="button button-quiet", id=id, title=title)


def claims_table(holdings: Holdings) -> Component:
    """The figure's numbers as a table."""
    rows: list[list[Content]] = []
    for standing in holdings.standings:
        claim = standing.claim
        rows.append(
            [
                standing.checkpoint.name,
                "no claim" if claim is None else claim_words(claim),
                "" if standing.verdict is None else effort_words(standing.verdict),
                percent(None if claim is None else claim.robust_accuracy, unit=False),
                count_accuracy(accuracy(standing, "robust"), count_samples(standing), unit=False),
                robust_interval(standing),
                "" if standing.gap is None else points(standing.gap),
                "yes" if is_above(standing) else "",
            ]
        )
    columns = [
        "Checkpoint",
        "Claim",
        "Re-evaluated with",
        "Claimed (%)",
        "Re-evaluated (%)",
        "95 % interval",
        "Claim too high by (points)",
        "Claim too high",
    ]
    return table("Claimed and re-evaluated robust accuracy", columns, rows, text_columns=3)
