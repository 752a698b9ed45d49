"""Peak memory of an attack: the largest size of a process that does nothing else.

`python -m tests.benchmarks.memory NETWORK ATTACK SAMPLES BATCH CACHE [CIFAR]` is the child; its last line is JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch

from tests.benchmarks.contestants import VERDICT, Contestant, Terms
from tests.benchmarks.counting import BudgetSpent, Counted, measure_floor
from tests.benchmarks.networks import ROWS, NotAvailable, Places, set_problem
from tests.benchmarks.peers import list_contestants
from tests.benchmarks.tables import Table

# Passes per image after which a child stops: the widest batches of every stage come before.
ENOUGH_WORK = 600
FLOOR = "floor (a gradient per image)"
REPOSITORY = Path(__file__).parents[2]


def tabulate_memory(problem: str, contestants: Sequence[Contestant], places: Places, samples: int, batch: int) -> Table:
    """Peak memory per contestant, and over that of a child which only imports, loads and takes one gradient."""
    table = Table(f"Peak memory: {problem}, batches of {batch}", ("attack", "peak, MB", "over the floor, MB"))
    table.notes.append(f"Each child stops after {ENOUGH_WORK} passes per image.")
    floor = None
    for name in (FLOOR, *(contestant.name for contestant in contestants)):
        try:
            peak = measure_memory(problem, name, places, samples, batch)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or "no message").strip().splitlines()[-1][:120]
            table.rows.append([name, f"failed: {reason}", ""])
            table.records.append({"attack": name, "absent": reason})
            continue
        floor = peak if name == FLOOR else floor
        table.rows.append([name, f"{peak:.0f}", f"{peak - floor:.0f}" if floor is not None else "–"])
        table.records.append({"attack": name, "peak_mb": peak})
    return table


def measure_memory(problem: str, contestant: str, places: Places, samples: int, batch: int) -> float:
    """Largest resident size of a fresh process, in MB; CalledProcessError where it fails."""
    words = [sys.executable, "-m", "tests.benchmarks.memory", problem, contestant, str(samples), str(batch)]
    words += [str(places.cache), *([str(places.cifar)] if places.cifar else [])]
    answer = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    peak: float = json.loads(answer.stdout.splitlines()[-1])["peak_mb"]
    return peak


def read_peak_mb() -> float:
    """Largest resident size of this process. On Linux not from getrusage: it starts with the parent's at the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(words: list[str] | None = None) -> int:
    """The child: one contestant on one problem, and the process's largest size as the last line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory")
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
    if given.contestant != FLOOR:
        chosen = next(row for row in list_contestants() if row.name == given.contestant)
        eps = problem.eps["Linf"] if chosen.task == VERDICT else None
        terms = Terms("Linf" if "Linf" in chosen.norms else chosen.norms[0], eps, 0, given.batch, problem.classes)
        counted = Counted(problem.network).eval()
        with suppress(BudgetSpent), counted.measure(budget=ENOUGH_WORK * len(problem.ids)):
            chosen.attack(counted, problem.images, problem.labels, terms)
    print(json.dumps({"peak_mb": read_peak_mb()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
