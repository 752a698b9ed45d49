"""What attacks cost as samples, classes and parameters grow, and the memory they take at their widest."""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks.contestants import MARGIN, VERDICT, Contestant, Terms
from tests.benchmarks.counting import BudgetSpent, Counted, measure_floor
from tests.benchmarks.measuring import Ledger
from tests.benchmarks.networks import ROWS, NotAvailable, Places, Problem, set_problem
from tests.benchmarks.peers import list_contestants
from tests.benchmarks.tables import Table, show_range

# Passes per image after which a child that measures memory stops: every stage's widest batch came long before.
MEMORY_WORK = 600
REPOSITORY = Path(__file__).parents[2]


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
    """Time each contestant on growing parts of the problem; one run each, with a forward pass first as a warm-up."""
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
    table.records += [
        point.__dict__ for point in sorted(everything, key=lambda point: (point.contestant, point.samples))
    ]
    return table


def tabulate_networks(ledger: Ledger, problems: Sequence[Problem]) -> Table:
    """What our own runs cost on every network, beside its classes, parameters and floor."""
    headings = ("network", "classes", "parameters", "floor, ms", "attack", "norm", "gradients", "work", "ms", "x floor")
    table = Table("Cost of Thin Ice by network", headings)
    for problem in problems:
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


def tabulate_memory(problem: str, contestants: Sequence[Contestant], places: Places, samples: int, batch: int) -> Table:
    """Peak memory of a child process per contestant, over that of a child which only imports, loads and measures."""
    table = Table(f"Peak memory: {problem}, batches of {batch}", ("attack", "peak, MB", "over the floor, MB"))
    floor = measure_memory(problem, "floor", places, samples, batch)
    table.rows.append(["floor (a gradient per image)", f"{floor:.0f}", ""])
    table.records.append({"attack": "floor", "peak_mb": floor})
    for contestant in contestants:
        peak = measure_memory(problem, contestant.name, places, samples, batch)
        table.rows.append([contestant.name, f"{peak:.0f}", f"{peak - floor:.0f}"])
        table.records.append({"attack": contestant.name, "peak_mb": peak})
    table.notes.append(
        f"Each child stops after {MEMORY_WORK} passes per image; all batches were at their widest before."
    )
    return table


def measure_memory(problem: str, contestant: str, places: Places, samples: int, batch: int) -> float:
    """Largest resident size of a fresh process, in MB."""
    words = [sys.executable, "-m", "tests.benchmarks.costs", problem, contestant, str(samples), str(batch)]
    words += [str(places.cache), *([str(places.cifar)] if places.cifar else [])]
    answer = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    peak: float = json.loads(answer.stdout.splitlines()[-1])["peak_mb"]
    return peak


def main(words: list[str] | None = None) -> int:
    """The child: one contestant on one problem, and the process's largest size as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("problem", choices=sorted(ROWS))
    parser.add_argument("contestant")
    parser.add_argument("samples", type=int)
    parser.add_argument("batch", type=int)
    parser.add_argument("cache", type=Path)
    parser.add_argument("cifar", type=Path, nargs="?")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    try:
        problem = set_problem(ROWS[given.problem], Places(given.cache, given.cifar), given.samples)
    except NotAvailable as error:
        print(error, file=sys.stderr)
        return 1
    measure_floor(problem.network, problem.images, problem.labels, given.batch, repeats=1)
    if given.contestant != "floor":
        (chosen,) = [
            row for row in list_contestants() if row.name == given.contestant and row.task in (VERDICT, MARGIN)
        ][:1]
        eps = problem.eps["Linf"] if chosen.task == VERDICT else None
        norm = "Linf" if "Linf" in chosen.norms else chosen.norms[0]
        counted = Counted(problem.network).eval()
        try:
            with counted.measure(budget=MEMORY_WORK * len(problem.ids)):
                chosen.attack(
                    counted, problem.images, problem.labels, Terms(norm, eps, 0, given.batch, problem.classes)
                )
        except BudgetSpent:
            pass
    unit = 1024**2 if sys.platform == "darwin" else 1024
    print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
