"""Tables, targets and files from runs whose figures are known."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms
from tests.benchmarks.counting import Floor
from tests.benchmarks.margin_tables import rate_margins, tabulate_margins
from tests.benchmarks.measuring import Ledger, Run
from tests.benchmarks.memory import REPOSITORY, read_peak_mb
from tests.benchmarks.networks import Problem
from tests.benchmarks.peers.official import STANDARD
from tests.benchmarks.peers.own import WALKS
from tests.benchmarks.plots import draw_margins, name_family, write_plots
from tests.benchmarks.report import make_plain, write_files
from tests.benchmarks.retries import retry_missed, try_again
from tests.benchmarks.tables import show_range, show_ratio
from tests.benchmarks.targets import MET, NOT_MET, weigh_exact, weigh_targets
from tests.benchmarks.verdict_tables import tabulate_verdicts

INF = np.inf


def give_nothing(network: nn.Module, *given: object) -> Answer:
    raise AssertionError("no run is made here")


def make_problem(name: str = "dense", same_decisions_as: str | None = None) -> Problem:
    images, labels = torch.zeros(4, 1, 2, 2), torch.zeros(4, dtype=torch.int64)
    eps = {"Linf": 0.1, "L2": 1.0}
    return Problem(name, nn.Identity(), images, labels, [3, 5, 7, 11], eps, 10, 1000, same_decisions_as)


def make_run(contestant: str, distance: list[float], *, task: str = VERDICT, **figures: object) -> Run:
    given = {"problem": "dense", "norm": "Linf", "seed": 0, "gradients": 100.0, "forwards": 20.0, "work": 320.0}
    given |= {"seconds": 1.0, "floor_seconds": 0.9, "lean_seconds": 0.8, "claims": 4, **figures}
    return Run(contestant=contestant, task=task, samples=4, distance=np.array(distance), **given)


def make_ledger(runs: list[Run]) -> Ledger:
    ledger = Ledger(runs)
    ledger.floors["dense"] = [Floor(0.001, 0.003)]
    for run in runs:
        key = (run.problem, run.norm)
        ledger.nearest[key] = np.minimum(ledger.nearest.get(key, np.full(4, INF)), run.distance)
    return ledger


def make_contestant(name: str, task: str = VERDICT) -> Contestant:
    return Contestant(name, task, ("Linf",), give_nothing, None, 1)


def read_states(ledger: Ledger, problem: Problem) -> dict[str, str]:
    return {record["name"]: record["state"] for record in weigh_targets(ledger, [problem]).records}


def test_ranges_show_the_median_and_extremes_only_where_they_differ() -> None:
    assert show_range([1.04, 0.96, 1.0], 1) == "1.0"
    assert show_range([3, 1, 2], 0) == "2 (1 to 3)"
    assert show_range([], 0) == "–"
    assert show_ratio([20.0, 30.0], [2.0, 5.0])[1:] == pytest.approx((25 / 3.5, 4.0))


def test_margins_count_what_was_not_found_against_the_tool() -> None:
    quality = rate_margins(make_run("x", [0.1, 0.202, INF, 0.5], task=MARGIN), np.array([0.1, 0.2, 0.3, 0.25]))
    assert (quality.near, quality.found) == (0.5, 0.75)
    assert quality.ratio == pytest.approx((1 + 1.01 + 2) / 3)
    assert quality.median == pytest.approx((0.202 + 0.5) / 2)
    assert rate_margins(make_run("x", [INF] * 4, task=MARGIN), np.full(4, 0.1)).median == INF


def test_margins_stand_next_to_the_best_of_other_tools_without_our_own() -> None:
    ours = make_run("Thin Ice margin", [0.1, 0.2, 0.1, INF], task=MARGIN)
    runs = [ours, make_run("Thin Ice fast", [0.05] * 4), make_run("x FMN", [0.2, 0.1, INF, 0.3], task=MARGIN)]
    rows = [make_contestant("Thin Ice margin", MARGIN), make_contestant("x FMN", MARGIN)]
    table = tabulate_margins(make_ledger(runs), make_problem(), "Linf", rows)
    assert [record["ratio_to_others"] for record in table.records] == [
        [pytest.approx((0.5 + 2.0) / 2)],
        [pytest.approx((4.0 + 2.0 + 6.0) / 3)],
    ]


def test_verdicts_name_the_samples_that_a_run_missed() -> None:
    runs = [make_run("Thin Ice margin", [0.05, INF, INF, INF]), make_run(STANDARD, [0.06, INF, 0.08, INF])]
    runs.append(make_run("near", [INF, 0.09, INF, 0.2], task=MARGIN))
    table = tabulate_verdicts(
        make_ledger(runs), make_problem(), "Linf", [make_contestant("Thin Ice margin"), make_contestant(STANDARD)]
    )
    ours, official = (dict(zip(table.headings, row, strict=True)) for row in table.rows)
    assert (ours["robust %"], ours["missed of all"], ours["missed of official"]) == ("75.0", "2", "1")
    assert (official["missed of all"], official["missed of official"]) == ("1", "0")
    assert table.notes[0] == "All attacks of this bench together leave 25.0 % robust, 1 official runs together 50.0 %."
    assert "Thin Ice margin, seed 0, missed 2: sample 5, 7." in table.notes


class Darkness(nn.Module):
    """Class 0 while the first pixel is below 0.05."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = images.flatten(1)[:, :1]
        return torch.cat([0.05 - first, torch.zeros_like(first)], dim=1)


def test_missed_samples_are_tried_with_seeds_that_no_run_had() -> None:
    seen: list[tuple[int, int, tuple[str, ...]]] = []

    def light_some(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, terms: Terms) -> Answer:
        seen.append((len(images), terms.seed, terms.early_flags))
        points = images.clone()
        points[0] += 0.2 if terms.seed == 1003 else 0.09  # once beyond eps, which does not count
        return Answer(points)

    problem = replace(make_problem(), network=Darkness())
    runs = [make_run("Thin Ice fast", [0.05, INF, INF, INF], seed=seed, flags=("masking",)) for seed in (0, 1)]
    runs += [make_run("Thin Ice fast", [0.05, 0.05, INF, INF], seed=2), make_run(STANDARD, [0.05, 0.05, 0.05, INF])]
    ours = Contestant("Thin Ice fast", VERDICT, ("Linf",), light_some, None, 1, is_ours=True)
    notes = retry_missed(make_ledger(runs), problem, "Linf", [ours, make_contestant(STANDARD)], 64)
    assert notes == [
        "Thin Ice fast, sample 5: missed in 2 of 3 runs, found in 4 of 5 more seeds.",
        "Thin Ice fast, sample 7: missed in 3 of 3 runs, found in 0 of 5 more seeds.",
    ]
    assert seen == [(2, seed, ("masking",)) for seed in range(1000, 1005)]
    assert retry_missed(make_ledger(runs[2:3]), problem, "Linf", [ours], 64) == []
    broken = replace(ours, attack=give_nothing)
    assert try_again(make_ledger(runs), problem, "Linf", [broken], 64) == [
        "What was missed was not tried again: AssertionError no run is made here"
    ]


def test_targets_say_met_only_where_they_are() -> None:
    official = make_run(STANDARD, [0.05, 0.05, INF, INF], work=6400.0, seconds=30.0)
    good = make_run("Thin Ice margin", [0.05, 0.05, INF, INF], work=320.0, seconds=2.0, lean_seconds=1.8)
    states = read_states(make_ledger([official, good]), make_problem())
    assert {states[name] for name in states if name != "exact margins"} == {MET}
    slow = make_run(
        "Thin Ice margin", [0.05, INF, INF, INF], work=3200.0, seconds=9.0, false_claims=1, flags=("masking",)
    )
    states = read_states(make_ledger([official, slow]), make_problem())
    assert {states[name] for name in states if name != "exact margins"} == {NOT_MET}
    assert len(states) >= 7


def test_targets_of_a_masked_network_ask_for_a_flag_and_the_truth() -> None:
    problem = make_problem("saturated-softmax", "dense")
    truth = make_run(STANDARD, [0.05, 0.05, INF, INF], problem="saturated-softmax")
    for flags, distance, state in (
        (("zero-gradients",), [0.05, 0.05, INF, INF], MET),
        ((), [0.05, 0.05, INF, INF], NOT_MET),
        (("zero-gradients",), [0.05, INF, INF, INF], NOT_MET),
    ):
        ours = make_run("Thin Ice margin", distance, problem="saturated-softmax", flags=flags)
        assert read_states(make_ledger([truth, ours]), problem)["masked network"] == state


def test_margin_targets_compare_with_the_best_peer() -> None:
    ours = [make_run(name, [0.1, 0.1, 0.1, 0.1], task=MARGIN) for name in ("Thin Ice margin", WALKS)]
    names = ("a FMN 300", "b APGD 10x30, bisected")
    peers = [make_run(name, [0.11] * 4, task=MARGIN, gradients=300.0) for name in names]
    fab = make_run("FAB-T 9x100 (pyautoattack)", [0.09] * 4, task=MARGIN, gradients=900.0)
    states = read_states(make_ledger([*ours, *peers, fab]), make_problem())
    assert (states["Linf margins against peers"], states["Linf margins against FAB-T"]) == (MET, NOT_MET)
    better = make_run("c BB 300", [0.1] * 4, task=MARGIN, gradients=301.0)
    assert read_states(make_ledger([*ours, *peers, better]), make_problem())["Linf margins against peers"] == NOT_MET
    dear = make_run(WALKS, [0.1] * 4, task=MARGIN, gradients=184.0)
    assert read_states(make_ledger([ours[0], dear, *peers]), make_problem())["Linf margins against peers"] == NOT_MET


def test_flagged_controls_are_false_alarms_and_masked_networks_have_to_be_flagged() -> None:
    flagged = make_run("Thin Ice fast", [0.05, INF, 0.2, 0.05], flags=("partial-gradients",))
    assert read_states(make_ledger([flagged]), make_problem())["false alarms"] == NOT_MET
    masked = replace(flagged, problem="lwm-99")
    assert read_states(make_ledger([masked]), make_problem("lwm-99"))["masked network"] == MET
    silent = replace(masked, flags=())
    assert read_states(make_ledger([silent]), make_problem("lwm-99"))["masked network"] == NOT_MET


@pytest.mark.parametrize(
    ("ratios", "state"),
    [
        ([1.0, 1.001, 1.002], MET),
        ([0.999, 1.0, 1.0], NOT_MET),
        ([1.0, 1.006, 1.01], NOT_MET),
        ([1.0, 1.0, 1.2], NOT_MET),
    ],
)
def test_exact_margins_are_weighed_by_median_tail_and_least(ratios: list[float], state: str) -> None:
    assert weigh_exact("deep", np.array(ratios)).state == state


def test_files_hold_the_tables_and_null_for_infinity(tmp_path) -> None:
    runs = [make_run("x FMN 100", [0.1, 0.2, INF, INF], task=MARGIN), make_run("y", [INF] * 4, task=MARGIN)]
    rows = [make_contestant("x FMN 100", MARGIN), make_contestant("y", MARGIN)]
    table = tabulate_margins(make_ledger(runs), make_problem(), "Linf", rows)
    machine = {
        "processor": "a",
        "cores": 1,
        "threads": 1,
        "load_at_start": 0,
        "system": "s",
        "python": "3",
        "date": "d",
    }
    paths = write_files(tmp_path, [table], {**machine, "versions": {"torch": "2"}}, ["left out"], {"samples": 4})
    record = json.loads(paths[0].read_text())
    assert [row["median"] for row in record["tables"][0]["records"]] == [[None], [None]]
    assert record["tables"][0]["records"][1]["ratio"] == [None]
    written = paths[1].read_text()
    assert "| x FMN 100 | 1 | inf | 1.000 |" in written
    assert "left out" in written
    assert make_plain({"a": (np.float64(np.nan), np.bool_(True), 1)}) == {"a": [None, True, 1]}


def test_plots_stand_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tests.benchmarks.plots.BROWSERS", ())
    runs = [make_run(f"x FMN {steps}", [0.1] * 4, task=MARGIN, gradients=float(steps)) for steps in (100, 300)]
    rows = [make_contestant(run.contestant, MARGIN) for run in runs]
    figures = draw_margins([tabulate_margins(make_ledger(runs), make_problem(), "Linf", rows)])
    (page,) = write_plots(tmp_path, figures)
    assert page.name == "margins-dense-Linf.html"
    assert list(figures[0][1].data[0].x) == [100.0, 300.0]
    assert "<script src=" not in page.read_text()
    assert name_family("adv-lib FMN, step 30, 100") == name_family("adv-lib FMN, step 30, 300")


def test_peak_memory_is_that_of_the_process_and_not_of_its_parent() -> None:
    """The parent is made larger than the child will be."""
    ballast = np.ones(120_000_000, dtype=np.uint8)
    words = [sys.executable, "-c", "from tests.benchmarks.memory import read_peak_mb; print(read_peak_mb())"]
    before = float(subprocess.run(words, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout)
    assert before < read_peak_mb() - ballast.nbytes / 2**20 / 2
