"""Packs the results that ship with Thin Ice, in the home that measured them:
`python -m backend.services.bundles.packing FILE`.

The adversarials of samples that flip between a shipped network and its parent go along; the others can be computed
again from what the record says.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from backend.schemas.comparisons import PairedSample
from backend.services.bundles.writing import export_bundle
from backend.services.comparisons.service import paired_samples
from backend.services.demo import FAMILY, RIVALS
from backend.store import checkpoints, evaluations
from backend.store.database import reading
from backend.store.tables import Checkpoint, Evaluation

PRESETS = ("margin", "fast", "autoattack")
MARGINS = PRESETS[0]
PAIRED = (*FAMILY[1:3], *RIVALS)
"""Whose adversarials go along; those of all pairs would take 10 MB."""


def choose_shipped(rows: Sequence[Checkpoint]) -> list[Evaluation]:
    """The largest finished evaluation of every shipped checkpoint and preset, with the settings of the data set."""
    chosen = []
    with reading() as session:
        for preset in PRESETS:
            found = evaluations.succeeded_evaluations(session, [row.id for row in rows], preset)
            for row in sorted(rows, key=rank):
                fitting = [one for one in found if one.checkpoint_id == row.id and one.seed == 0 and not one.explicit]
                chosen += sorted(fitting, key=lambda one: one.n)[-1:]
    return chosen


def rank(row: Checkpoint) -> tuple[int, str]:
    """What pages open first comes first: the demo's checkpoints in their order, then the others by name."""
    first = [*FAMILY, *RIVALS]
    return first.index(row.name) if row.name in first else len(first), row.name


def find_flips(rows: Sequence[Checkpoint], chosen: Sequence[Evaluation]) -> dict[UUID, set[int]]:
    """Rows of the data set whose outcome differs, clean or at eps, in the pairs of PAIRED, by evaluation."""
    margins = {one.checkpoint_id: one.id for one in chosen if one.preset == MARGINS}
    flips: dict[UUID, set[int]] = {}
    for row in rows:
        if row.name not in PAIRED or row.id not in margins or row.parent_id not in margins:
            continue
        pair = margins[row.parent_id], margins[row.id]
        indices = {sample.index for sample in list_flipped(paired_samples(*pair))}
        for one in pair:
            flips.setdefault(one, set()).update(indices)
    return flips


def list_flipped(samples: Sequence[PairedSample]) -> Iterator[PairedSample]:
    for sample in samples:
        if {sample.set, sample.robust_set} & {"S10", "S01"}:
            yield sample


def main() -> None:
    with reading() as session:
        rows = [row for row in checkpoints.all_checkpoints(session) if row.origin == "zoo"]
    chosen = choose_shipped(rows)
    target = Path(sys.argv[1])
    manifest = export_bundle([one.id for one in chosen], target, kept=find_flips(rows, chosen))
    held = sum(one.adversarials for one in manifest.evaluations)
    print(f"{target}: {len(chosen)} evaluations, {held:,} adversarials, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
