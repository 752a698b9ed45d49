"""What the command line prints for people: the same numbers as the dashboard, always with n."""

import os
import sys
from typing import Any, TextIO

from rich.console import Console

from backend.counts import count_words, is_few
from backend.schemas.evidence import LOOKS

PIPED_WIDTH = 10_000  # what another program reads is not broken into lines


def make_console(stream: TextIO, *, is_error: bool = False) -> Console:
    """A console as wide as the terminal, or as COLUMNS says; into a pipe lines keep their length."""
    is_measured = stream.isatty() or "COLUMNS" in os.environ
    return Console(stderr=is_error, highlight=False, width=None if is_measured else PIPED_WIDTH)


out = make_console(sys.stdout)
err = make_console(sys.stderr, is_error=True)


def percent(share: float | None) -> str:
    """A share 0..1 as `12.34 %`, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.2f} %"


def duration(seconds: float) -> str:
    """A length of time as `45 s`, `12 min` or `3 h 20 min`; at least a second."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def print_checkpoint(checkpoint: dict[str, Any]) -> None:
    out.print(f"[bold]{checkpoint['name']}[/bold]  {checkpoint['id']}", soft_wrap=True)
    out.print(
        f"{checkpoint['role']}, {checkpoint['architecture']}, {checkpoint['parameters']:,} parameters, "
        f"sparsity {percent(checkpoint['measured_sparsity'])} measured, "
        f"{percent(checkpoint['declared_sparsity'])} declared"
    )
    if checkpoint["inspection"]:
        out.print(describe_inspection(checkpoint["inspection"]), markup=False)
    for warning in checkpoint["warnings"]:
        out.print(f"Warning: {warning}", markup=False)


def describe_inspection(inspection: dict[str, Any]) -> str:
    """The kind of the zeros, dead filters, and whether it was made from the named parent."""
    structure, descent = inspection["structure"], inspection["descent"]
    text = f"zeros by {structure['pattern'] or structure['kind']}" if structure["kind"] != "dense" else "no zeros"
    if structure["zero_filters"]:
        text += f", {structure['zero_filters']:,} of {count_words(structure['filters'], 'filter')} dead"
    if descent is None:
        return text
    text += f"; made from its parent, by its weights: {descent['answer']}"
    if descent["correlation"] is not None:
        text += (
            f" (correlation {descent['correlation']:.2f} over {count_words(descent['survivors'], 'surviving weight')}"
        )
        text += ", only masked)" if descent["changed"] == 0 else f", {percent(descent['changed'])} of them changed)"
    return text


def print_evaluation(evaluation: dict[str, Any]) -> None:
    eps = f" at eps {evaluation['eps_text']}" if evaluation["eps_text"] else ""
    out.print(
        f"[bold]{evaluation['checkpoint_name']}[/bold]  {evaluation['id']}  {evaluation['preset']}, "
        f"{evaluation['norm']}{eps}, n = {evaluation['n']:,}, seed {evaluation['seed']}: {evaluation['state']}",
        soft_wrap=True,
    )
    if evaluation["error"]:
        out.print(evaluation["error"]["message"], markup=False)
    if evaluation["summary"]:
        out.print(describe_summary(evaluation))
    if evaluation["flags"]:
        out.print(f"Flags: {', '.join(evaluation['flags'])}", markup=False)


def describe_summary(evaluation: dict[str, Any]) -> str:
    """Clean / robust accuracy with interval, of few samples the intervals alone; and the median margin."""
    summary = evaluation["summary"]
    if is_few(summary["n"]):
        clean, robust = (describe_interval(summary[f"{kind}_accuracy_interval"]) for kind in ("clean", "robust"))
        text = f"clean / robust accuracy {clean} / {robust} (95 % intervals of {count_words(summary['n'], 'sample')})"
    else:
        text = f"clean / robust accuracy {percent(summary['clean_accuracy'])} / {percent(summary['robust_accuracy'])}"
        interval = summary["robust_accuracy_interval"]
        if interval:
            text += f" (95 %: {percent(interval['low'])} to {percent(interval['high'])})"
    if summary["median_margin"] is not None:
        is_linf = evaluation["norm"] == "Linf"
        margin = f"{255 * summary['median_margin']:.2f}/255" if is_linf else f"{summary['median_margin']:.4f}"
        text += f", median margin {margin}"
    if summary["broken_by_fallbacks"]:
        text += f", {count_words(summary['broken_by_fallbacks'], 'sample')} broken only by fallback attacks"
    return f"{text}, n = {summary['n']:,}"


def print_layers(found: dict[str, Any]) -> None:
    """What each restored layer gives back, the most first."""
    out.print(
        f"{count_words(found['lost'], 'lost sample')} and {count_words(found['kept'], 'kept sample')} measured again "
        f"with {found['preset']} at {found['eps_text']}"
    )
    parts = (("robust_back", "back at eps"), ("clean_back", "right again"), ("kept_held", "of the kept ones hold"))
    for layer in found["layers"]:
        counts = [f"{rate['count']:,} of {rate['n']:,} {words}" for key, words in parts if (rate := layer[key])]
        out.print(f"{layer['name']}: {', '.join(counts)}", markup=False)


def describe_interval(interval: dict[str, float] | None) -> str:
    return "-" if interval is None else f"{100 * interval['low']:.0f} to {100 * interval['high']:.0f} %"


def print_evidence(evidence: dict[str, Any]) -> None:
    out.print(
        f"[bold]{evidence['checkpoint_name']}[/bold]  {evidence['id']}  {evidence['kind']}, {evidence['source']}, "
        f"n = {evidence['n']:,}: {evidence['state']}",
        soft_wrap=True,
    )
    if evidence["error"]:
        out.print(evidence["error"]["message"], markup=False)
    if evidence["checked"] and evidence["kind"] not in LOOKS:
        refused = ", ".join(f"{count:,} {reason}" for reason, count in evidence["refused"].items())
        bounds = count_words(evidence["improved"], "best-known bound")
        out.print(
            f"{evidence['checked']:,} checked, {evidence['held']:,} held, {bounds} "
            f"lowered{f'; not held: {refused}' if refused else ''}",
            markup=False,
        )
