"""Words for what pruning does to samples."""

from frontend.help.glossary.word import Word

FLIPS = (
    Word("kept", "Right before pruning and right after.", ("S11",)),
    Word("lost", "Right before pruning and wrong after: a negative flip.", ("S10", "negative flip")),
    Word("gained", "Wrong before pruning and right after: a positive flip.", ("S01", "positive flip")),
    Word("wrong on both", "Wrong before pruning and wrong after.", ("S00",)),
    Word("clean accuracy", "The share of samples that the network gets right without any attack.", ("clean",)),
    Word(
        "robust accuracy",
        "The share of samples that the network gets right, and keeps right under every perturbation tried within eps.",
        ("robust",),
    ),
    Word(
        "robust flip",
        "A sample that is right with a margin above eps on one side of the pruning and not on the other: lost or "
        "gained in the robust sense. Kept, lost, gained and wrong on both apply at every eps in this way.",
    ),
    Word(
        "replay",
        "Trying the adversarials of one network of a pair on the other. If the dense adversarial also breaks the "
        "pruned network, the boundary moved; if it does not, pruning opened a new hole. If an adversarial within eps "
        "breaks both networks, the flip was attack luck.",
        ("dense on pruned", "pruned on dense", "boundary moved", "new hole", "attack luck"),
    ),
    Word(
        "thin ice",
        "Samples that the dense network gets right with a margin of at most the threshold δ. You choose δ; the plots "
        "show the zone in pale blue.",
        ("delta", "δ"),
    ),
    Word(
        "robustness curve",
        "Robust accuracy for every eps at once: the share of samples whose margin is larger than eps.",
        ("security curve",),
    ),
)
