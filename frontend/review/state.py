"""What the scripts of a pair's pages begin with: the pair, the place of its sliders, and the words of its classes."""

from typing import Any

from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.schemas.datasets import DatasetOut
from backend.services import comparisons
from frontend.figures.scatter import AxisScale, scale_for
from frontend.figures.units import Unit
from frontend.help.addresses import plain_text
from frontend.help.glossary import find_word
from frontend.review.cut import Cut, has_margins
from frontend.review.sliders import Sliders

EXPLAINED = ("kept", "lost", "gained", "wrong on both", "thin ice", "robust accuracy", "McNemar", "margin")


def pair_state(
    comparison: ComparisonOut,
    samples: list[PairedSample],
    dataset: DatasetOut,
    cut: Cut,
    sliders: Sliders,
    unit: Unit,
) -> dict[str, Any]:
    """Everything but the columns of the samples, which the browser fetches. Lengths in shown units."""
    scales = margin_scales(samples, unit)
    return slider_state(comparison, cut, sliders, unit) | {
        "dataset": str(comparison.dense.dataset_id),
        "version": comparisons.columns_version(cut.dense, cut.pruned),
        "classes": dataset.classes,
        "axis": scales[0].limit,
        "has_end": any(scale.has_end for scale in scales),
        "unit": unit.suffix,
        "bounds": {
            str(sample.index): [sample.dense_best_known, sample.pruned_best_known]
            for sample in samples
            if sample.has_evidence
        },
        "change": comparison.change,
        "meanings": {name: word for name in EXPLAINED if (word := meaning(name))},
    }


def slider_state(comparison: ComparisonOut, cut: Cut, sliders: Sliders, unit: Unit) -> dict[str, Any]:
    """Unit, the sliders' range, where they start, and where the address puts the other controls."""
    return {
        "dense": cut.dense,
        "pruned": cut.pruned,
        "scale": unit.scale,
        "suffix": "/255" if unit.counts_steps else "",
        "has_margins": has_margins(comparison),
        "norm": comparison.dense.norm,
        "limit": sliders.limit,
        "step": sliders.step,
        "default_eps": sliders.default_eps,
        "default_eps_text": sliders.default_eps_text,
        "eps": sliders.eps,
        "eps_text": comparison.eps_text,
        "default_delta": sliders.default_delta,
        "delta": sliders.delta,
        "view": cut.view,
        "set": cut.set,
        "label": None if cut.label is None else str(cut.label),
    }


def meaning(name: str) -> str | None:
    """What a word of the glossary means, as plain text."""
    word = find_word(name)
    return None if word is None else plain_text(word.means)


def margin_scales(samples: list[PairedSample], unit: Unit) -> tuple[AxisScale, AxisScale]:
    """Axes of the dense and the pruned margins: one length for both, so that no change is the diagonal."""
    dense, pruned = [sample.dense_margin for sample in samples], [sample.pruned_margin for sample in samples]
    limit = max(scale_for(dense, unit).limit, scale_for(pruned, unit).limit)
    return scale_for(dense, unit, limit), scale_for(pruned, unit, limit)
