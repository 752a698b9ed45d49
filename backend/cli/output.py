"""What the command line prints for people: the same numbers as the dashboard, always with n."""

from typing import Any

from rich.console import Console
from rich.table import Table

from backend.counts import count_words

SETS = {"n11": "kept", "n10": "lost", "n01": "gained", "n00": "wrong on both"}

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def percent(share: float | None) -> str:
    """A share 0..1 as `12.34 %`, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.2f} %"


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
    """Clean / robust accuracy with interval, and the median margin."""
    summary = evaluation["summary"]
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


def print_comparison(comparison: dict[str, Any]) -> None:
    dense, pruned = comparison["dense"], comparison["pruned"]
    out.print("".join(part["text"] for part in comparison["headline"]), markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column(f"n = {comparison['n']:,}")
    for title in SETS.values():
        table.add_column(title, justify="right")
    for name, counts in (("clean", comparison["clean"]), (f"at eps {comparison['eps_text']}", comparison["robust"])):
        table.add_row(name, *(f"{counts[key]:,}" for key in SETS))
    out.print(table)
    auroc = comparison["auroc"]
    predicts = comparison["auroc_reason"]
    if auroc:
        predicts = f"AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f}), {auroc['positives']} lost"
    out.print(f"Small dense margin as a predictor of clean losses: {predicts}", markup=False)
    out.print(
        f"McNemar p {comparison['mcnemar_p']:.2g} clean, {comparison['robust_statistics']['mcnemar_p']:.2g} at eps"
    )
    for mismatch in comparison["mismatches"]:
        out.print(f"{'Differs' if mismatch['severity'] == 'differs' else 'Note'}: {mismatch['sentence']}", markup=False)
    out.print(f"Evaluations: dense {dense['id']}, pruned {pruned['id']}", soft_wrap=True)


def print_evidence(evidence: dict[str, Any]) -> None:
    out.print(
        f"[bold]{evidence['checkpoint_name']}[/bold]  {evidence['id']}  {evidence['kind']}, {evidence['source']}, "
        f"n = {evidence['n']:,}: {evidence['state']}",
        soft_wrap=True,
    )
    if evidence["error"]:
        out.print(evidence["error"]["message"], markup=False)
    if evidence["checked"]:
        refused = ", ".join(f"{count:,} {reason}" for reason, count in evidence["refused"].items())
        bounds = count_words(evidence["improved"], "best-known bound")
        out.print(
            f"{evidence['checked']:,} checked, {evidence['held']:,} held, {bounds} "
            f"lowered{f'; not held: {refused}' if refused else ''}",
            markup=False,
        )
