"""The targets of the engine, each with what this bench measured: met, not met, or not measured here and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.attacks.catalogue import FLAGS
from tests.benchmarks.contestants import MARGIN, VERDICT
from tests.benchmarks.margin_tables import rate_margins
from tests.benchmarks.measuring import Ledger, Run
from tests.benchmarks.networks import Problem
from tests.benchmarks.peers.official import STANDARD
from tests.benchmarks.peers.own import WALKS
from tests.benchmarks.tables import Table
from tests.benchmarks.verdict_tables import find_missed

MET, NOT_MET, NOT_MEASURED = "met", "not met", "not measured"
WORK_SHARE, TIME_SHARE, BREAKING_SHARE = 10.0, 12.0, 20.0
MISSED_SHARE = 0.005
SMALL_OVERHEAD, LARGE_OVERHEAD, SMALL_PARAMETERS = 1.3, 1.15, 1_000_000
BREAKS_BELOW = 0.05
EXACT_MEDIAN, EXACT_HIGH, EXACT_QUANTILE, EXACT_TOLERANCE = 1.005, 1.05, 0.95, 1e-4
L2_RATIO, FAB_SHARE, MOST_GRADIENTS = 1.03, 7.0, 102
HARMLESS = {"saturated", "few-classes"}
HARMFUL = set(FLAGS) - HARMLESS
# With 1 % of its weights gradients mislead: whether it is flagged is part of the question.
MASKED = {"saturated-softmax", "lwm-99"}


@dataclass(frozen=True)
class Target:
    """One line: what was asked, on what, and what came."""

    name: str
    asked: str
    problem: str
    measured: str
    state: str


@dataclass(frozen=True)
class View:
    """The runs of one problem in one norm, good ones only."""

    ledger: Ledger
    problem: Problem
    norm: str

    def get_runs(self, task: str, contestant: str) -> list[Run]:
        return [run for run in self.ledger.select(self.problem.name, task, self.norm, contestant) if not run.error]

    def get_ours(self) -> list[Run]:
        """The verdict that users are told to take: `fast` where the catalogue has it, else the margins."""
        return self.get_runs(VERDICT, "Thin Ice fast") or self.get_runs(VERDICT, "Thin Ice margin")

    @property
    def is_masked(self) -> bool:
        return self.problem.same_decisions_as is not None


def state_of(is_met: bool) -> str:
    return MET if is_met else NOT_MET


def compare_with_official(view: View) -> list[Target]:
    """Work, time, robust accuracy and misses against the official code."""
    ours, official = view.get_ours(), view.get_runs(VERDICT, STANDARD)
    if not ours or not official:
        return []
    name = view.problem.name
    who = ours[0].contestant
    breaks = float(np.mean([run.robust for run in official])) < BREAKS_BELOW
    share = BREAKING_SHARE if breaks else WORK_SHARE
    work = [np.median([run.work for run in official]) / run.work for run in ours]
    seconds = [np.median([run.seconds for run in official]) / run.seconds for run in ours]
    union = np.any([run.held for run in official], axis=0)
    allowed = 1.0 - float(union.mean())
    worst = max(run.robust for run in ours)
    targets = [
        Target(
            "work of AutoAttack standard" + (", network that breaks" if breaks else ""),
            f"at most 1/{share:.0f}",
            name,
            f"{who}: 1/{np.median(work):.1f} (worst seed 1/{min(work):.1f})",
            state_of(min(work) >= share),
        ),
        Target(
            "robust accuracy",
            "at most that of the official union",
            name,
            f"{100 * worst:.1f} % (worst seed), union {100 * allowed:.1f} %",
            state_of(worst <= allowed + 1e-9),
        ),
    ]
    if not breaks:
        targets.append(
            Target(
                "time of AutoAttack standard",
                f"at most 1/{TIME_SHARE:.0f}",
                name,
                f"{who}: 1/{np.median(seconds):.1f} (worst seed 1/{min(seconds):.1f})",
                state_of(min(seconds) >= TIME_SHARE),
            )
        )
    return targets


def count_misses(view: View) -> list[Target]:
    """Samples left standing that anything here broke, per run."""
    ours = view.get_ours()
    if not ours:
        return []
    broken = view.ledger.get_broken(view.problem, view.norm)
    missed = [len(find_missed(run, broken)) for run in ours]
    allowed = int(np.floor(MISSED_SHARE * len(view.problem.ids)))
    return [
        Target(
            "missed of everything broken here",
            f"at most 0.5 % a run ({allowed} of {len(view.problem.ids)})",
            view.problem.name,
            f"{ours[0].contestant}: {', '.join(map(str, missed))}",
            state_of(max(missed) <= allowed),
        )
    ]


def compare_with_lean_peers(view: View) -> list[Target]:
    """A3 and PMA, which claim AutoAttack's strength for less."""
    ours, a3, pma = view.get_ours(), view.get_runs(VERDICT, "A3 (scaled)"), view.get_runs(VERDICT, "PMA")
    targets = []
    if ours and a3:
        ratio = np.median([run.work for run in a3]) / np.median([run.work for run in ours])
        measured = f"{ours[0].contestant}: 1/{ratio:.1f} of its work"
        targets.append(
            Target("A3, scaled", "at most half of its work", view.problem.name, measured, state_of(ratio >= 2))
        )
    if ours and pma:
        broken = view.ledger.get_broken(view.problem, view.norm)
        mine, theirs = ([len(find_missed(run, broken)) for run in runs] for runs in (ours, pma))
        gradients = [float(np.median([run.gradients for run in runs])) for runs in (ours, pma)]
        targets.append(
            Target(
                "PMA",
                "no more gradients, no more misses",
                view.problem.name,
                f"{gradients[0]:.0f} gradients and {sum(mine)} missed in {len(mine)} runs; "
                f"PMA {gradients[1]:.0f} and {sum(theirs)} in {len(theirs)}",
                state_of(gradients[0] <= gradients[1] and np.mean(mine) <= np.mean(theirs)),
            )
        )
    return targets


def compare_margins(view: View) -> list[Target]:
    """Every peer at about 300 gradients and FAB-T in Linf; distance to the best known in L2."""
    ours = view.get_runs(MARGIN, "Thin Ice margin")
    if not ours:
        return []
    name, median = view.problem.name, float(np.median([np.median(run.distance) for run in ours]))
    gradients = float(np.median([run.gradients for run in ours]))
    everything = [run for run in view.ledger.select(name, MARGIN, view.norm) if not run.error]
    if view.norm == "L2":
        rated = [rate_margins(run, view.ledger.nearest[name, "L2"]) for run in ours]
        ratio, found = max(quality.ratio for quality in rated), min(quality.found for quality in rated)
        measured = f"{ratio:.3f} at {gradients:.0f} gradients, {100 * found:.1f} % found"
        state = state_of(ratio <= L2_RATIO and found == 1.0 and gradients <= 400)
        return [Target("L2 margins", "mean ratio to best 1.03 at 400 gradients, all found", name, measured, state)]
    targets = []
    peers = [run for run in everything if not run.contestant.startswith("Thin Ice") and is_of_300(run)]
    walks = view.get_runs(MARGIN, WALKS)
    if peers and walks:
        best = min(peers, key=lambda run: float(np.median(run.distance)))
        least = float(np.median(best.distance))
        own, spent = (float(np.median([value(run) for run in walks])) for value in (get_median, get_gradients))
        measured = f"{own:.4f} at {spent:.0f} gradients; {best.contestant} {least:.4f}"
        asked = "median at 100 gradients below every peer's at 300"
        state = state_of(own < least and spent <= MOST_GRADIENTS)
        targets.append(Target("Linf margins against peers", asked, name, measured, state))
    fab = [run for run in everything if run.contestant.startswith("FAB-T")]
    if fab:
        theirs = float(np.median([np.median(run.distance) for run in fab]))
        spent = float(np.median([run.gradients for run in fab]))
        measured = f"{median:.4f} at {gradients:.0f} gradients; FAB-T {theirs:.4f} at {spent:.0f}"
        state = state_of(median < theirs and gradients * FAB_SHARE <= spent)
        targets.append(
            Target("Linf margins against FAB-T", "lower median, a seventh of its gradients", name, measured, state)
        )
    return targets


def is_of_300(run: Run) -> bool:
    """Whether a tool was given 200 to 400 gradients, or takes about as many without being asked."""
    return 200 <= run.gradients <= 400


def get_median(run: Run) -> float:
    return float(np.median(run.distance))


def get_gradients(run: Run) -> float:
    return run.gradients


def weigh_overhead(view: View) -> list[Target]:
    """Time over that of the passes alone, as cheap as a prepared copy makes them."""
    ours = view.get_ours()
    if not ours:
        return []
    allowed = SMALL_OVERHEAD if view.problem.parameters < SMALL_PARAMETERS else LARGE_OVERHEAD
    worst, middle = max(run.lean_overhead for run in ours), float(np.median([run.lean_overhead for run in ours]))
    plain = float(np.median([run.overhead for run in ours]))
    measured = f"{ours[0].contestant}: {middle:.2f} (worst {worst:.2f}); {plain:.2f} over passes of the plain network"
    return [
        Target(
            "overhead over the floor", f"at most {allowed}", view.problem.name, measured, state_of(middle <= allowed)
        )
    ]


def look_at_masks(view: View) -> list[Target]:
    """A harmful mask has to be flagged or beaten, a harmless one not to be called harmful; controls raise nothing."""
    ours = view.get_ours()
    if not ours:
        return []
    flags = {flag for run in ours for flag in run.flags}
    raised = ", ".join(sorted(flags)) or "none"
    name = view.problem.name
    if name in MASKED:
        truth = 1.0 - float(view.ledger.get_broken(view.problem, view.norm).mean())
        worst = max(run.robust for run in ours)
        measured = f"flags: {raised}; {100 * worst:.1f} % robust where at most {100 * truth:.1f} % is true"
        state = state_of(bool(flags & HARMFUL) and worst <= truth + MISSED_SHARE)
        return [Target("masked network", "flagged, and the right verdict", name, measured, state)]
    return [
        Target("false alarms", "none of the harmful flags", name, f"flags: {raised}", state_of(not flags & HARMFUL))
    ]


def check_claims(view: View) -> list[Target]:
    ours = [
        run for run in view.ledger.runs if run.problem == view.problem.name and run.contestant.startswith("Thin Ice")
    ]
    claims, refused = sum(run.claims for run in ours), sum(run.false_claims for run in ours)
    measured = f"{refused} of {claims} refused by the bench's judge"
    return [Target("claims hold", "every one", view.problem.name, measured, state_of(refused == 0))]


VERDICT_RULES: tuple[Callable[[View], list[Target]], ...] = (
    compare_with_official,
    count_misses,
    compare_with_lean_peers,
    weigh_overhead,
    look_at_masks,
    check_claims,
)


def weigh_in_l2(ledger: Ledger, problem: Problem) -> list[Target]:
    view = View(ledger, problem, "L2")
    return [target for rule in (compare_with_official, count_misses, weigh_overhead) for target in rule(view)]


def weigh_exact(name: str, ratios: NDArray[np.float64]) -> Target:
    """Margins of one small network over its exact ones."""
    median, high, least = (float(np.quantile(ratios, share)) for share in (0.5, EXACT_QUANTILE, 0.0))
    measured = f"{len(ratios)} digits: median {median:.4f}, 95th percentile {high:.3f}, least {least:.5f}"
    is_met = least >= 1 - EXACT_TOLERANCE and median <= EXACT_MEDIAN and high <= EXACT_HIGH
    return Target("exact margins", "never below, median 1.005, 95th percentile 1.05", name, measured, state_of(is_met))


def weigh_targets(ledger: Ledger, problems: list[Problem], exact: Sequence[Target] = ()) -> Table:
    """Every target on every network it applies to; `exact` are those of the small networks."""
    targets = []
    for problem in problems:
        rules = VERDICT_RULES if problem.same_decisions_as is None else (look_at_masks, count_misses, check_claims)
        for rule in rules:
            targets += rule(View(ledger, problem, "Linf"))
        if problem.same_decisions_as is None and View(ledger, problem, "L2").get_ours():
            targets += [replace(target, name=f"{target.name}, L2") for target in weigh_in_l2(ledger, problem)]
        for norm in ("Linf", "L2"):
            targets += compare_margins(View(ledger, problem, norm))
    targets += exact
    if not exact:
        how = "ask for it: --exact 60; tests/attacks gates it on 48 digits"
        targets.append(Target("exact margins", "never below, median 1.005", "8x8 digits", how, NOT_MEASURED))
    table = Table("Targets", ("target", "asked", "network", "measured", ""))
    for target in targets:
        table.rows.append([target.name, target.asked, target.problem, target.measured, target.state])
        table.records.append(target.__dict__)
    return table
