"""What a run gives back. Every tensor is on the CPU; B samples, images float32 (B, C, H, W) in [0, 1]."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

OnStep = Callable[[int, int, str], None]
"""Called before every pass through the network with samples done, samples in all, and the name of the stage.

0 <= done <= all, and done never falls. An error that it raises ends the run (a cancelled job) and reaches the caller;
the network is put back as it was."""


@dataclass(frozen=True)
class AttackAttempt:
    """What one attack of a preset reached, verified on the network itself.

    attack: name in the catalogue.
    found: bool (B,), an adversarial example that another class wins; False where the clean sample is already wrong.
    distance: float32 (B,), recomputed from the verified example; inf where not found. A witness of an attack that
        stays within eps is at most eps, without a tolerance; `fast` reports examples beyond eps, too, where it found
        none within.
    kind: "minimum" (the smallest was searched for) or "witness" (it says that so much is enough; the first one within
        eps ended the search).
    tried: bool (B,), whether this attack ran on the sample at all. Never where the clean sample is already wrong. An
        ensemble spares broken samples; in Linf `segment` runs only where nothing was found yet, and never in `fast`;
        patterns, restarts and search run in Linf alone; the third target of `margin` runs in L2 alone; an attack that
        needs more classes than there are does not run.
    series: 0 in the primary run, which is the same for every network; 1 in a fallback attack, which an alarm has called
        for.
    """

    attack: str
    found: Tensor
    distance: Tensor
    kind: str
    tried: Tensor
    series: int = 0


@dataclass(frozen=True)
class PrimaryResult:
    """The primary run alone, without fallback attacks: what comparisons read, because both sides got it. As in
    AttackResult.
    """

    adversarial: Tensor
    found: Tensor
    distance: Tensor
    attack: list[str]
    adversarial_prediction: Tensor
    survives_8bit: Tensor


@dataclass(frozen=True)
class VerifiedExamples:
    """What a single attack found (`attacks.fmn`, `attacks.square`), classified and measured by the network itself.

    adversarial: float32 (B, C, H, W) in [0, 1], the clean image where not found or already wrong.
    found: bool (B,), also True where the clean sample is already wrong (or its logits are not finite).
    distance: float32 (B,), 0 where already wrong, inf where not found, never NaN.
    adversarial_prediction: int64 (B,), the class of `adversarial`.
    forwards, backwards: images sent through the network, forward and backward, over the whole call.
    """

    adversarial: Tensor
    found: Tensor
    distance: Tensor
    adversarial_prediction: Tensor
    forwards: int
    backwards: int


@dataclass(frozen=True)
class AttackResult:
    """The per-sample worst case over all attempts, with what a record needs.

    adversarial: float32 (B, C, H, W) in [0, 1], the clean image where not found or already wrong.
    found: bool (B,), also True where the clean sample is already wrong (or its logits are not finite).
    distance: float32 (B,), 0 where already wrong, inf where not found, never NaN. Of a right sample never 0, unless
        two passes over one batch differed (flag `randomised`).
    flags: codes of `catalogue.FLAGS`, in the catalogue's order.
    kind: "minimum" or "witness"; attack: who set the best ("clean" where already wrong, "" where none).
    prediction, adversarial_prediction: int64 (B,), of the clean and the adversarial image; the second equals the first
        where nothing was found. Where logits are not finite, the class of the largest that is a number (0 without any).
    logit_gap, max_probability, loss: float32 (B,) at the clean image (true logit minus best other; largest softmax;
        cross-entropy in nats); NaN only where the network's logits are not finite (flag `non-finite`).
    margin_pred: float32 (B,), distance until the network's own prediction changes, to whatever class, found by the same
        attacks with the prediction as the label; inf where not found and where the clean logits are not finite; equal
        to `distance` where the clean sample is right. margin_pred_found: bool (B,).
    survives_8bit: bool (B,), still misclassified after rounding to 8 bits (which may move it by 1/510 a pixel, also
        out of eps); False where not found.
    attempts: one per attack of the preset, in its order, then one per fallback attack that ran.
    primary: the same worst case over the attempts of series 0 alone.
    forwards, backwards: images sent through the network, forward and backward, over the whole run.
    steps: gradient steps per sample and attack; settings: everything else a record names (JSON-ready).
    """

    adversarial: Tensor
    found: Tensor
    distance: Tensor
    flags: tuple[str, ...]
    kind: str
    attack: list[str]
    prediction: Tensor
    adversarial_prediction: Tensor
    logit_gap: Tensor
    max_probability: Tensor
    loss: Tensor
    margin_pred: Tensor
    margin_pred_found: Tensor
    survives_8bit: Tensor
    attempts: tuple[AttackAttempt, ...]
    primary: PrimaryResult
    forwards: int
    backwards: int
    steps: int
    settings: dict[str, Any] = field(default_factory=dict)
