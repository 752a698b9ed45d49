"""The sentence that answers, word by word."""

from dataclasses import replace

import pytest

from backend.analysis.controls import FlipExcess
from backend.analysis.flips import Counts
from backend.analysis.headline import HeadlinePart, write_headline
from backend.analysis.statistics import Estimate, Share
from backend.analysis.thin_ice import Prediction, Predictor

COUNTS = Counts(n11=1566, n10=121, n01=33, n00=280)
PREDICTION = Prediction("clean", None, 1687, 121, 0, 0.8961, 0.8702, 0.9213, 0.4, 0.3, (), None)
NO_CONTROL = " There is no control yet, so it is unknown how much of this another change would cause."


def join_text(parts: list[HeadlinePart]) -> str:
    return "".join(part.text for part in parts)


def absent(positives: int, reason: str) -> Prediction:
    nothing = dict.fromkeys(("value", "low", "high", "average_precision", "fpr_at_95_tpr"))
    return replace(PREDICTION, positives=positives, reason=reason, **nothing)


def beyond(control: int, low: float | None, high: float | None, n: int = 1687) -> FlipExcess:
    share = Share(121, n, 0.07, 0.06, 0.08)
    difference = Estimate(None if low is None else 0.05, low, high, n)
    return FlipExcess(n, share, Share(control, n, 0.02, 0.01, 0.03), 0, 0, 0, difference, 0.5)


def test_write_headline_with_everything_reads_as_the_example() -> None:
    parts = write_headline("Pruning to 95 %", COUNTS, PREDICTION, control=beyond(40, 0.03, 0.06))
    assert join_text(parts) == (
        "Pruning to 95 % loses 121 of 1,687 samples that the dense model gets right and gains 33. "
        "A small dense margin predicts which samples are lost: AUROC 0.90 [0.87, 0.92]. "
        "The control (same finetuning, nothing pruned) loses 40 of the same 1,687 samples: "
        "significantly fewer."
    )
    assert [(part.text, part.emphasis) for part in parts if part.emphasis] == [
        ("121", "lost"),
        ("33", "gained"),
        ("AUROC 0.90 [0.87, 0.92]", "number"),
        ("40", "number"),
    ]


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (Counts(1, 1, 1, 0), "Pruning loses 1 of 2 samples that the dense model gets right and gains 1."),
        (Counts(0, 1, 0, 3), "Pruning loses 1 of 1 sample that the dense model gets right and gains none."),
        (Counts(1, 0, 0, 3), "Pruning loses none of 1 sample that the dense model gets right and gains none."),
        (Counts(50, 0, 2, 0), "Pruning loses none of 50 samples that the dense model gets right and gains 2."),
        (Counts(0, 0, 4, 6), "Of 10 samples, the dense model gets none right, so there is nothing to lose; "
                             "pruning gains 4."),
    ],
    ids=str,
)  # fmt: skip
def test_write_headline_counts_in_good_english(counts: Counts, sentence: str) -> None:
    text = join_text(write_headline("Pruning", counts, absent(0, "No sample is lost.")))
    assert text == sentence + NO_CONTROL


def test_write_headline_at_eps_says_holds() -> None:
    text = join_text(write_headline("Pruning to 90 %", COUNTS, PREDICTION, eps_text="8/255"))
    assert text.startswith("Pruning to 90 % loses 121 of 1,687 samples that the dense model holds at 8/255 and gains ")


def test_write_headline_without_auroc_gives_its_reason() -> None:
    reason = "Too few lost samples (12, at least 20 needed) to say whether a small dense margin predicts losses."
    text = join_text(write_headline("Pruning", Counts(100, 12, 3, 5), absent(12, reason)))
    assert f" gains 3. {reason} There is no control yet" in text
    assert "AUROC" not in text


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.55, 0.48, 0.62, "A small dense margin does not clearly predict which samples are lost: AUROC 0.55 ["),
        (0.30, 0.25, 0.35, "Lost samples tend to have a large dense margin, not a small one: AUROC 0.30 [0.25, 0.35]."),
    ],
)
def test_write_headline_with_a_weak_predictor_does_not_claim_one(
    value: float, low: float, high: float, words: str
) -> None:
    prediction = replace(PREDICTION, value=value, low=low, high=high)
    assert words in join_text(write_headline("Pruning", COUNTS, prediction))


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (beyond(0, 0.05, 0.08), " loses none of the same 1,687 samples: significantly fewer."),
        (beyond(118, -0.01, 0.02), " loses 118 of the same 1,687 samples: the difference could be chance."),
        (beyond(300, -0.2, -0.1), " loses 300 of the same 1,687 samples: significantly more."),
        (beyond(1, -0.2, 0.9, n=1), " loses 1 of the same sample: the difference could be chance."),
        (beyond(0, None, None, n=0), " loses none."),
    ],
)
def test_write_headline_says_what_the_control_says(control: FlipExcess, words: str) -> None:
    text = join_text(write_headline("Pruning", COUNTS, PREDICTION, control=control, control_words="another seed"))
    assert text.endswith(f" The control (another seed){words}")


@pytest.mark.parametrize(
    ("value", "high", "words"),
    [
        (0.95, -0.01, " The dense model's logit gap, which needs no attack, ranks them better: AUROC 0.95. There is"),
        (0.92, 0.01, "ranks them as well: AUROC 0.92 (the difference could be chance). There is"),
        (0.901, 0.01, "AUROC 0.90 [0.87, 0.92]. There is"),
        (0.85, 0.08, "AUROC 0.90 [0.87, 0.92]. There is"),
    ],
)
def test_write_headline_says_where_a_cheap_score_ranks_better(value: float, high: float, words: str) -> None:
    rivals = [
        Predictor(name, each, each - 0.02, each + 0.02, 0.4, 0.3, Estimate(0.9 - each, -0.1, high, 1687))
        for name, each in (("loss", 0.7), ("logit_gap", value), ("max_probability", 0.6))
    ]
    text = join_text(write_headline("Pruning", COUNTS, replace(PREDICTION, baselines=tuple(rivals))))
    assert words in text
