"""What the reader of a comparison must know, in sentences."""

import numpy as np

from backend.analysis.pairing import Pair
from backend.analysis.thin_ice import MIN_POSITIVES, Prediction
from backend.counts import count_words
from backend.store.tables import Evaluation

MEDIAN_EPS = (
    "Neither evaluation names an eps, and the data set has none for this norm, so eps is the median dense margin to "
    "two digits, over the samples that have a margin."
)


def write_notes(dense: Evaluation, pruned: Evaluation, joined: Pair, prediction: Prediction) -> list[str]:
    """Bounds, censoring, power, seeds and raised flags, each only where it applies."""
    notes = []
    if joined.dense.kind == "minimum" and joined.pruned.kind == "minimum":
        notes.append("Margins are upper bounds: the smallest perturbation that the attacks found.")
    else:
        notes.append("Witness distances only show that an adversarial lies within eps: no margins, and no curve.")
    notes.extend(_note_censored(joined))
    if prediction.value is None and prediction.positives < MIN_POSITIVES:
        notes.append(f"No AUROC is shown for fewer than {MIN_POSITIVES} lost samples, because it would be noise.")
    notes.append(
        "Intervals are over samples: one checkpoint stands for the method, and the variation between training seeds "
        "is not included."
    )
    for side, row in (("dense", dense), ("pruned", pruned)):
        if row.flags:
            notes.append(f"The {side} evaluation raised flags: {', '.join(row.flags)}.")
        notes.extend(_note_import(side, row))
    return notes


def _note_import(side: str, row: Evaluation) -> list[str]:
    """That rows were measured elsewhere, and how much of them was verified on this machine."""
    imported = row.record.imported
    if imported is None:
        return []
    adversarials = count_words(imported.found, "adversarial")
    return [
        f"The {side} evaluation was measured {imported.origin}. Verified here: {imported.predictions:,} of "
        f"{count_words(row.n, 'prediction')} and {imported.verified:,} of {adversarials}; "
        "margins without a verified adversarial, and flags, are taken on trust."
    ]


def _note_censored(joined: Pair) -> list[str]:
    """Zero and infinite margins, counted apart."""
    notes = []
    for side, outcomes in (("dense", joined.dense), ("pruned", joined.pruned)):
        wrong, missing = int((~outcomes.correct).sum()), int(np.isinf(outcomes.margin).sum())
        if missing:
            noun = "sample" if missing == 1 else "samples"
            notes.append(
                f"On the {side} side, no adversarial was found for {missing:,} {noun}: censored, never averaged."
            )
        if wrong:
            noun = "sample" if wrong == 1 else "samples"
            notes.append(f"The {side} network gets {wrong:,} {noun} wrong without attack: margin 0 by definition.")
    return notes
