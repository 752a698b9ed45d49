"""Runs contestants on problems, interleaved in one process, and keeps what each run did."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from backend.attacks.network.prepared import build_prepared
from tests.benchmarks.checking import find_claims, judge
from tests.benchmarks.contestants import VERDICT, Answer, Contestant, Terms
from tests.benchmarks.counting import Counted, Floor, Tally, measure_floor
from tests.benchmarks.networks import Problem

# How much longer than the bare passes a tool takes, until the first runs say better; only for the time left.
USUAL_OVERHEAD = 1.4


@dataclass(frozen=True)
class Run:
    """One contestant on one problem with one seed. Counts are per sample; `distance` (N,) is inf where nothing held.

    The counted passes alone would take `floor_seconds` on the network, `lean_seconds` on a prepared copy of it.
    `false_claims` counts examples that the tool claimed and the bench's judge refused.
    """

    problem: str
    contestant: str
    task: str
    norm: str
    seed: int
    samples: int
    gradients: float = np.nan
    forwards: float = np.nan
    work: float = np.nan
    width: int = 0
    seconds: float = np.nan
    floor_seconds: float = np.nan
    lean_seconds: float = np.nan
    claims: int = 0
    false_claims: int = 0
    distance: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    flags: tuple[str, ...] = ()
    error: str = ""

    @property
    def held(self) -> NDArray[np.bool_]:
        broken: NDArray[np.bool_] = np.isfinite(self.distance)
        return broken

    @property
    def robust(self) -> float:
        return 1.0 - float(self.held.mean())

    @property
    def overhead(self) -> float:
        """Seconds over those of the counted passes alone; NaN where there were none."""
        return self.seconds / self.floor_seconds if self.floor_seconds else np.nan

    @property
    def lean_overhead(self) -> float:
        """The same where the passes are as cheap as on a prepared copy: what all but the passes costs."""
        return self.seconds / self.lean_seconds if self.lean_seconds else np.nan


@dataclass(frozen=True)
class Job:
    """One run to do."""

    problem: Problem
    contestant: Contestant
    norm: str
    seed: int

    @property
    def expected_work(self) -> float:
        return self.contestant.work * len(self.problem.ids)


def list_jobs(problem: Problem, contestants: Sequence[Contestant], norms: Sequence[str], seeds: int) -> list[Job]:
    """Seed by seed, so that every tool meets the machine in the same state; what is not installed is left out."""
    return [
        Job(problem, contestant, norm, seed)
        for seed in range(seeds)
        for norm in norms
        for contestant in contestants
        if norm in contestant.norms and contestant.is_installed() and seed < contestant.count_runs(seeds)
    ]


@dataclass
class Ledger:
    """All runs, and per (problem, norm) the nearest examples that held: distances (N,) and images (N, C, H, W)."""

    runs: list[Run] = field(default_factory=list)
    nearest: dict[tuple[str, str], NDArray[np.float64]] = field(default_factory=dict)
    witnesses: dict[tuple[str, str], torch.Tensor] = field(default_factory=dict)
    floors: dict[str, list[Floor]] = field(default_factory=dict)

    def learn(self, problem: Problem, norm: str, points: torch.Tensor, distance: NDArray[np.float64]) -> None:
        """Keep what is nearer than anything before."""
        key = (problem.name, norm)
        if key not in self.nearest:
            self.nearest[key] = np.full(len(problem.ids), np.inf)
            self.witnesses[key] = problem.images.clone()
        is_nearer = distance < self.nearest[key]
        self.nearest[key][is_nearer] = distance[is_nearer]
        self.witnesses[key][is_nearer] = points.detach().float()[is_nearer]

    def select(self, problem: str, task: str, norm: str, contestant: str | None = None) -> list[Run]:
        return [
            run
            for run in self.runs
            if (run.problem, run.task, run.norm) == (problem, task, norm) and contestant in (None, run.contestant)
        ]

    def get_broken(self, problem: Problem, norm: str) -> NDArray[np.bool_]:
        """Samples that anything run here broke at the problem's eps (N,), margins and the parent's examples too."""
        known = self.nearest.get((problem.name, norm), np.full(len(problem.ids), np.inf))
        broken: NDArray[np.bool_] = known <= problem.eps[norm] * (1 + 1e-6) + 6e-8
        return broken


class Measurer:
    """Runs jobs of one problem on one counting wrapper, and estimates how long those to come will take."""

    def __init__(self, ledger: Ledger, batch: int) -> None:
        self.ledger = ledger
        self.batch = batch
        self.overhead = USUAL_OVERHEAD
        self.expected_seconds = self.spent_seconds = 0.0
        self.seconds_per_work = 5e-5

    def measure(self, jobs: Sequence[Job]) -> Iterator[Run]:
        """Run the jobs, all of one problem; the floor is measured anew whenever the seed changes."""
        if not jobs:
            return
        counted = Counted(jobs[0].problem.network).eval()
        floor, lean, seed = None, None, None
        for job in jobs:
            if job.contestant.compiles:
                self.warm_up(job, counted)
            if floor is None or lean is None or job.seed != seed:
                floor, lean = self.measure_floors(job.problem)
                seed = job.seed
                self.ledger.floors.setdefault(job.problem.name, []).append(floor)
                self.seconds_per_work = floor.gradient / 3
            run = self.run_job(job, counted, floor, lean)
            self.ledger.runs.append(run)
            if not run.error:
                self.spent_seconds += run.seconds
                self.expected_seconds += job.expected_work * self.seconds_per_work
                self.overhead = self.spent_seconds / self.expected_seconds
            yield run

    def measure_floors(self, problem: Problem) -> tuple[Floor, Floor]:
        """The floor of the network, and that of a prepared copy where there is one."""
        samples = (problem.images, problem.labels, self.batch)
        prepared, _ = build_prepared(problem.network, problem.images[: self.batch])
        floor = measure_floor(problem.network, *samples)
        return floor, floor if prepared is None else measure_floor(prepared.network, *samples)

    def predict(self, work: float) -> float:
        """Seconds that this much work will take, by what work has taken so far."""
        return work * self.seconds_per_work * self.overhead

    def warm_up(self, job: Job, counted: Counted) -> None:
        """Let it translate its code on one sample, unmeasured."""
        images, labels = job.problem.images[:1], job.problem.labels[:1]
        with suppress(Exception), warnings.catch_warnings():  # an error shows again in the run that counts
            warnings.simplefilter("ignore")
            job.contestant.attack(counted, images, labels, self.set_terms(job))

    def run_job(self, job: Job, counted: Counted, floor: Floor, lean: Floor) -> Run:
        problem, contestant, terms = job.problem, job.contestant, self.set_terms(job)
        empty = Run(problem.name, contestant.name, contestant.task, job.norm, job.seed, len(problem.ids))
        try:
            with warnings.catch_warnings(), counted.measure() as tally:
                warnings.simplefilter("ignore")
                answer = contestant.attack(counted, problem.images.clone(), problem.labels.clone(), terms)
        except Exception as error:  # a peer that fails is a row that says so; the others still run
            return replace(empty, error=f"{type(error).__name__}: {error}".splitlines()[0][:120])
        return replace(self.judge_answer(job, answer, tally, floor), lean_seconds=lean.price(tally))

    def set_terms(self, job: Job) -> Terms:
        eps = job.problem.eps[job.norm] if job.contestant.task == VERDICT else None
        return Terms(job.norm, eps, job.seed, self.batch, job.problem.classes)

    def judge_answer(self, job: Job, answer: Answer, tally: Tally, floor: Floor) -> Run:
        problem, count = job.problem, len(job.problem.ids)
        if answer.claimed is not None:
            claimed = answer.claimed.numpy()
        else:
            claimed = find_claims(problem.network, problem.labels, answer.points, self.batch)
        eps = self.set_terms(job).eps
        judged = judge(problem.network, problem.images, problem.labels, answer.points, job.norm, eps)
        distance = np.where(claimed, judged.distance, np.inf)
        self.ledger.learn(problem, job.norm, answer.points, distance)
        return Run(
            problem.name,
            job.contestant.name,
            job.contestant.task,
            job.norm,
            job.seed,
            count,
            tally.backwards / count,
            tally.extra_forwards / count,
            tally.work / count,
            tally.width,
            tally.seconds,
            floor.price(tally),
            claims=int(claimed.sum()),
            false_claims=int((claimed & judged.refused).sum()),
            distance=distance,
            flags=answer.flags,
        )

    def replay(self, problem: Problem, parent: Problem, norm: str) -> int:
        """Judge the parent's nearest examples on a network that decides as the parent does; how many hold."""
        key = (parent.name, norm)
        if key not in self.ledger.witnesses or parent.ids != problem.ids:
            return 0
        points = self.ledger.witnesses[key]
        judged = judge(problem.network, problem.images, problem.labels, points, norm, problem.eps[norm])
        self.ledger.learn(problem, norm, points, judged.distance)
        return int(judged.holds.sum())
