"""Thin Ice next to other attack libraries, on this machine: `make bench`, or `python -m tests.benchmarks --help`.

Every tool gets the same wrapped network, images, labels and one thread, in one process, seed by seed. Counts are exact
and the same everywhere; times are processor seconds, and busy machines add 10 to 20 % of noise to them. Ctrl-C ends the
measuring early and still writes the tables.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from backend.settings import get_settings
from tests.benchmarks.contestants import Contestant
from tests.benchmarks.costs import Point, sweep_samples, tabulate_growth, tabulate_networks
from tests.benchmarks.exact import NETWORKS as EXACT_NETWORKS
from tests.benchmarks.exact import measure_exact
from tests.benchmarks.machine import describe_machine, read_machine
from tests.benchmarks.margin_tables import tabulate_margins
from tests.benchmarks.measuring import Job, Ledger, Measurer, list_jobs
from tests.benchmarks.memory import tabulate_memory
from tests.benchmarks.networks import ROWS, NotAvailable, Places, Problem, Row, set_problem
from tests.benchmarks.peers import list_contestants
from tests.benchmarks.peers.official import STANDARD
from tests.benchmarks.plots import draw_margins, draw_times, write_plots
from tests.benchmarks.report import READING, show, write_files
from tests.benchmarks.retries import try_again
from tests.benchmarks.tables import Table
from tests.benchmarks.targets import weigh_exact, weigh_targets
from tests.benchmarks.verdict_tables import tabulate_verdicts

NORMS = ("Linf", "L2")
GROWTH_SHARES = (0.25, 0.5)
# What the growth and the memory tables show: ours, and the peers that claim the same strength.
GROWING = ("Thin Ice fast", "Thin Ice margin", "PMA", "A3 (scaled)")
REMEMBERED = ("Thin Ice fast", "Thin Ice margin", "PMA", "MALT", STANDARD, "adv-lib FMN 100", "foolbox FMN 100")
SCREEN_WIDTH = 180


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    home = get_settings().home / "bench"
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=(__doc__ or "").splitlines()[0],
        epilog="The whole protocol: --full, which means --samples 200 --seeds 3 --networks all --peers all.",
    )
    parser.add_argument("--samples", type=int, help="images per network, of those it gets right (default 100)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of what is random (default %(default)s)")
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=["quick", "all", *ROWS],
        metavar="NAME",
        help=f"quick (the default), all, or some of: {', '.join(ROWS)}",
    )
    parser.add_argument("--peers", choices=["none", "quick", "all"], help="which other tools (default quick)")
    parser.add_argument("--tasks", nargs="+", choices=["verdict", "margin"], default=["verdict", "margin"])
    parser.add_argument("--norms", nargs="+", choices=NORMS, default=list(NORMS), help="norms of the margins")
    parser.add_argument(
        "--verdict-norms", nargs="+", choices=NORMS, help="norms of the verdicts (default Linf, --full both)"
    )
    parser.add_argument("--batch", type=int, default=64, help="images per batch, for every tool (default %(default)s)")
    parser.add_argument("--exact", type=int, help="digits of five networks solved exactly (default 0, --full 60)")
    parser.add_argument("--no-memory", action="store_true", help="leave out the child processes that measure memory")
    parser.add_argument("--full", action="store_true", help="200 samples, all networks, all peers")
    parser.add_argument("--cifar", type=Path, help=".npz with x_test uint8 (N, 32, 32, 3) and y_test, for resnet18")
    parser.add_argument("--cache", type=Path, default=home / "cache", help="trained networks (default %(default)s)")
    parser.add_argument("--out", type=Path, default=home / "results", help="folder of the report (default %(default)s)")
    given = parser.parse_args(words)
    given.samples = given.samples or (200 if given.full else 100)
    given.networks = given.networks or ["all" if given.full else "quick"]
    given.peers = given.peers or ("all" if given.full else "quick")
    given.exact = (60 if given.full else 0) if given.exact is None else given.exact
    given.verdict_norms = given.verdict_norms or (list(NORMS) if given.full else ["Linf"])
    return given


def choose_networks(names: Sequence[str]) -> list[Row]:
    """Rows in the table's order; a network that shares another's decisions comes after it."""
    return [row for row in ROWS.values() if row.name in names or "all" in names or ("quick" in names and row.is_quick)]


def choose_contestants(peers: str, tasks: Sequence[str]) -> list[Contestant]:
    rows = [row for row in list_contestants(is_quick=peers != "all") if row.task in tasks]
    return [row for row in rows if row.is_ours or peers != "none"]


def set_problems(
    rows: Sequence[Row], places: Places, samples: int, console: Console
) -> tuple[list[Problem], list[str]]:
    """What can be set here; a sentence for each that cannot."""
    problems, notes = [], []
    for row in rows:
        try:
            with console.status(f"setting {row.name}: {row.title}"):
                problems.append(set_problem(row, places, samples))
        except (NotAvailable, FileNotFoundError) as error:
            notes.append(f"Left out {row.name} ({row.title}): {error}")
    return problems, notes


def plan(problem: Problem, contestants: Sequence[Contestant], given: argparse.Namespace) -> list[Job]:
    """All runs on one network, verdicts and margins of a seed next to each other."""
    margins = [row for row in contestants if row.task == "margin" and not ROWS[problem.name].skips_margins]
    verdicts = [row for row in contestants if row.task == "verdict"]
    jobs = list_jobs(problem, verdicts, given.verdict_norms, given.seeds)
    jobs += list_jobs(problem, margins, given.norms, given.seeds)
    return sorted(jobs, key=lambda job: job.seed)


def measure_everything(
    problems: Sequence[Problem], contestants: Sequence[Contestant], given: argparse.Namespace, console: Console
) -> Ledger:
    """Run the plan of every network, with the time left on screen."""
    ledger = Ledger()
    measurer = Measurer(ledger, given.batch)
    plans = [plan(problem, contestants, given) for problem in problems]
    left = sum(job.expected_work for jobs in plans for job in jobs)
    columns = [BarColumn(30), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn()]
    columns += [TextColumn("{task.fields[left]}"), TextColumn("{task.description}")]
    began, processor = time.monotonic(), time.process_time()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=left, left="")
        for problem, jobs in zip(problems, plans, strict=True):
            if problem.same_decisions_as:
                parents = [other for other in problems if other.name == problem.same_decisions_as]
                for norm in given.verdict_norms if parents else []:
                    measurer.replay(problem, parents[0], norm)
            try:
                for job, run in zip(jobs, measurer.measure(jobs), strict=True):
                    left -= job.expected_work
                    busy = (time.monotonic() - began) / max(time.process_time() - processor, 1e-9)
                    show_progress(progress, bar, job, busy * measurer.predict(left))
                    if run.error:
                        console.print(f"{run.contestant} on {run.problem}, {run.norm}: {run.error}", style="red")
            except KeyboardInterrupt:
                console.print("Stopped early: the tables hold what was measured until now.", style="yellow")
                break
    return ledger


def show_progress(progress: Progress, bar: TaskID, job: Job, seconds: float) -> None:
    progress.update(
        bar,
        advance=job.expected_work,
        left=f"about {seconds / 60:.0f} min left" if seconds > 90 else f"about {seconds:.0f} s left",
        description=f"{job.problem.name}, {job.contestant.name}, {job.norm}, seed {job.seed}",
    )


def tabulate(
    ledger: Ledger, problems: Sequence[Problem], contestants: Sequence[Contestant], given: argparse.Namespace
) -> tuple[list[Table], list[Table]]:
    """The tables of verdicts and margins; the latter again on their own, for the plots."""
    tables, margins = [], []
    for problem in problems:
        for norm in given.verdict_norms if "verdict" in given.tasks else []:
            tables.append(tabulate_verdicts(ledger, problem, norm, contestants))
            tables[-1].notes.extend(try_again(ledger, problem, norm, contestants, given.batch))
        if "margin" in given.tasks and not ROWS[problem.name].skips_margins:
            margins += [tabulate_margins(ledger, problem, norm, contestants) for norm in given.norms]
    return tables + margins, margins


def weigh_costs(
    ledger: Ledger, problems: Sequence[Problem], contestants: Sequence[Contestant], given: argparse.Namespace
) -> list[Table]:
    """Cost against samples on the first network, cost by network, and peak memory."""
    tables = []
    first = problems[0]
    ran = {run.contestant for run in ledger.select(first.name, "verdict", "Linf") if not run.error}
    growing = [row for row in contestants if row.name in GROWING and row.task == "verdict" and row.name in ran]
    if growing:
        points = sweep_samples(first, growing, GROWTH_SHARES, given.batch)
        official = [row for row in contestants if row.name == STANDARD and row.name in ran]
        points += sweep_samples(first, official, GROWTH_SHARES[:1], given.batch)
        tables.append(tabulate_growth(points, ledger, first))
    tables.append(tabulate_networks(ledger, problems))
    if not given.no_memory:
        rows = {row.name: row for row in contestants if row.name in REMEMBERED and row.is_installed()}
        places = Places(given.cache.resolve(), given.cifar and given.cifar.resolve())
        tables.append(tabulate_memory(first.name, list(rows.values()), places, given.batch, given.batch))
    return tables


def main(words: Sequence[str] | None = None) -> int:
    given = parse(words)
    torch.set_num_threads(1)
    console = Console(width=max(SCREEN_WIDTH, Console().width))
    machine = read_machine()
    console.print(describe_machine(machine), READING, sep="\n", style="dim", highlight=False)
    contestants = choose_contestants(given.peers, given.tasks)
    problems, notes = set_problems(
        choose_networks(given.networks), Places(given.cache, given.cifar), given.samples, console
    )
    for note in notes:
        console.print(note, style="yellow")
    if not problems:
        return 1
    ledger = measure_everything(problems, contestants, given, console)
    tables, margins = tabulate(ledger, problems, contestants, given)
    with console.status("costs: samples, networks, memory"):
        costs = weigh_costs(ledger, problems, contestants, given)
    exact = []
    for name, eps in EXACT_NETWORKS if given.exact else ():
        with console.status(f"solving {name}, trained at eps {eps}, exactly"):
            exact.append(weigh_exact(f"{name}, eps {eps}", measure_exact(name, eps, given.exact)))
    tables += [*costs, weigh_targets(ledger, problems, exact)]
    for table in tables:
        show(console, table)
    options = {name: str(value) if isinstance(value, Path) else value for name, value in vars(given).items()}
    written = write_files(given.out, tables, machine, notes, options)
    figures = draw_margins(margins)
    figures += [
        draw_times([Point(**record) for record in table.records], table.title)
        for table in costs
        if table.title.startswith("Processor seconds")
    ]
    written += write_plots(given.out, figures)
    console.print("Written: " + ", ".join(str(path) for path in written), highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
