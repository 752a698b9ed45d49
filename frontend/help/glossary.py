"""The words of the product. One word, one meaning: code, REST, pages and documents use them as they stand here."""

import re
from dataclasses import dataclass

from backend.attacks.catalogue import PRESETS, index_by_name


@dataclass(frozen=True)
class Word:
    """A word, what it means, and other forms under which people meet it."""

    name: str
    means: str
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Where the help page explains it: /help#word-thin-ice."""
        return f"word-{re.sub('[^a-z0-9]+', '-', self.name.lower()).strip('-')}"


MODELS = (
    Word("checkpoint", "The stored weights of one network, with what is known about where they come from."),
    Word("dense", "The checkpoint that was there before pruning. It is the reference in every comparison."),
    Word(
        "pruned",
        "A checkpoint made by removing weights from a dense one. It is compared with the very checkpoint it was made "
        "from, its parent.",
        ("parent",),
    ),
    Word(
        "control",
        "A checkpoint that shares everything with the pruned one but the pruning: the dense network finetuned as long, "
        "a dense network from another training seed, or the parent with random noise on its weights. Any change flips "
        "some samples; a control says how many.",
    ),
    Word(
        "pruning run",
        "A job that makes a checkpoint here: it trains a copy of a dense one by adversarial training while a method "
        "takes weights away, on training images that no evaluation looks at. Epochs are picked on a part of those "
        "images; the test images measure the claim alone.",
        ("pruning", "prune"),
    ),
    Word(
        "schedule",
        "How long a pruning run trains. Short: a few epochs, at the same cost for every method, so that results can be "
        "compared. Paper: the published epochs and attack, which take a GPU.",
        ("short schedule", "paper schedule"),
    ),
    Word(
        "passes",
        "The cost of a training run: how often single images went forward and backward through the network, steps of "
        "the attack included, validation not.",
    ),
    Word(
        "sparsity",
        "The share of prunable weights that are zero, counted in the loaded network. Weights of convolutions and "
        "linear layers are prunable; biases and batch normalisation are not.",
    ),
    Word(
        "descent",
        "Whether a checkpoint was made from its named parent, told by the weights alone: those that survive pruning "
        "are correlated with the parent's, and a kept weight was mostly larger there than a pruned one. Another "
        "training run shows neither. Yes, no, or cannot tell; a sibling answers as the child does.",
        ("made from", "mask agreement"),
    ),
    Word(
        "kind of zeros",
        "How the zeros lie: single weights, whole filters (output channels), whole input channels, or N kept of every "
        "M weights along the inputs (N:M).",
        ("structure", "N:M"),
    ),
    Word(
        "dead filter",
        "An output channel without a weight left: its output is the same for every image. A silent channel still has "
        "weights, and its ReLU is zero on all images that were tried.",
        ("silent channel",),
    ),
    Word(
        "claim",
        "The robust accuracy that its authors state for a checkpoint, with the attack they used. It is too high where "
        "the 95 % interval of claimed minus re-evaluated lies above 0. A weak attack flatters dense networks as well, "
        "so what counts is by how much more than the dense parent's and the control's.",
    ),
    Word(
        "family",
        "A dense checkpoint with its controls, its other seeds and everything that was pruned from it: the rows of the "
        "Methods page.",
    ),
    Word(
        "level",
        "The share that pruning took away of what it removes: of the weights, of the filters or of the input channels; "
        "for HARP's channels, of the multiplications. "
        "Checkpoints are ranked only with others of the same kind and level.",
    ),
)

MEASURING = (
    Word(
        "evaluation",
        "One checkpoint attacked with one preset on a list of samples. Its rows never change once it has succeeded.",
        ("record",),
    ),
    Word("attack", "A search for a small perturbation that makes the network answer differently."),
    Word(
        "preset",
        "Attacks that run together under one name, with all their settings.",
        tuple(PRESETS),
    ),
    Word("perturbation", "What is added to the pixels of an image: the adversarial image minus the clean one."),
    Word(
        "adversarial",
        "An image that the network answers wrongly, close to one that it answers rightly. It counts only after it was "
        "checked: pixels in [0, 1], inside the norm ball, classified once more by the network itself.",
        ("adversarial example",),
    ),
    Word(
        "norm",
        "How the size of a perturbation is measured. Linf is the largest change of a pixel, written in steps of 1/255; "
        "L2 is the root of the sum of squared changes and L1 the sum of the changes, written as plain numbers. Margins "
        "exist in Linf and L2; in L1 there is AutoAttack alone.",
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
        "boundary may be nearer, never farther. A sample that is wrong already has margin 0; one for which "
        "nothing was found has none.",
    ),
    Word(
        "primary run",
        "The rows of an evaluation's own run, before anybody knew where to look. Comparisons read the primary runs of "
        "both sides and nothing else, because more effort on one side manufactures losses. What is said of one network "
        "alone counts the run's fallback attacks too.",
    ),
    Word(
        "fallback",
        "What an evaluation tries by itself once a flag doubts the network's gradients: precise scores, a "
        "search without gradients, the parent's adversarials. What it breaks is broken, in this network's "
        "own figures; comparisons leave it out, because the other side may have had no fallback attack.",
        ("fallbacks",),
    ),
    Word(
        "extra evidence",
        "Adversarials beyond the primary run: uploaded, replayed from another checkpoint, or found by more effort on "
        "chosen samples. Each is verified, credited to its source, and lowers the best-known bound. It never changes a "
        "margin.",
        ("evidence", "beside the primary run"),
    ),
    Word(
        "best known",
        "The nearest verified adversarial of a sample from all evidence, with who found it. It is at most the margin. "
        "Where it lies within eps and the margin does not, the page says so.",
        ("best-known bound",),
    ),
    Word(
        "attack harder",
        "Spending a stated budget of gradients or seconds on chosen samples: the same attacks again, each time with a "
        "seed that was not spent yet. Three passes without a gradient count as one gradient.",
        ("budget", "more effort"),
    ),
    Word(
        "margin of its own answer",
        "The smallest perturbation found that changes the network's own answer, right or wrong. For a sample that is "
        "wrong already it tells whether that wrong answer stands near a boundary.",
        ("margin_pred",),
    ),
    Word(
        "minimum",
        "A distance that an attack made as small as it could. It bounds the margin from above and can be compared.",
    ),
    Word(
        "witness",
        "A distance that only proves that so much is enough to break the sample, mostly eps. It says nothing about how "
        "little would have done, so witnesses are not drawn as margins.",
    ),
    Word(
        "verdict",
        "What an attack at one eps says of a sample: it holds, it is broken, or it is wrong before any attack. "
        "AutoAttack and fast give verdicts; margin measures how far away the boundary is.",
        ("holds", "broken"),
    ),
    Word(
        "not found",
        "No attack turned the answer at any radius. Such samples are counted apart and never averaged: a missing "
        "distance is neither 0 nor the largest one seen.",
        ("none found", "censored"),
    ),
    Word(
        "survives 8 bits",
        "Whether the adversarial still works after its pixels are rounded to the 256 steps of an ordinary image file.",
    ),
    Word(
        "logit gap",
        "The true label's logit minus the largest other one: cheap, known without any attack, and not the margin.",
    ),
    Word("max probability", "The probability that the network gives to its answer on the clean image."),
    Word("loss", "The cross-entropy of the network on the clean image."),
    Word(
        "repeat",
        "The same evaluation once more with another seed. What differs between repeats is the luck of the attacks.",
    ),
    Word(
        "slack to flip",
        "How much smaller, as a share of itself, the margin of a sample that holds at eps would have to be for the "
        "verdict to flip.",
        ("slack_to_flip",),
    ),
    Word("seed", "The number that fixes every random choice of an attack, so that a run can be repeated."),
)

FLIPS = (
    Word("kept", "Right before pruning and right after it.", ("S11",)),
    Word("lost", "Right before pruning, wrong after it: a negative flip.", ("S10",)),
    Word("gained", "Wrong before pruning, right after it: a positive flip.", ("S01",)),
    Word("wrong on both", "Wrong before pruning and wrong after it.", ("S00",)),
    Word(
        "clean accuracy",
        "The share of samples that are answered rightly without any attack.",
        ("clean",),
    ),
    Word(
        "robust accuracy",
        "The share of samples that are answered rightly and stay so under every perturbation tried within eps.",
        ("robust",),
    ),
    Word(
        "robust flip",
        "A sample lost or gained in robust correctness: right, with a margin above eps, on one side of the pruning "
        "only. The same four words apply at every eps.",
    ),
    Word(
        "replay",
        "Adversarials of one network tried on the other of a pair. Where the dense adversarial also breaks the pruned "
        "network, the boundary moved; where it does not, pruning opened a new hole. Where an adversarial within eps "
        "breaks both, the flip was attack luck.",
        ("boundary moved", "new hole", "attack luck"),
    ),
    Word(
        "thin ice",
        "Where samples stand that the dense network answers rightly with a margin up to the threshold δ. You pick δ; "
        "pages draw the zone in pale blue.",
        ("delta", "δ"),
    ),
    Word(
        "robustness curve",
        "Robust accuracy for every eps at once: the share of samples whose margin is larger.",
        ("security curve",),
    ),
)

STATISTICS = (
    Word(
        "equal effort",
        "Both sides were attacked alike: same samples, norm, preset, steps, library versions and kind of distance. "
        "Anything else is said loudly on the page, because harder attacks on one side manufacture losses.",
    ),
    Word(
        "attack noise",
        "What the seed alone changes: verdicts that differ between repeats of one checkpoint, and the share by which "
        "95 % of margins move. A verdict within attack noise hangs on a margin that exceeds eps by less than that "
        "share.",
        ("within attack noise", "noise floor"),
    ),
    Word(
        "answer",
        "Yes, no or cannot tell. Yes: every interval that decides lies above 0 (an AUROC above 0.5). No: one of them "
        "lies below what is negligible, 1 point of samples or an AUROC of 0.55. On the Methods page the intervals are "
        "widened so that all of one question hold together, and a method is answered as more than half of its "
        "checkpoints are, if none says the opposite.",
        ("yes", "no", "cannot tell"),
    ),
    Word("n", "The number of samples behind a figure. With 128 of them a flip is noise."),
    Word(
        "interval",
        "The range in which the figure would lie for other samples of the same kind, in 95 of 100 cases. It leaves out "
        "what another training seed would change.",
    ),
    Word("negative flip rate", "The share of all samples that pruning lost."),
    Word("positive flip rate", "The share of all samples that pruning gained."),
    Word("churn", "The share of all samples whose answer changed, whether either answer was right or not."),
    Word(
        "McNemar",
        "An exact test of whether losses and gains differ by more than chance. A small p says that they do.",
    ),
    Word(
        "AUROC",
        "How well a score known before pruning tells the lost from the kept: the chance that a lost sample has the "
        "smaller margin. 0.5 is guessing, 1 is certain. Not given for fewer than 20 lost samples.",
    ),
    Word(
        "average precision",
        "The precision of the same score, averaged over all recalls; read it beside the share lost.",
    ),
    Word("FPR at 95 % TPR", "The share of kept samples one has to accept to catch 95 % of the lost ones."),
    Word("Spearman", "How far the order of the samples by dense margin agrees with their order by pruned margin."),
)

GROUPS: dict[str, tuple[Word, ...]] = {
    "Models": MODELS,
    "Measuring": MEASURING,
    "Flips": FLIPS,
    "Statistics": STATISTICS,
}

WORDS: dict[str, Word] = index_by_name([word for group in GROUPS.values() for word in group])


def find_word(name: str) -> Word | None:
    """The entry of a word or of another form of it."""
    if name in WORDS:
        return WORDS[name]
    return next((word for word in WORDS.values() if name in word.also), None)
