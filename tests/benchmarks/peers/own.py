"""Thin Ice itself, through the same door as every other row: presets of the catalogue, by name, as a worker runs them.

The attacks walk on a prepared copy; making it is part of the run, and the copy's passes are counted as all others.
"""

from functools import partial

from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import PRESETS
from backend.attacks.preparation import build_prepared
from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms

# What a bench of the engine shows of it: the preset, and the work per sample it is expected to take. A preset that the
# catalogue does not have yet is no row.
VERDICT_PRESETS = {"fast": 350, "margin": 800}
MARGIN_PRESETS = {"margin": 800}


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
    )
    claimed = result.found & (result.distance > 0)
    if terms.eps is not None:
        claimed &= result.distance.double() <= terms.eps
    return Answer(result.adversarial, claimed, tuple(result.flags))


def describe(preset: str, task: str, work: int) -> Contestant:
    return Contestant(
        f"Thin Ice {preset}", task, PRESETS[preset].norms, partial(run_preset, preset=preset), None, work, is_ours=True
    )


CONTESTANTS = [
    *(describe(preset, VERDICT, work) for preset, work in VERDICT_PRESETS.items() if preset in PRESETS),
    *(describe(preset, MARGIN, work) for preset, work in MARGIN_PRESETS.items() if preset in PRESETS),
]
