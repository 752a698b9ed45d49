"""What reliability flags there are, and what each means. Data only, as in `catalogue`: no torch here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flag:
    """A reliability flag; the code never changes."""

    code: str
    title: str
    raised_if: str
    means: str
    what_to_do: str


def index_by_name(entries: Iterable[Any], key: str = "name") -> dict[str, Any]:
    """Entries by name, in order; a name that appears twice is our own mistake."""
    indexed: dict[str, Any] = {}
    for entry in entries:
        name = getattr(entry, key)
        assert name not in indexed, f"{name} appears twice in the catalogue"
        indexed[name] = entry
    return indexed


FLAGS: dict[str, Flag] = index_by_name(
    [
        Flag(
            "randomised",
            "The network is randomised",
            "Two passes over the same clean images differ by more than 0.01 % of the largest logit.",
            "One pass is one draw. Attacks follow noise, and an adversarial example that fools one draw may not fool "
            "the next; the figures neither bound nor estimate the robustness.",
            "Switch the randomness off at inference, or attack the expectation over many draws.",
        ),
        Flag(
            "probabilities",
            "The network outputs probabilities",
            "Every row of the clean outputs lies in [0, 1] and sums to 1.",
            "A softmax inside the network rounds confident outputs to 0 and 1 and flattens the gradients that attacks "
            "follow, so margins come out too large.",
            "Remove the last softmax and evaluate the logits.",
        ),
        Flag(
            "saturated",
            "The softmax is saturated",
            "In float32 the largest softmax probability is exactly 1 for more than half of the clean samples.",
            "Losses on probabilities have no gradient there. A large logit scale hurts attacks on the cross-entropy, "
            "but not attacks on logit differences, such as ours.",
            "If no other flag is raised, the margins stand. Do not rely on a cross-entropy attack alone.",
        ),
        Flag(
            "zero-gradients",
            "Gradients are zero",
            "The gradient of the logit gap is zero in every pixel for more than 2 % of the inspected samples, beyond "
            "chance; or, in the AutoAttack presets, AutoAttack's own check finds a zero gradient of the DLR loss where "
            "Auto-PGD starts.",
            "Something in the network is flat or cuts the gradient (rounding, thresholds, a saturated softmax). "
            "Gradient attacks stand still there and may miss adversarial examples that exist.",
            "Remove or replace the flat part for the attack, or transfer adversarial examples from the parent.",
        ),
        Flag(
            "gradient-mismatch",
            "Gradients do not match the forward pass",
            "A small step along the sign of the gradient of the logit gap changes the gap by less than half or more "
            "than twice what the gradient predicts, for more than 10 % of the inspected samples, beyond chance.",
            "The backward pass is not the derivative of the forward pass (quantised inputs, straight-through "
            "estimators, noise), or the outputs are too coarse for float32. Attacks may step in the wrong direction.",
            "Find the part whose gradient is replaced or lost; compare with transferred adversarial examples.",
        ),
        Flag(
            "partial-gradients",
            "Pixels without a gradient change the decision",
            "When only the pixels whose gradient is exactly zero move at random, by the median first-order margin, the "
            "logit gap of more than half of the samples changes by more than the gap itself, beyond chance.",
            "The gradient says that these pixels do nothing, yet they decide. In a network with most of its weights "
            "pruned away, units stay inactive until something activates them. Attacks that only follow gradients "
            "overestimate its robustness; the preset fast then also tries random squares.",
            "Trust verdicts with fallback attacks, and AutoAttack with Square; read margins as loose upper bounds.",
        ),
        Flag(
            "not-found",
            "Samples without any adversarial example",
            "A minimum-norm attack found no adversarial example at any radius for a correctly classified sample.",
            "Within the whole pixel range something always changes the decision of a working classifier. The attack "
            "failed on these samples; they count as infinite margins, which is not robustness.",
            "Look for masked gradients in the other flags; evaluate the samples with another attack.",
        ),
        Flag(
            "masking",
            "A weaker attack beats the gradient attacks",
            "A black-box, transferred or float64 attack breaks more than 1 % of the samples that the white-box "
            "attacks left standing, beyond chance (95 % interval), over the whole evaluation; or the random search for "
            "margins comes more than 5 % nearer than every gradient attack on more than 10 % of the samples.",
            "The gradients are masked: they do not lead to the adversarial examples.",
            "Do not report these figures as robustness. Find what masks the gradients and attack without it.",
        ),
        Flag(
            "optimises-at-inference",
            "The network optimises at inference",
            "The forward pass of a clean image itself calls automatic differentiation.",
            "The defence adapts to its input, and a gradient through its own optimisation is rarely right.",
            "Evaluate the network without the inner optimisation, or use an attack written for it.",
        ),
        Flag(
            "few-classes",
            "Fewer classes than the targeted attacks assume",
            "The network has fewer other classes than the preset has targets, or AutoAttack's own check says so.",
            "Targets are limited to the classes that exist. With fewer than four classes the targeted DLR loss does "
            "not exist, and AutoAttack runs without that attack.",
            "For margins, do nothing: every other class was a target. Do not cite such a run as plain AutoAttack.",
        ),
        Flag(
            "train-mode",
            "Layers in training mode",
            "A batch normalisation or dropout layer is still in training mode after the network was put in "
            "evaluation mode.",
            "Outputs depend on the other samples in the batch, or on chance.",
            "Make the network respect eval().",
        ),
        Flag(
            "out-of-box",
            "Inputs outside [0, 1]",
            "A pixel of the given images is below 0 or above 1; the run is refused.",
            "Distances are measured in pixels of [0, 1]; on other inputs they mean something else.",
            "Scale the images to [0, 1] and put the normalisation inside the network.",
        ),
        Flag(
            "non-finite",
            "Outputs that are not finite",
            "A logit of a clean image is NaN or infinite.",
            "The network predicts no class for such a sample, so the sample counts as wrong.",
            "Check the weights, and whether they were stored in half precision.",
        ),
        Flag(
            "apparent-gain",
            "Margins grew implausibly",
            "In a comparison, the margins of the pruned network are far above those of its dense parent.",
            "Pruning rarely makes a network much more robust; more often it masks its gradients.",
            "Look at the flags of the pruned network and try adversarial examples of the parent on it.",
        ),
    ],
    key="code",
)

# Flags after which an attack may have found too little, so that margins are too large.
WEAKENING = frozenset(
    {
        *("randomised", "probabilities", "zero-gradients", "gradient-mismatch", "partial-gradients", "not-found"),
        *("masking", "optimises-at-inference", "train-mode", "apparent-gain"),
    }
)
