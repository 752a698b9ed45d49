"""Words for networks and where they come from."""

from frontend.help.glossary.word import Word

MODELS = (
    Word("checkpoint", "The stored weights of one network, with what is known about their origin."),
    Word("dense", "The checkpoint before pruning. It is the reference in every comparison.", ("dense network",)),
    Word(
        "pruned",
        "A checkpoint made by removing weights from a dense one. It is compared with the dense checkpoint it was made "
        "from, its parent.",
        ("parent", "pruned network"),
    ),
    Word(
        "control",
        "A checkpoint that differs from the dense one, but not by pruning: the dense network finetuned for as "
        "long, a dense network from another training seed, or the parent with random noise on its weights. Any change "
        "flips some samples; a control shows how many.",
    ),
    Word(
        "pruning",
        "A [job](word:job) that makes a pruned checkpoint here. It trains a copy of a dense network adversarially "
        "while a method removes weights, on training images that no evaluation uses. Epochs are chosen on a part of "
        "those images; the test images are used only to measure the claim.",
        ("prune",),
    ),
    Word(
        "schedule",
        "How long a pruning trains. The short schedule takes a few epochs and costs the same for every method, so that "
        "results can be compared. The paper schedule uses the published epochs and attack, and needs a GPU.",
        ("short schedule", "paper schedule"),
    ),
    Word(
        "passes",
        "The cost of a training: how often single images went forward and backward through the network. The steps of "
        "the training attack count, validation does not.",
    ),
    Word(
        "sparsity",
        "The share of prunable weights that are zero, counted in the loaded network. Weights of convolutions and "
        "linear layers are prunable; biases and batch normalisation are not.",
    ),
    Word(
        "descent",
        "Whether a checkpoint was made from its named parent, judged from the weights alone. The weights that survive "
        "pruning correlate with those of the parent, and kept weights were mostly larger there than removed ones. "
        "Another training shows neither. A sibling looks like a child of the same parent.",
        ("made from", "mask agreement"),
    ),
    Word(
        "kind of zeros",
        "The pattern of the zeros: single weights, whole filters (output channels), whole input channels, or N kept of "
        "every M weights along the inputs (N:M).",
        ("structure", "N:M"),
    ),
    Word(
        "dead filter",
        "An output channel whose weights are all zero: its output is the same for every image. A silent channel still "
        "has weights, but its ReLU gave zero on every image that was tried.",
        ("silent channel",),
    ),
    Word(
        "inspection note",
        "Something unusual about the weights of a checkpoint, found when the file was imported and shown on its page.",
        ("inspection",),
    ),
    Word(
        "claim",
        "The robust accuracy that the authors of a checkpoint publish for it, with the attack they used. The claim is "
        "too high if the 95 % interval of claimed minus re-evaluated accuracy lies above 0. Weak attacks overestimate "
        "dense networks as well, so the claim of a pruned network is compared with those of its dense parent and the "
        "control.",
    ),
    Word(
        "family",
        "A dense checkpoint together with everything pruned from it, its controls and the same network from other "
        "training seeds. The Methods page shows one family.",
    ),
    Word(
        "level",
        "How much pruning removed: the share of the weights, of the filters or of the input channels; for the channels "
        "of HARP, the share of the multiplications. Checkpoints are ranked only against others with the same kind of "
        "zeros and the same level.",
    ),
)
