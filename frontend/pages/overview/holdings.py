"""What this server holds, as the page tells it: every checkpoint with its best verdict, grouped by parent."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from backend.schemas import ACTIVE
from backend.schemas.checkpoints import CheckpointOut, ClaimOut
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.families import Place as FamilyRole
from backend.services import checkpoints, comparisons, datasets, evaluations, families
from backend.services.catalogues import DEFAULT_PRESET, PRESETS, rank_of, short_title
from backend.services.checkpoints import choose_sparsity
from backend.services.families import FamilyPlace
from frontend.lists import read_list

Place = Literal["dense", "control", "pruned"]
PLACES: dict[str, Place] = {"dense": "dense", "finetuned": "control", "seed": "control", "pruned": "pruned"}


@dataclass(frozen=True)
class Standing:
    """A checkpoint and where it stands. `verdict` is at the data set's own norm and eps, or None."""

    checkpoint: CheckpointOut
    dataset: DatasetOut
    kind: FamilyRole
    verdict: EvaluationOut | None
    margins: EvaluationOut | None
    evaluations: list[EvaluationOut]
    pair: tuple[UUID, UUID] | None

    @property
    def place(self) -> Place:
        return PLACES[self.kind]

    @property
    def claim(self) -> ClaimOut | None:
        """The claim, where it speaks of the data set's own norm and eps; others cannot be compared with the verdict."""
        claim = self.checkpoint.claim
        if claim is None or claim.norm not in (None, self.dataset.default_norm):
            return None
        return claim if claim.eps_text in (None, self.dataset.default_eps_text) else None

    @property
    def active(self) -> list[EvaluationOut]:
        """What runs and waits, the running ones first, then by place in the queue."""
        rows = [row for row in self.evaluations if row.state in ACTIVE]
        return sorted(rows, key=lambda row: (row.state != "running", row.queue_position or 0))

    @property
    def gap(self) -> float | None:
        """Claimed minus re-evaluated robust accuracy."""
        if self.claim is None or self.verdict is None or self.verdict.summary is None:
            return None
        measured = self.verdict.summary.robust_accuracy
        return None if measured is None else self.claim.robust_accuracy - measured


@dataclass(frozen=True)
class HeldFamily:
    """The checkpoints of one dense parent: itself, its controls, then the pruned ones by sparsity."""

    name: str
    dataset: DatasetOut
    members: list[Standing]


@dataclass(frozen=True)
class Holdings:
    """Everything on the page."""

    families: list[HeldFamily]
    evaluations: list[EvaluationOut]

    @property
    def standings(self) -> list[Standing]:
        return [standing for family in self.families for standing in family.members]

    def fingerprint(self) -> str:
        """Changes whenever more changes than the progress of what runs."""
        jobs = [f"{row.id}{row.state}" for row in self.evaluations]
        rows = [f"{row.checkpoint.id}{row.checkpoint.name}{row.checkpoint.preflight.state}" for row in self.standings]
        return str(hash(tuple(jobs + rows + [str(row.checkpoint.claim) for row in self.standings])))


def read_holdings() -> Holdings:
    """All that the server holds, from the services."""
    known = {row.id: row for row in read_list(datasets.list_datasets)}
    rows = read_list(checkpoints.list_checkpoints)
    jobs = read_list(evaluations.list_evaluations)
    pairs: dict[UUID, tuple[UUID, UUID]] = {}
    for dense, pruned in comparisons.default_pairs():
        pairs.setdefault(pruned.checkpoint_id, (dense.id, pruned.id))
    return Holdings(group(rows, jobs, known, pairs, families.list_places()), jobs)


def group(
    rows: list[CheckpointOut],
    jobs: list[EvaluationOut],
    known: dict[UUID, DatasetOut],
    pairs: dict[UUID, tuple[UUID, UUID]],
    places: dict[UUID, FamilyPlace],
) -> list[HeldFamily]:
    """Families in the order in which their parents came, the largest first."""
    by_root: dict[UUID, list[CheckpointOut]] = {}
    for row in sorted(rows, key=lambda row: row.created_at):
        by_root.setdefault(places[row.id].root, []).append(row)
    names = {row.id: row.name for row in rows}
    held = []
    for root, members in by_root.items():
        standings = [
            stand(
                row,
                known[row.dataset_id],
                places[row.id].place,
                [job for job in jobs if job.checkpoint_id == row.id],
                pairs,
            )
            for row in members
        ]
        standings.sort(key=order)
        held.append(HeldFamily(names[root], known[members[0].dataset_id], standings))
    return sorted(held, key=lambda family: -len(family.members))


def order(standing: Standing) -> tuple[int, float, str]:
    """Dense, controls, then pruned ones by sparsity."""
    row = standing.checkpoint
    sparsity = choose_sparsity(row.declared_sparsity, row.measured_sparsity)
    return ("dense", "control", "pruned").index(standing.place), sparsity if row.role == "pruned" else 0.0, row.name


def stand(
    row: CheckpointOut,
    dataset: DatasetOut,
    kind: FamilyRole,
    jobs: list[EvaluationOut],
    pairs: dict[UUID, tuple[UUID, UUID]],
) -> Standing:
    return Standing(
        checkpoint=row,
        dataset=dataset,
        kind=kind,
        verdict=best_verdict(jobs, dataset),
        margins=best_of_preset(jobs, dataset, DEFAULT_PRESET),
        evaluations=jobs,
        pair=pairs.get(row.id),
    )


def best_verdict(jobs: list[EvaluationOut], dataset: DatasetOut) -> EvaluationOut | None:
    """The evaluation whose robust accuracy is shown: that of most samples; at equal n that of the strongest preset.

    Both verify every adversarial, so both are upper bounds. Fewer samples blur a claim's gap more than the preset does.
    """
    found = [row for preset in PRESETS if (row := best_of_preset(jobs, dataset, preset)) is not None]
    return max(found, key=lambda row: (not row.explicit, row.n, rank_of(row.preset)), default=None)


def best_of_preset(jobs: list[EvaluationOut], dataset: DatasetOut, preset: str) -> EvaluationOut | None:
    """The finished evaluation of most samples, the newest of these, at the data set's own norm and eps.

    Rows that somebody picked come last: they say nothing about the rest.
    """
    fitting = [
        row
        for row in jobs
        if row.preset == preset
        and row.summary is not None
        and row.summary.robust_accuracy is not None
        and row.dataset_id == dataset.id
        and (row.norm, row.eps_text) == (dataset.default_norm, dataset.default_eps_text)
    ]
    return max(fitting, key=lambda row: (not row.explicit, row.n, row.created_at), default=None)


def effort_words(evaluation: EvaluationOut) -> str:
    """`AutoAttack, n 200`: what a robust accuracy rests on."""
    return f"{short_title(evaluation.preset)}, n {evaluation.n:,}"


def claim_words(claim: ClaimOut) -> str:
    """`claimed with PGD-10, n 2,000`."""
    parts = ["claimed", f"with {claim.attack}" if claim.attack else "", f"(n {claim.n:,})" if claim.n else ""]
    return " ".join(part for part in parts if part)
