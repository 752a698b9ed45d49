"""The result of a comparison in plain words, as parts that a page can colour."""

from dataclasses import dataclass
from typing import Literal

from backend.analysis.controls import FlipExcess
from backend.analysis.flips import Counts
from backend.analysis.thin_ice import Prediction
from backend.counts import count_words

SCORE_WORDS = {"logit_gap": "logit gap", "max_probability": "largest probability", "loss": "loss"}

Emphasis = Literal["lost", "gained", "number"]


@dataclass(frozen=True)
class HeadlinePart:
    """A run of text, spaces included, and how to show it."""

    text: str
    emphasis: Emphasis | None = None


def write_headline(
    change: str,
    counts: Counts,
    prediction: Prediction,
    *,
    control: FlipExcess | None = None,
    control_words: str = "same finetuning, nothing pruned",
    eps_text: str | None = None,
) -> list[HeadlinePart]:
    """What was lost and gained, whether small dense margin predicts it, and better than cheap scores, and the control.

    Args:
        change: what was done, to begin a sentence with: "Pruning to 95 %".
        counts: the 2x2 counts, clean, or robust at the eps that `eps_text` names ("8/255").
        prediction: of the same population.
        control: losses next to a control's, of the same population; None where there is none, and the text says so.
        control_words: what the control is, in brackets.

    Returns:
        Parts whose texts joined are two to five sentences.
    """
    parts = _tell_flips(change, counts, eps_text)
    parts.extend(_tell_prediction(prediction))
    parts.extend(_tell_control(control, control_words))
    return parts


def _tell_flips(change: str, counts: Counts, eps_text: str | None) -> list[HeadlinePart]:
    holds = "gets right" if eps_text is None else f"holds at {eps_text}"
    gained = f"{counts.n01:,}" if counts.n01 else "none"
    if counts.dense == 0:
        none = "gets none right" if eps_text is None else f"holds none at {eps_text}"
        lead = f"Of {count_words(counts.n, 'sample')}, the dense model {none}, so there is nothing to lose"
        # A semicolon starts the second half, where the change is named in lower case.
        return [
            HeadlinePart(f"{lead}; {change[:1].lower()}{change[1:]} gains "),
            HeadlinePart(gained, "gained"),
            HeadlinePart("."),
        ]
    lost = f"{counts.n10:,}" if counts.n10 else "none"
    return [
        HeadlinePart(f"{change} loses "),
        HeadlinePart(lost, "lost"),
        HeadlinePart(f" of {count_words(counts.dense, 'sample')} that the dense model {holds} and gains "),
        HeadlinePart(gained, "gained"),
        HeadlinePart("."),
    ]


def _tell_prediction(prediction: Prediction) -> list[HeadlinePart]:
    if prediction.value is None or prediction.low is None or prediction.high is None:
        if prediction.positives == 0:
            return []
        return [HeadlinePart(f" {prediction.reason}")]
    number = f"AUROC {prediction.value:.2f} [{prediction.low:.2f}, {prediction.high:.2f}]"
    if prediction.low > 0.5:
        lead = " A small dense margin predicts which samples are lost: "
    elif prediction.high < 0.5:
        lead = " Lost samples tend to have a large dense margin, not a small one: "
    else:
        lead = " A small dense margin does not clearly predict which samples are lost: "
    return [HeadlinePart(lead), HeadlinePart(number, "number"), HeadlinePart("."), *_tell_rival(prediction)]


def _tell_rival(prediction: Prediction) -> list[HeadlinePart]:
    """That a score without any attack ranks the losses at least as well as the margin, to two digits; else nothing."""
    rival = max(prediction.baselines, key=lambda one: one.value, default=None)
    if rival is None or prediction.value is None or round(rival.value, 2) <= round(prediction.value, 2):
        return []
    is_sure = rival.advantage is not None and rival.advantage.high is not None and rival.advantage.high < 0
    verdict = "ranks them better" if is_sure else "ranks them as well"
    lead = f" The dense model's {SCORE_WORDS[rival.name]}, which needs no attack, {verdict}: "
    end = "." if is_sure else " (the difference could be chance)."
    return [HeadlinePart(lead), HeadlinePart(f"AUROC {rival.value:.2f}", "number"), HeadlinePart(end)]


def _tell_control(control: FlipExcess | None, control_words: str) -> list[HeadlinePart]:
    if control is None:
        return [HeadlinePart(" There is no control yet, so it is unknown how much of this another change would cause.")]
    parts = [
        HeadlinePart(f" The control ({control_words}) loses "),
        HeadlinePart(_number(control.control.count), "number"),
    ]
    if control.n:
        parts.append(
            HeadlinePart(
                " of the same sample" if control.n == 1 else f" of the same {count_words(control.n, 'sample')}"
            )
        )
    if control.difference.low is None or control.difference.high is None:
        return [*parts, HeadlinePart(".")]
    if control.difference.low > 0:
        verdict = ": significantly fewer."
    elif control.difference.high < 0:
        verdict = ": significantly more."
    else:
        verdict = ": the difference could be chance."
    return [*parts, HeadlinePart(verdict)]


def _number(count: int) -> str:
    return f"{count:,}" if count else "none"
