"""Thin Ice itself, through the same door as every other row: presets of the catalogue, by name, as a worker runs them.

The attacks walk on a prepared copy; making it is part of the run, and the copy's passes are counted as all others.
"""

from functools import partial

import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import PRESETS, get_preset
from backend.attacks.first_passes import build_classifier
from backend.attacks.inputs import Request, check_request
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import prepare
from backend.attacks.network.prepared import build_prepared
from backend.attacks.runs import Clean, Run, SampleGroup, StartPool, find_attack
from backend.attacks.search.plan import follow_plan, propose_nearest
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample, follow_pattern, minimise
from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms

# What a bench of the engine shows of it: the preset, and the work per sample it is expected to take. A preset that the
# catalogue does not have yet is no row.
VERDICT_PRESETS = {"fast": 350, "margin": 800}
MARGIN_PRESETS = {"margin": 800}
WALKS = "Thin Ice margin, cut short"


def run_preset(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms, *, preset: str) -> Answer:
    """One preset; what it claims at an eps are the examples it found within it."""
    prepared, _ = build_prepared(network, images[: terms.batch])
    result = attacks.run(
        preset,
        network,
        images,
        labels,
        norm=terms.norm,
        eps=terms.eps if PRESETS[preset].needs_eps else None,
        seed=terms.seed,
        batch_size=terms.batch,
        prepared=prepared,
        early_flags=terms.early_flags,
    )
    claimed = result.found & (result.distance > 0)
    if terms.eps is not None:
        claimed &= result.distance.double() <= terms.eps
    return Answer(result.adversarial, claimed, tuple(result.flags))


def walk(sample: AttackedSample) -> Script:
    """What finds most for a hundred gradients (chosen on training images): untargeted, then from two patterns."""
    yield from minimise(sample, "fmn-untargeted")
    yield from follow_pattern(sample, "fmn-pattern-1")
    yield from follow_pattern(sample, "fmn-pattern-2")


def run_walks(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    """`margin` cut down to ninety gradients."""
    prepared, _ = build_prepared(network, images[: terms.batch])
    task = check_request(
        Request(get_preset("margin"), network, images, labels, terms.norm, None, terms.seed, terms.batch, prepared)
    )
    rows, is_right = torch.arange(len(images)), torch.ones(len(images), dtype=torch.bool)
    # Nothing but walks: no clean pass, no flags and no pool, and every label is taken for the network's own.
    clean = Clean(torch.zeros(len(images), terms.classes), task.labels, is_right, is_right)
    with prepare(network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, None, batches)
        pool = StartPool(task.images[:0], task.labels[:0])
        run = Run(task, find_attack(task.preset), classifier, batches, clean, pool, set())
        group = SampleGroup(rows, task.images, task.labels, True)
        with classifier.exploring():
            samples = follow_plan(run, group, lambda place, sample: walk(sample))
    found = propose_nearest("walks", "minimum", task.images, samples, rows)
    return Answer(found.images, found.proposed)


def describe(preset: str, task: str, work: int) -> Contestant:
    return Contestant(
        f"Thin Ice {preset}", task, PRESETS[preset].norms, partial(run_preset, preset=preset), None, work, is_ours=True
    )


CONTESTANTS = [
    *(describe(preset, VERDICT, work) for preset, work in VERDICT_PRESETS.items() if preset in PRESETS),
    *(describe(preset, MARGIN, work) for preset, work in MARGIN_PRESETS.items() if preset in PRESETS),
    Contestant(WALKS, MARGIN, ("Linf",), run_walks, None, 220, is_ours=True),
]
