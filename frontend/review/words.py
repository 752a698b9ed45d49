"""A sample of a pair in words: its class, its verdicts and its margins."""

from backend.schemas.comparisons import PairedSample
from backend.schemas.datasets import DatasetOut
from frontend.figures.units import Unit


def class_name(dataset: DatasetOut, label: int) -> str:
    """A class by name; by number where the data set has fewer names than the model has classes."""
    return dataset.classes[label] if 0 <= label < len(dataset.classes) else f"class {label}"


def verdict_words(sample: PairedSample) -> tuple[str, str]:
    """What became of the sample at eps, dense and pruned: wrong before any attack, broken within eps, or it holds."""
    is_right, holds = sample.set[1:], sample.robust_set[1:]
    dense, pruned = (
        "wrong" if right == "0" else "holds" if held == "1" else "broken"
        for right, held in zip(is_right, holds, strict=True)
    )
    return dense, pruned


def verdicts_text(sample: PairedSample) -> str:
    """Both verdicts at eps: `holds → broken`."""
    dense, pruned = verdict_words(sample)
    return "wrong" if dense == pruned == "wrong" else f"{dense} → {pruned}"


def margins_text(sample: PairedSample, unit: Unit) -> str:
    """Both margins; only the dense one where the pruned model is wrong already."""
    if sample.pruned_margin == 0:
        return "wrong" if sample.dense_margin == 0 else unit.text(sample.dense_margin)
    return f"{short(sample.dense_margin, unit)} → {short(sample.pruned_margin, unit)}"


def short(margin: float | None, unit: Unit) -> str:
    """A margin without its unit; words where there is no distance."""
    if margin is None:
        return "none found"
    return "wrong" if margin == 0 else f"{unit.shown(margin):.{1 if unit.counts_steps else 2}f}"
