"""The finding: what pruning loses, on the pair that tells most, in one sentence."""

from dataclasses import dataclass

from dash import html

from backend.schemas.comparisons import Auroc, ComparisonOut, ControlOut, PairedSample
from backend.schemas.datasets import DatasetOut
from backend.services import checkpoints, comparisons, datasets
from frontend.components import SYMBOLS, Content
from frontend.figures.units import Unit, unit_of
from frontend.review.cut import Cut, choose_flips, has_margins
from frontend.words import count_words, percent

CONTROL_WORDS = {"finetuned": "same finetuning, nothing pruned", "seed": "another training seed"}
SCORE_WORDS = {"logit_gap": "logit gap", "max_probability": "largest probability", "loss": "loss"}
SHOWN = 5  # lost samples next to the sentence


@dataclass(frozen=True)
class Finding:
    """The most telling pair with its samples; `sparsity` is that of the pruned side, 0..1."""

    comparison: ComparisonOut
    samples: list[PairedSample]
    dataset: DatasetOut
    sparsity: float

    @property
    def cut(self) -> Cut:
        return Cut(str(self.comparison.dense.id), str(self.comparison.pruned.id))

    @property
    def unit(self) -> Unit:
        return unit_of(self.comparison.dense.norm)

    @property
    def is_measured(self) -> bool:
        """Whether there are margins to draw; verdicts at one eps have none."""
        return has_margins(self.comparison)

    @property
    def address(self) -> str:
        return f"/compare?dense={self.cut.dense}&pruned={self.cut.pruned}"

    @property
    def lost(self) -> list[PairedSample]:
        """The lost samples to show, those on the thinnest ice first."""
        return choose_flips(self.samples, self.cut, is_measured=self.is_measured)[1][:SHOWN]


def read_finding() -> Finding | None:
    """What the most telling pair says; None where no pruned network can be compared yet."""
    pairs = comparisons.default_pairs()
    if not pairs:
        return None
    dense, pruned = pairs[0]
    checkpoint = checkpoints.get_checkpoint(pruned.checkpoint_id)
    if checkpoint.role != "pruned":  # controls come last, so there is no pruned one
        return None
    return Finding(
        comparison=comparisons.compare(dense.id, pruned.id),
        samples=comparisons.paired_samples(dense.id, pruned.id),
        dataset=datasets.get_dataset(str(pruned.dataset_id)),
        sparsity=checkpoint.measured_sparsity,
    )


def tell_finding(finding: Finding) -> list[Content]:
    """Who is lost and of how many, whether they lay near the boundary, and what the control loses: one sentence."""
    found = finding.comparison
    counts = found.clean
    held = counts.n11 + counts.n10
    pruned = found.pruned.checkpoint_name
    change = f"Pruning {found.dense.checkpoint_name} to {percent(finding.sparsity, digits=0)} ({pruned}) "
    if not held:
        return [f"{change}has nothing to lose, because it gets none of {count_words(found.n, 'sample')} right."]
    if not counts.n10:
        return [
            change,
            html.Span(f"loses none of the {count_words(held, 'sample')}", className="strong"),
            " that it gets right.",
        ]
    lost = html.Span(f"{SYMBOLS['S10']} {counts.n10:,}", className="is-lost strong")
    parts: list[Content] = [f"{change}loses ", lost, f" of the {count_words(held, 'sample')} that it gets right; "]
    return [*parts, *tell_boundary(found), *tell_control(found), "."]


def tell_boundary(found: ComparisonOut) -> list[Content]:
    """Whether the lost samples had small dense margins, next to the best score that needs no attack."""
    auroc = found.auroc
    if auroc is None:
        return ["whether they lie on thin ice, near its decision boundary, cannot be told"]
    scores = f"AUROC of the margin {auroc.value:.2f}{rival_words(found, auroc)}"
    if auroc.low > 0.5:
        return [
            html.Span("they tend to lie on thin ice", className="strong"),
            f", near its decision boundary ({scores})",
        ]
    if auroc.high < 0.5:
        return [f"they tend to lie far from its decision boundary, not on thin ice ({scores})"]
    return [f"it cannot be told whether they lie on thin ice, near its decision boundary ({scores})"]


def rival_words(found: ComparisonOut, auroc: Auroc) -> str:
    """`, of the logit gap, without an attack, 0.95`; nothing where no cheap score ranks better."""
    rivals = [row for row in found.predictive if row.score in SCORE_WORDS and row.auroc is not None]
    best = max(rivals, key=lambda row: row.auroc.value if row.auroc else 0.0, default=None)
    if best is None or best.auroc is None or round(best.auroc.value, 2) <= round(auroc.value, 2):
        return ""
    return f"; of the {SCORE_WORDS[best.score]}, which needs no attack, {best.auroc.value:.2f}"


def tell_control(found: ComparisonOut) -> list[Content]:
    if not found.controls:
        return ["; there is no control yet to compare with"]
    control = found.controls[0]
    count = f"{control.clean.n10:,}" if control.clean.n10 else "none"
    words = [f"; the control ({CONTROL_WORDS[control.kind]}) loses ", html.Span(count, className="strong")]
    return [*words, f" of the same{answer_words(control)}"]


def answer_words(control: ControlOut) -> str:
    interval = control.lost_beyond_interval
    if interval is None:
        return ""
    if interval.low > 0:
        return ", significantly fewer"
    return ", significantly more" if interval.high < 0 else ", and the difference could be chance"
