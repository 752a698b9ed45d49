"""The evaluation protocol: what is measured, what is computed from it, and the rules that make a number trustworthy.

Docstrings cite the sections by number ("protocol 4.2"), so a number keeps its subject; new rules get new numbers.
"""

from dataclasses import dataclass

from frontend.help.addresses import anchor


@dataclass(frozen=True)
class Section:
    """A numbered section. Paragraphs and points may hold links of Help; a chapter has a whole number."""

    number: str
    title: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Its place on the page of the protocol: `section-4-7`."""
        return anchor("section", self.number)

    @property
    def is_chapter(self) -> bool:
        return "." not in self.number


WORDS_ALL_REST_ON = (
    "dense",
    "pruned",
    "clean accuracy",
    "robust accuracy",
    "eps",
    "margin",
    "margin of its own prediction",
    "kept",
    "lost",
    "gained",
    "wrong on both",
    "robust flip",
    "thin ice",
    "robustness curve",
    "sparsity",
    "logit gap",
)
"""Entries of the glossary that chapter 2 repeats."""

PAPER = "https://arxiv.org/abs/2310.08073"

CLAIMS = (
    Section(
        "1",
        "The statements under test",
        (
            "Thin Ice follows a paper by Piras, Pintor, Demontis and Biggio, “Samples on Thin Ice: Re-Evaluating "
            "Adversarial Pruning of Neural Networks” (ICMLC 2023). The paper makes three "
            "statements. Thin Ice tests the first two on your own checkpoints, shows every sample behind the answer, "
            "and offers a pruning method that acts on the third.",
        ),
    ),
    Section(
        "1.1",
        "The robustness of pruned networks is overestimated",
        (
            "Adversarial pruning methods claim to keep robustness at high sparsity. When three state-of-the-art "
            "methods are evaluated again with a strong attack, less robustness is left than claimed.",
        ),
    ),
    Section(
        "1.2",
        "Pruning loses the samples on thin ice",
        (
            "Compare the dense and the pruned version of a network sample by sample. The samples that the pruned "
            "version gets wrong are typically those close to the decision boundary of the dense one: they stand on "
            "[thin ice](word:thin ice).",
        ),
    ),
    Section(
        "1.3",
        "Knowing this may lead to better pruning",
        ("A method that knows which samples stand on thin ice can protect them while it prunes.",),
    ),
)

WORDS = (
    Section(
        "2",
        "Words",
        ("These words carry the protocol. The glossary explains all others.",),
    ),
)

COMPUTED = (
    Section(
        "3",
        "What is computed for a pair",
        (
            "A pair is a dense network and a network pruned from it, evaluated on the same samples. Every figure comes "
            "with the number of samples n behind it and, where one can be computed, a 95 % interval. With n = 128, a "
            "single flip is noise.",
        ),
    ),
    Section(
        "3.1",
        "Flips",
        (
            "Each sample is [kept](word:kept), [lost](word:lost), [gained](word:gained) or "
            "[wrong on both](word:wrong on both): once by the clean images, and once for each eps. From these four "
            "counts follow the rates of negative and positive flips, the [churn](word:churn) and an exact "
            "[McNemar](word:McNemar) test of whether losses and gains differ by more than chance.",
        ),
    ),
    Section(
        "3.2",
        "Margins",
        (
            "The distribution of the margins on each side, their medians, the robustness curve, the change of each "
            "margin, and the rank correlation ([Spearman](word:Spearman)) between dense and pruned margins.",
            "Margins that are zero (wrong already) or infinite (nothing found) are not measurements. They are counted "
            "separately, never averaged, and left out of every test that needs numbers.",
        ),
    ),
    Section(
        "3.3",
        "Does thin ice predict the losses?",
        (
            "Among the samples that the dense network gets right, the share lost is shown for bins of the dense "
            "margin, with Wilson intervals. The [AUROC](word:AUROC), the average precision and the FPR at 95 % TPR say "
            "how well a small dense margin predicts a loss, with bootstrap intervals.",
            "The same figures are given for cheap scores that need no attack: the logit gap, the highest probability "
            "and the loss. A margin that predicts no better than they do was not worth its cost. You can move the "
            "threshold δ and read precision, recall and size of the zone.",
        ),
    ),
    Section(
        "3.4",
        "Controls",
        (
            "Any change to a network flips samples near its decision boundary. Without a control, a count of "
            "flips says nothing about pruning. Each control answers another question:",
        ),
        (
            "the dense network finetuned for as long without pruning: what does finetuning alone do?",
            "a dense network from another training seed: what does chance do?",
            "the parent with random noise on its weights, as large as the change by pruning: what does any "
            "perturbation do?",
            "the same evaluation with another seed ([attack noise](word:attack noise)): what does the randomness of "
            "the attacks do? This control concerns robust flips only; clean flips have no such noise.",
        ),
    ),
    Section(
        "3.5",
        "Claims",
        (
            "A weak attack overestimates dense networks as well. The gap between claimed and re-evaluated robust "
            "accuracy of a pruned network is therefore compared with the same gap of its dense parent and of the "
            "control. The [answer](word:answer) is yes, no or cannot tell; for the shipped "
            "networks and for those pruned here, it holds for our re-implementations of the methods.",
        ),
    ),
    Section(
        "3.6",
        "Robust statistics",
        (
            "Statistics at an eps have a population of their own: the samples that the dense network holds at that "
            "eps. They are not shares of all samples.",
        ),
    ),
    Section(
        "3.7",
        "Power and what intervals leave out",
        (
            "With fewer than 20 lost samples no AUROC is given, and the page says so. Intervals are over samples. "
            "Where one checkpoint stands for a method, they leave out what another training seed would change.",
        ),
    ),
    Section(
        "3.8",
        "Classes",
        (
            "The share lost in each class, with its interval, and a p-value corrected for the number of classes: does "
            "one class pay more than the others?",
        ),
    ),
)

RULES = (
    Section(
        "4",
        "Rules that make a number trustworthy",
        ("The code cites these rules by number.",),
    ),
    Section(
        "4.1",
        "Inputs and mode of the network",
        (
            "Pixels lie in [0, 1], and normalisation is part of the network. The network runs in evaluation mode with "
            "frozen parameters. Verdicts are made in float32.",
        ),
    ),
    Section(
        "4.2",
        "Every adversarial is verified before it counts",
        (
            "An attack only proposes [candidates](word:candidate). Each one is clamped to [0, 1], checked to lie "
            "inside the norm ball, and classified again by the network itself, in float32 and evaluation mode. The "
            "stored distance is measured again on the verified image.",
        ),
    ),
    Section(
        "4.3",
        "Several attacks give the worst case",
        ("The verdict of several attacks on a sample is that of the most successful one, never a mean.",),
    ),
    Section(
        "4.4",
        "Verdict and margin agree",
        (
            "“Broken at eps” and “margin of at most eps” are the same statement. The two are checked against each "
            "other, so they cannot disagree.",
        ),
    ),
    Section(
        "4.5",
        "A failed attack is not a number",
        (
            "Where an attack finds nothing, the sample is marked as not found and its margin is infinite. Some "
            "published benchmarks store the clean image instead; a failure then counts as distance 0, and robustness "
            "is understated.",
        ),
    ),
    Section(
        "4.6",
        "Seeds are fixed and recorded",
        ("The same seed on the same device gives the same result bit for bit, or the record says that it does not.",),
    ),
    Section(
        "4.7",
        "Reliability flags",
        (
            "Every evaluation checks whether attacks on this network can be trusted. A check that fails raises a flag. "
            "A flag changes no figure; it tells how far to trust the figures. The code of a flag never changes, and "
            "its section says when it is raised, what it means and what to do.",
        ),
    ),
    Section(
        "4.8",
        "Only comparable evaluations are paired",
        (
            "Two evaluations are compared if they agree in data set, split, samples, norm, preset, steps, library "
            "versions and kind of distance. Samples are matched by the hash of their content, never by their row. "
            "Evaluations without common samples are refused; every other difference is stated wherever the pair is "
            "shown.",
            "[Equal effort](word:equal effort) means that comparisons use the [primary run](word:primary run) of both "
            "sides. Everything else has a column of its own: [evidence](word:evidence), such as uploaded or replayed "
            "adversarials and more effort on chosen samples, and the [fallback attacks](word:fallback attack) that ran "
            "on one side only. Attacking the pruned network harder than the dense one would create losses that are not "
            "there.",
        ),
    ),
    Section(
        "4.9",
        "What the record of an evaluation holds",
        ("Each evaluation keeps what is needed to repeat it and to tell whether it can be compared:",),
        (
            "the SHA-256 of the file and of the effective weights, the architecture, the normalisation and the "
            "measured sparsity;",
            "the data set, its split, and the hash of the samples;",
            "norm, eps, preset, attacks with steps and restarts, the seed and the batch size;",
            "versions of Python and of the libraries, device and number format;",
            "the time taken, and the number of forward and backward passes.",
        ),
    ),
    Section(
        "4.10",
        "Evaluations that differ are not ranked together",
        (
            "Networks trained with extra data are not ranked with networks trained without it. Neither are figures "
            "with a different n, eps or attack.",
        ),
    ),
)

KNOWN = (
    Section(
        "5",
        "Published figures to compare results with",
        (
            "These figures were not measured here. They are for other networks than yours, and are printed as their "
            "sources give them. An evaluation of the same checkpoint should come close to them; a result far above "
            "them calls for a look at the flags.",
        ),
    ),
)

SECTIONS: tuple[Section, ...] = (*CLAIMS, *WORDS, *COMPUTED, *RULES, *KNOWN)
