"""The finding: what pruning loses, on the pair that tells most."""

from dataclasses import dataclass

from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.schemas.datasets import DatasetOut
from backend.services import checkpoints, comparisons, datasets
from frontend.figures.units import Unit, unit_of
from frontend.review.cut import Cut, choose_flips, has_margins

SHOWN = 5  # lost samples next to the scatter


@dataclass(frozen=True)
class Finding:
    """The most telling pair with its samples."""

    comparison: ComparisonOut
    samples: list[PairedSample]
    dataset: DatasetOut

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
    if (
        checkpoints.get_checkpoint(pruned.checkpoint_id).role != "pruned"
    ):  # controls come last, so there is no pruned one
        return None
    return Finding(
        comparison=comparisons.compare(dense.id, pruned.id),
        samples=comparisons.paired_samples(dense.id, pruned.id),
        dataset=datasets.get_dataset(str(pruned.dataset_id)),
    )
