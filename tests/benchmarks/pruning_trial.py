"""Pruning methods over training seeds at equal sparsity and budget: `python -m tests.benchmarks.pruning_trial --help`.

Builds the networks that are missing (about five minutes each on one quiet core; a killed run goes on), judges all of
them on the same images, and prints which samples each method loses against the dense network, with intervals over
images and seeds. Forms of the thin-ice loss are chosen on `--images other` (test images that the product does not ship)
and reported on `--images shipped`.
"""

import argparse
import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import PRESETS
from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.presets import fallbacks, fast
from backend.attacks.search import gradient_free_steps, sequences
from backend.datasets.make_slice import SLICE, SOURCE_FOLDER, read_split
from backend.datasets.readers import read_npz
from backend.jobs.zoo import DEFAULT_FOLDER, read_training_images, report_progress
from backend.settings import get_settings
from models.pruning.plans import Plan
from models.pruning.recipes import (
    plan_short_admm,
    plan_short_harp,
    plan_short_hydra,
    plan_short_lwm,
    plan_short_thin_ice,
)
from models.training.pgd import check_correct, check_robust
from models.zoo.build import Images, build_entry
from models.zoo.cards import is_built, load_checkpoint
from models.zoo.entries import ZooEntry, prune_dense
from tests.benchmarks.contestants import Terms
from tests.benchmarks.peers.own import run_walks
from tests.benchmarks.report import show
from tests.benchmarks.tables import Table

Verdicts = dict[str, NDArray[np.bool_]]
"""`clean` and `robust`, bool (N,) each: is the sample right, is it right under attack?"""

DENSE = "cnn-dense"
REFERENCE = "harp"
DRAWS = 4000
PGD_STEPS = 20
SCREEN_WIDTH = 180
MARGIN_PART, MARGIN_BATCH = 1000, 64

FORMS: dict[str, Callable[[float], Plan]] = {
    "lwm": plan_short_lwm,
    "r-admm": plan_short_admm,
    "hydra": plan_short_hydra,
    "harp": plan_short_harp,
    "thin-ice": plan_short_thin_ice,
    "thin-ice measured": partial(plan_short_thin_ice, measured_margins=1.0),
    "thin-ice measured weights": partial(plan_short_thin_ice, measured_margins=1.0, distillation=0.0),
    "thin-ice weights": partial(plan_short_thin_ice, distillation=0.0),
    "thin-ice distillation": partial(plan_short_thin_ice, clean_weight=0.0, robust_weight=0.0),
    "thin-ice all distillation": partial(plan_short_thin_ice, clean_weight=0.0, robust_weight=0.0, distillation=1.0),
    "thin-ice keeping": partial(
        plan_short_thin_ice, clean_weight=0.0, robust_weight=0.0, distillation=0.0, keeping=0.5
    ),
    "thin-ice clean": partial(
        plan_short_thin_ice, clean_weight=0.0, robust_weight=0.0, distillation=0.5, clean_distillation=0.5
    ),
    "thin-ice weights clean": partial(plan_short_thin_ice, distillation=0.5, clean_distillation=0.5),
    "thin-ice wide clean": partial(
        plan_short_thin_ice, clean_weight=0.0, robust_weight=0.0, distillation=0.5, clean_distillation=2.0
    ),
}
"""The methods, and thin-ice with one form of care or several."""


@dataclass(frozen=True)
class Trial:
    """One network to make: a form of `FORMS` at a share of removed weights, with a training seed."""

    form: str
    rate: float
    seed: int

    @property
    def entry(self) -> ZooEntry:
        """Its entry; with the first seed that of the zoo, where the zoo has it."""
        name = f"cnn-{self.form.replace(' ', '-')}-{round(self.rate * 100)}"
        return prune_dense(name + (f"-seed{self.seed}" if self.seed else ""), FORMS[self.form](self.rate), self.seed)


@dataclass(frozen=True)
class Difference:
    """A mean over seeds with the interval from draws of images and of seeds."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    home = get_settings().home / "bench"
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.pruning_trial", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--forms", nargs="+", choices=FORMS, default=list(FORMS)[:5], metavar="FORM", help="%(choices)s"
    )
    parser.add_argument("--rates", nargs="+", type=float, default=[0.95], help="shares of removed weights, 0..1")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="training seeds (default 0 1 2)")
    parser.add_argument("--images", choices=["shipped", "other"], default="shipped", help="which test images judge")
    parser.add_argument("--build-only", action="store_true", help="judge nothing")
    parser.add_argument("--out", type=Path, default=home / "trial", help="folder of the networks (%(default)s)")
    return parser.parse_args(words)


def read_judging_images(which: str) -> Images:
    """Read the 2,000 shipped test images, or the 8,000 test images that are not shipped."""
    if which == "shipped":
        return Images.from_bytes(*read_npz(SLICE.path))
    pixels, labels = read_split(SOURCE_FOLDER, "t10k")
    shipped = len(read_npz(SLICE.path)[1])
    return Images.from_bytes(pixels[shipped:, ..., None], labels[shipped:])


def measure_margins(training: Images, folder: Path) -> Tensor:
    """Give the dense margins float32 (N,) of all training images, by the engine's walks of ninety gradients.

    0 where the dense network is wrong, inf where nothing was found. About half an hour of a quiet core, once: each part
    is kept in `folder`, so that a killed run goes on.
    """
    network, parts = load_checkpoint(folder, DENSE), folder / f"{DENSE}-margins"
    parts.mkdir(exist_ok=True)
    found = []
    for start in range(0, len(training.images), MARGIN_PART):
        file = parts / f"{start}.npy"
        if not file.exists():
            part = slice(start, start + MARGIN_PART)
            unfinished = file.with_suffix(".part.npy")
            np.save(unfinished, measure_part(network, training.images[part], training.labels[part]).numpy())
            unfinished.rename(file)
            print(f"dense margins: from {start:,} of {len(training.images):,}", file=sys.stderr, flush=True)
        found.append(torch.from_numpy(np.load(file)))
    return torch.cat(found)


def measure_part(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Give the margins (B,) of some images; each adversarial that counts is classified again here."""
    margins = torch.zeros(len(images))
    rows = check_correct(network, images, labels).nonzero().squeeze(1)
    images, labels = images[rows], labels[rows]
    terms = Terms(norm="Linf", eps=None, seed=0, batch=MARGIN_BATCH, classes=len(SLICE.classes))
    points = run_walks(network, images, labels, terms).points
    is_found = ~check_correct(network, points, labels)
    margins[rows] = torch.where(is_found, (points - images).abs().flatten(1).amax(1), torch.inf)
    return margins


def build_missing(trials: Sequence[Trial], folder: Path) -> None:
    """Build what is not in `folder`, which starts as a copy of the zoo."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in DEFAULT_FOLDER.glob("*.*"):
        if file.suffix in (".json", ".safetensors") and not (folder / file.name).exists():
            shutil.copy(file, folder)
    missing = [trial.entry for trial in trials if not is_built(folder, trial.entry)]
    if not missing:
        return
    training, shipped = read_training_images(SOURCE_FOLDER), read_judging_images("shipped")
    is_measured = any(entry.run.takes_measured_margins for entry in missing)
    margins = measure_margins(training, folder) if is_measured else None
    for entry in missing:
        build_entry(
            entry,
            training,
            shipped,
            folder,
            margins=margins if entry.run.takes_measured_margins else None,
            state_folder=folder / "states",
            on_progress=report_progress(entry.name),
        )


def name_judge(which: str) -> str:
    """Give a name that changes with what the judging attack does, so that no kept verdict is one of another attack."""
    if which != "shipped":
        return f"pgd-{PGD_STEPS}"
    rules = [fast.TARGET_BANDS, fast.RESTART_BANDS, sequences.AIM, fast.WITHIN, fallbacks.CLOSE]
    decisive = [PRESETS["fast"], ATTACKS, *rules, gradient_free_steps.HALVINGS, gradient_free_steps.GIVE_UP]
    return hashlib.sha256(repr(decisive).encode()).hexdigest()[:8]


def judge(name: str, images: Images, which: str, folder: Path) -> Verdicts:
    """Judge one network, once: `fast` on the shipped images, PGD-20 with the trainer's own code on the others."""
    kept = folder / f"{name}-{which}-{name_judge(which)}.npz"
    if kept.exists() and kept.stat().st_mtime > (folder / f"{name}.safetensors").stat().st_mtime:
        with np.load(kept) as archive:
            return {key: archive[key] for key in ("clean", "robust")}
    network, eps = load_checkpoint(folder, name), prune_dense("", plan_short_lwm(0.5)).recipe.eps
    clean = check_correct(network, images.images, images.labels)
    if which == "shipped":
        found = attacks.run("fast", network, images.images, images.labels, norm="Linf", eps=eps, seed=0)
        robust = clean & ~(found.found & (found.distance.double() <= eps))
    else:
        robust = check_robust(network, images.images, images.labels, eps=eps, steps=PGD_STEPS, seed=0)
    verdicts = {"clean": clean.numpy(), "robust": robust.numpy()}
    np.savez(kept, **verdicts)
    return verdicts


def count_losses(dense: Verdicts, pruned: Sequence[Verdicts], kind: str) -> NDArray[np.int64]:
    """Mark the samples that the dense network has right and a pruned one lost: 0/1 (seeds, N)."""
    return np.stack([dense[kind] & ~one[kind] for one in pruned]).astype(np.int64)


def bound_difference(losses: NDArray[np.int64], reference: NDArray[np.int64], seed: int = 0) -> Difference:
    """Give by how many samples more the first loses, mean over seeds: drawn anew are images, and seeds in pairs.

    Args:
        losses: 0/1 (seeds, N).
        reference: the same of the method it is held against.
    """
    generator = np.random.default_rng(seed)
    gaps = (losses - reference).astype(np.float64)
    seeds, samples = gaps.shape
    # Multinomial weights of images are shared by the seeds, so that a draw is one set of images.
    weights = generator.multinomial(samples, np.full(samples, 1.0 / samples), size=DRAWS).astype(np.float64)
    per_seed = weights @ gaps.T
    chosen = generator.integers(seeds, size=(DRAWS, seeds))
    draws = np.take_along_axis(per_seed, chosen, axis=1).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Difference(float(gaps.sum(axis=1).mean()), float(low), float(high))


def tabulate(judged: dict[str, list[Verdicts]], dense: Verdicts, rate: float, which: str) -> Table:
    """One row per form: accuracies and losses as means over seeds, and the losses against those of the reference."""
    samples = len(dense["clean"])
    rows = []
    for form, verdicts in judged.items():
        row = [form, str(len(verdicts))]
        row += [f"{100 * np.mean([one[kind].mean() for one in verdicts]):.2f}" for kind in ("clean", "robust")]
        for kind in ("clean", "robust"):
            lost = count_losses(dense, verdicts, kind)
            row += [" ".join(str(count) for count in lost.sum(axis=1)), f"{lost.sum(axis=1).mean():.1f}"]
            is_held = form != REFERENCE and REFERENCE in judged
            reference = count_losses(dense, judged[REFERENCE], kind) if is_held else lost
            row.append(str(bound_difference(lost, reference)) if is_held else "")
        rows.append(row)
    beyond = f"beyond {REFERENCE}"
    losses = ("clean lost", "mean", beyond, "robust lost", "mean", beyond)
    headings = ("method", "seeds", "clean %", "robust %", *losses)
    attack = "fast" if which == "shipped" else f"PGD-{PGD_STEPS}"
    return Table(
        f"{rate:.0%} of the weights removed; {samples:,} {which} test images, {attack} at 25.5/255; "
        f"dense {100 * dense['clean'].mean():.2f} / {100 * dense['robust'].mean():.2f} %",
        headings,
        rows,
    )


def main(words: Sequence[str] | None = None) -> int:
    arguments = parse(words)
    torch.set_num_threads(1)
    trials = [Trial(*one) for one in product(arguments.forms, arguments.rates, arguments.seeds)]
    build_missing(trials, arguments.out)
    if arguments.build_only:
        return 0
    images = read_judging_images(arguments.images)
    see = partial(judge, images=images, which=arguments.images, folder=arguments.out)
    dense = see(DENSE)
    for rate in arguments.rates:
        judged = {
            form: [see(Trial(form, rate, seed).entry.name) for seed in arguments.seeds] for form in arguments.forms
        }
        show(Console(width=SCREEN_WIDTH), tabulate(judged, dense, rate, arguments.images))
    return 0


if __name__ == "__main__":
    sys.exit(main())
