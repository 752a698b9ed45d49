"""What `thinice compare` prints: the same numbers as the dashboard, always with n."""

from typing import Any

from backend.cli.columns import print_columns
from backend.cli.output import out

SETS = {"n11": "kept", "n10": "lost", "n01": "gained", "n00": "wrong on both"}


def print_comparison(comparison: dict[str, Any]) -> None:
    dense, pruned = comparison["dense"], comparison["pruned"]
    out.print("".join(part["text"] for part in comparison["headline"]), markup=False)
    sides = (("clean", comparison["clean"]), (f"at eps {comparison['eps_text']}", comparison["robust"]))
    rows = [(name, *(f"{counts[key]:,}" for key in SETS)) for name, counts in sides]
    print_columns((f"n = {comparison['n']:,}", *SETS.values()), rows, numbers=tuple(SETS.values()))
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
