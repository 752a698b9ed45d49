"""How to read the pages and their plots."""

from dataclasses import dataclass

from frontend.help.addresses import anchor


@dataclass(frozen=True)
class Passage:
    """A part of a page and how to read it; `means` may hold links of Help."""

    title: str
    means: str

    @property
    def anchor(self) -> str:
        """Its place on the page: `reading-the-robustness-curve`."""
        return anchor("reading", self.title)


COMPARE = (
    Passage(
        "The line of context",
        "Data set, number of samples, norm, preset, seed and date of the two evaluations, and whether both sides were "
        "attacked with [equal effort](word:equal effort). If they were not, the page states the difference before any "
        "figure.",
    ),
    Passage(
        "The sentence",
        "The result in words: how many samples pruning lost and gained, whether small dense margins predicted the "
        "losses, and what the control lost; of clean or of [robust flips](word:robust flip), as the switch says. The "
        "cards below show what the sentence rests on.",
    ),
    Passage(
        "The sliders ε and δ",
        "ε sets the perturbation size for robust figures; δ sets where thin ice ends. Both are applied to the stored "
        "margins, so no attack runs again. Cards that a slider does not move say so.",
    ),
    Passage(
        "Picked samples",
        "Draw a box or a lasso in the scatter, or press a bar, a point or a number of a table: the sentence, the "
        "numbers, the pictures and the lists then cover these samples, and a chip says which. What covers all samples "
        "says so. The link in the chip's line opens exactly these in Samples; the address holds them too.",
    ),
    Passage(
        "Margins, dense and pruned",
        "One mark for each sample: its dense margin to the right, its pruned margin upwards. Below the diagonal, "
        "pruning brought the decision boundary nearer. The gutters at the edges hold samples that are already wrong "
        "and samples for which nothing was found; they stay in sight when you zoom.",
    ),
    Passage(
        "Share lost by dense margin",
        "The share of samples lost among those of similar dense margin, with its interval as a band. If the line falls "
        "from left to right, pruning loses the samples on thin ice. Compare it with the controls: any change to a "
        "network loses such samples first.",
    ),
    Passage(
        "The robustness curve",
        "Robust accuracy of both networks at every eps, from the stored margins. The band is the 95 % interval. Where "
        "the pruned curve lies below the dense one, pruning cost robustness at that eps.",
    ),
    Passage(
        "Margins before pruning",
        "A histogram of the dense margins, coloured by what became of the samples. The pale blue zone is thin ice.",
    ),
    Passage(
        "Losses by class",
        "The share lost in each class, with its interval. A class is red if it loses more than the rest beyond chance, "
        "corrected for the number of classes.",
    ),
    Passage(
        "Boundary moved, or a new hole",
        "What [replays](word:replay) say about the lost samples: does the dense adversarial break the pruned network "
        "too, or did pruning open a way of its own?",
    ),
)

OTHERS = (
    Passage(
        "The wall of samples",
        "Samples and Compare show the samples themselves: the thinnest first, those whose margin drops most, the "
        "thickest, or by index. The arrow keys, Home and End walk the wall. Open a sample to see the perturbation that "
        "changes each network, and its size.",
    ),
    Passage(
        "A single sample",
        "The clean image, the adversarial and the perturbation for both networks, and what each network predicts for "
        "the adversarial against the other. Both perturbations use the same colour scale: red is brighter, blue is "
        "darker. One that would look white is stretched, and its frame says how many times. The strip below shows both "
        "margins next to ε and δ.",
    ),
    Passage(
        "The boundary slice",
        "Two pictures of one plane, for the dense and the pruned network; the colour is the predicted class. The clean "
        "image lies in the middle, the marks are the adversarials, and the dashed line is the ball of ε cut by the "
        "plane. See [boundary slice](word:boundary slice).",
    ),
    Passage(
        "The layers that bring samples back",
        "Each row is the pruned network with one [restored layer](word:restored layer). Read it from left to right: "
        "lost samples that are back at ε, lost samples that are right again, kept samples that still hold, and clean "
        "accuracy. A layer that brings samples back but loses kept ones does not fit the others.",
    ),
    Passage(
        "Claimed and re-evaluated",
        "Overview and Claims draw a diamond at the claimed robust accuracy and a dot at the re-evaluated one, with its "
        "95 % interval. The line between them is the gap. A red mark means that the claim is too high beyond chance.",
    ),
    Passage(
        "The panels of Methods",
        "Each panel shows one figure against the level of pruning, with one line for each method and the dense network "
        "and its control as bands. Marks lead to their evaluation.",
    ),
    Passage(
        "Several checkpoints",
        "Compare several shows up to eight pruned checkpoints on the samples that all of them share. In the table of "
        "[overlaps](word:overlap), a cell says of two checkpoints how far their losses are the same samples; press it "
        "to see them. Tick checkpoints on Methods to get there, or begin with a usual choice.",
    ),
    Passage(
        "The marks of methods",
        "Each method has one colour, one shape and one dash, on every page. A second checkpoint of the same method on "
        "one page takes a mark that is free.",
    ),
)

PASSAGES: dict[str, tuple[Passage, ...]] = {"Compare": COMPARE, "Other pages": OTHERS}
