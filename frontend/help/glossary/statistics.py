"""Words for what follows from the counts."""

from frontend.help.glossary.word import Word

STATISTICS = (
    Word(
        "equal effort",
        "Both sides were attacked in the same way: same samples, norm, preset, steps, library versions and kind of "
        "distance. The page states every difference, because harder attacks on one side create losses that are not "
        "there.",
    ),
    Word(
        "incompatible",
        "Two evaluations or trainings that cannot stand in for each other, because something that matters differs "
        "between them. The page names the difference.",
        ("mismatch",),
    ),
    Word(
        "attack noise",
        "What changes when only the seed changes: the verdicts that differ between repeats of one checkpoint, and the "
        "share by which 95 % of margins move. A verdict is within attack noise if its margin exceeds eps by less than "
        "that share.",
        ("within attack noise", "noise floor"),
    ),
    Word(
        "answer",
        "Yes, no or cannot tell, to one of the questions that Thin Ice asks of a claim or a family. Yes: every "
        "deciding interval lies above 0 (an AUROC above 0.5). No: one of them lies below what is negligible, 1 point "
        "of samples or an AUROC of 0.55. On the Methods page the intervals are widened so that all intervals of one "
        "question hold together. The answer for a method is that of more than half of its checkpoints, provided that "
        "none says the opposite.",
        ("yes", "no", "cannot tell"),
    ),
    Word(
        "finding",
        "What one checkpoint, or one pair of rivals, contributes to an answer: its intervals, and the answer that they "
        "give on their own.",
    ),
    Word("n", "The number of samples behind a figure. With 128 samples, a single flip is noise."),
    Word(
        "interval",
        "The range in which the figure would lie in 95 of 100 cases if other samples of the same kind were drawn. It "
        "leaves out what another training seed would change.",
    ),
    Word("negative flip rate", "The share of all samples that pruning lost."),
    Word("positive flip rate", "The share of all samples that pruning gained."),
    Word("churn", "The share of all samples whose prediction changed, right or wrong."),
    Word(
        "McNemar",
        "An exact test of whether losses and gains differ by more than chance. A small p means that they do.",
    ),
    Word(
        "overlap",
        "Of the samples that either of two pruned networks loses, the share that both lose (Jaccard index). 1 means "
        "the same samples, 0 none in common. At random stands for the overlap of as many losses drawn from the samples "
        "that the dense network holds.",
        ("Jaccard",),
    ),
    Word(
        "AUROC",
        "How well a score known before pruning separates lost samples from kept ones: the chance that a lost sample "
        "has the smaller margin of the two. 0.5 is guessing, 1 is perfect. It is not given for fewer than 20 lost "
        "samples.",
    ),
    Word(
        "average precision",
        "The precision of the same score, averaged over all recalls. Compare it with the share of lost samples.",
    ),
    Word("FPR at 95 % TPR", "The share of kept samples that one has to accept to catch 95 % of the lost ones."),
    Word(
        "Spearman",
        "How well the order of the samples by dense margin agrees with their order by pruned margin; 1 is the same "
        "order, 0 is none in common.",
    ),
)
