"""What attacks cost as samples, classes and parameters grow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.benchmarks.contestants import VERDICT, Contestant, Terms
from tests.benchmarks.counting import Counted
from tests.benchmarks.measuring import Ledger
from tests.benchmarks.networks import Problem
from tests.benchmarks.tables import Table, show_range


@dataclass(frozen=True)
class Point:
    """Processor seconds of one attack on the first `samples` images."""

    contestant: str
    samples: int
    seconds: float


def cut(problem: Problem, samples: int) -> Problem:
    """The problem on its first samples."""
    return replace(problem, images=problem.images[:samples], labels=problem.labels[:samples], ids=problem.ids[:samples])


def sweep_samples(
    problem: Problem, contestants: Sequence[Contestant], shares: Sequence[float], batch: int
) -> list[Point]:
    """Time each contestant on growing parts of the problem; one run each; earlier runs warmed the process."""
    counted = Counted(problem.network).eval()
    points = []
    for share in shares:
        part = cut(problem, max(1, round(share * len(problem.ids))))
        for contestant in contestants:
            eps = part.eps["Linf"] if contestant.task == VERDICT else None
            with counted.measure() as tally:
                contestant.attack(counted, part.images, part.labels, Terms("Linf", eps, 0, batch, part.classes))
            points.append(Point(contestant.name, len(part.ids), tally.seconds))
    return points


def tabulate_growth(points: Sequence[Point], ledger: Ledger, problem: Problem) -> Table:
    """Seconds against samples; the full size comes from the runs of the verdict table."""
    everything = list(points)
    for name in {point.contestant for point in points}:
        runs = [run for run in ledger.select(problem.name, VERDICT, "Linf", name) if not run.error]
        everything += [Point(name, run.samples, run.seconds) for run in runs]
    sizes = sorted({point.samples for point in everything})
    table = Table(f"Processor seconds as samples grow: {problem.name}", ("attack", *map(str, sizes)))
    for name in dict.fromkeys(point.contestant for point in points):
        cells = [
            show_range((point.seconds for point in everything if (point.contestant, point.samples) == (name, size)), 2)
            for size in sizes
        ]
        table.rows.append([name, *cells])
    everything.sort(key=lambda point: (point.contestant, point.samples))
    table.records.extend(point.__dict__ for point in everything)
    return table


def tabulate_networks(ledger: Ledger, problems: Sequence[Problem]) -> Table:
    """What our own runs cost on every network, next to its classes, parameters and floor."""
    headings = ("network", "classes", "parameters", "floor, ms", "attack", "norm", "gradients", "work", "ms", "x floor")
    table = Table("Cost of Thin Ice by network", headings)
    for problem in problems:
        if problem.name not in ledger.floors:
            continue
        floor = float(np.median([floor.gradient for floor in ledger.floors[problem.name]]))
        runs = [run for run in ledger.runs if run.problem == problem.name and run.contestant.startswith("Thin Ice")]
        for key in dict.fromkeys((run.contestant, run.task, run.norm) for run in runs if not run.error):
            if key[:2] == ("Thin Ice margin", VERDICT):
                continue
            mine = [run for run in runs if (run.contestant, run.task, run.norm) == key and not run.error]
            record = {
                "network": problem.name,
                "classes": problem.classes,
                "parameters": problem.parameters,
                "floor_seconds": floor,
                "attack": key[0],
                "norm": key[2],
                "gradients": float(np.median([run.gradients for run in mine])),
                "work": float(np.median([run.work for run in mine])),
                "seconds": float(np.median([run.seconds / run.samples for run in mine])),
                "overhead": float(np.median([run.overhead for run in mine])),
            }
            table.records.append(record)
            shown = [f"{problem.classes}", f"{problem.parameters:,}", f"{1000 * floor:.2f}", key[0], key[2]]
            shown += [f"{record['gradients']:.0f}", f"{record['work']:.0f}"]
            shown += [f"{1000 * float(record['seconds']):.1f}", f"{record['overhead']:.2f}"]
            table.rows.append([problem.name, *shown])
    return table
