"""Words for attacks and what they measure."""

from backend.services.catalogues import PRESETS
from frontend.help.glossary.word import Word

MEASURING = (
    Word(
        "evaluation",
        "One preset run against one checkpoint on a list of samples. Once an evaluation has succeeded, its margins "
        "never change.",
    ),
    Word(
        "record",
        "Everything needed to repeat an evaluation: hashes of weights and samples, norm, eps, attacks with their "
        "settings, seed, library versions and device. The [protocol](section:4.9) lists it in full.",
    ),
    Word("attack", "A search for a small perturbation that changes the prediction of a network."),
    Word(
        "preset",
        "A set of attacks that run together under one name, with all their settings.",
        tuple("margin preset" if name == "margin" else name for name in PRESETS),
    ),
    Word(
        "attempt",
        "One attack on one sample: whether it found an adversarial, and at which distance. Attempts are never "
        "overwritten; the nearest verified one decides.",
    ),
    Word(
        "candidate",
        "An image that an attack proposes as an adversarial. It counts only after the [check](section:4.2) that every "
        "adversarial passes.",
    ),
    Word("prediction", "The class to which a network gives the largest logit for an image."),
    Word("perturbation", "The difference between the adversarial image and the clean one, pixel by pixel."),
    Word(
        "adversarial",
        "An image that the network gets wrong, close to one that it gets right. It counts only once it is verified: "
        "pixels in [0, 1], inside the norm ball, and classified again by the network itself.",
        ("adversarial example",),
    ),
    Word(
        "norm",
        "How the size of a perturbation is measured. Linf is the largest change of any pixel, written in steps of "
        "1/255. L2 is the root of the sum of squared changes and L1 the sum of absolute changes, both written as plain "
        "numbers. Margins exist in Linf and L2; in L1 only AutoAttack runs.",
        ("Linf", "L2", "L1"),
    ),
    Word(
        "eps",
        "The size of perturbation at which robustness is judged, kept as an exact fraction such as 8/255. Pixels lie "
        "in [0, 1].",
        ("ε",),
    ),
    Word(
        "margin",
        "The smallest perturbation found that makes the network lose the true label. It is an upper bound: the "
        "decision boundary may be nearer, never farther. A sample that is already wrong has margin 0; a sample for "
        "which no adversarial was found has no margin.",
    ),
    Word(
        "margin of its own prediction",
        "The smallest perturbation found that changes the prediction of the network, right or wrong. For a sample that "
        "is already wrong, it shows how firmly the network holds the wrong prediction.",
        ("margin_pred",),
    ),
    Word(
        "series",
        "A numbered group of attempts within one evaluation: 0 is the primary run, 1 its fallback attacks, and each "
        "piece of evidence has its own number from 2 up.",
    ),
    Word(
        "primary run",
        "The attacks that every evaluation with a preset makes, before any flag or evidence directs further effort. "
        "Comparisons read the primary runs of both sides and nothing else, because more effort on one side creates "
        "losses that are not there.",
    ),
    Word(
        "fallback attack",
        "An attack that an evaluation adds by itself once a flag questions the gradients of the network: precise "
        "scores, a search without gradients, or the adversarials of the parent. Samples that a fallback attack breaks "
        "count as broken in the figures of this network. Comparisons leave them out, because the other side may have "
        "had no fallback attack.",
        ("fallback", "fallbacks"),
    ),
    Word(
        "evidence",
        "Adversarials beyond the primary run: uploaded, replayed from another checkpoint, or found by more effort on "
        "chosen samples. Each one is verified, credited to its source, and may lower the best-known bound of a sample. "
        "Evidence never changes a margin.",
        ("additional evidence",),
    ),
    Word(
        "best-known bound",
        "The distance of the nearest verified adversarial of a sample from all sources, with its finder. It is at most "
        "the margin. If it lies within eps and the margin does not, the page says so.",
        ("best known",),
    ),
    Word(
        "attack harder",
        "Spend a stated budget of gradients or seconds on chosen samples: the same attacks run again, each time with a "
        "new seed. Three passes without a gradient count as one gradient.",
        ("budget", "more effort"),
    ),
    Word(
        "boundary slice",
        "The classes of the dense and the pruned network on the plane through a clean image, the dense adversarial and "
        "the pruned one. Lengths on the plane are L2 distances. Where a network has no adversarial, because it is "
        "wrong without any attack or none was found, its gradient at the clean image spans the plane instead.",
        ("slice",),
    ),
    Word(
        "restored layer",
        "A layer of the pruned network that has the weights of its parent again, with the normalisation after it. The "
        "lost samples are attacked again like those of the pruned network. A sample is back if it is right and holds. "
        "Kept samples are measured too, because the other layers were trained for the pruned layer, not for this one.",
        ("restored layers", "mask to flip"),
    ),
    Word(
        "pool",
        "The images from which an attack that starts at another class takes its starting points.",
    ),
    Word(
        "minimum",
        "A distance that an attack made as small as it could. It bounds the true distance from above and can be "
        "compared between networks.",
    ),
    Word(
        "witness",
        "A distance that only proves that a perturbation of this size breaks the sample; mostly it equals eps. A "
        "smaller one may do, so witnesses are not drawn as margins.",
    ),
    Word(
        "verdict",
        "The result of attacking a sample at one eps: it holds, it is broken, or it is wrong before any attack. The "
        "presets autoattack and fast give verdicts; the preset margin gives distances.",
        ("holds", "broken"),
    ),
    Word(
        "not found",
        "No attack changed the prediction at any radius. Such samples are counted separately and never averaged: a "
        "missing distance is neither 0 nor the largest one seen.",
        ("none found", "censored"),
    ),
    Word(
        "survives 8 bits",
        "Whether the adversarial still works after its pixels are rounded to the 256 steps of an ordinary image file.",
    ),
    Word(
        "logit gap",
        "The logit of the true label minus the largest other logit. It is cheap and needs no attack, but it is not the "
        "margin.",
    ),
    Word("max probability", "The probability of the predicted class on the clean image."),
    Word("loss", "The cross-entropy of the network on the clean image."),
    Word(
        "repeat",
        "The same evaluation with another seed. Differences between repeats are due to the randomness of the attacks.",
    ),
    Word(
        "slack to flip",
        "For a sample that holds at eps: how much smaller its margin would have to be for the verdict to flip, as a "
        "share of the margin.",
        ("slack_to_flip",),
    ),
    Word("seed", "The number that fixes every random choice of an attack, so that a run can be repeated."),
    Word(
        "flag",
        "A warning that the attacks on a network may be unreliable, raised by checks that run with every evaluation. "
        "Each flag, such as [masking](flag:masking), has a section that says when it is raised, what it means and what "
        "to do. Early flags are those raised before the run, on images of the whole evaluation.",
        ("reliability flag", "early flags"),
    ),
    Word(
        "caveat",
        "A reason not to take a figure at face value, shown next to it: a raised flag, margins grown beyond belief, "
        "a stronger attack that breaks what these margins call robust, or a parent that the weights deny.",
    ),
)
