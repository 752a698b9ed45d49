"""A small robust network at 32 x 32 x 3, for a trial of the whole way: `python -m tests.benchmarks.cifar_trial --help`.

From a slice of CIFAR-10 it writes `train.npz` and `test.npz` as the product takes them, trains a ResNet8 by PGD-AT and
writes `dense.pt`. What comes then is the product's: data sets, upload, `thinice prune`, `thinice evaluate`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from backend.jobs.zoo import report_progress
from models.architectures.builders import build_architecture
from models.training.pgd import check_correct, check_robust
from models.training.recipe import Recipe
from models.training.state import StateFile, take_fingerprint
from models.training.training import train
from models.zoo.build import Images

ARCHITECTURE = "resnet8"
RECIPE = Recipe(
    epochs=12,
    learning_rate=0.1,
    weight_decay=5e-4,
    eps_text="8/255",
    pgd_steps=5,
    validation_samples=1000,
    augments=True,
)
CLAIM_STEPS = 10


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.cifar_trial", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("slice", type=Path, help=".npz with x_train, y_train, x_test, y_test; x uint8 (N, 32, 32, 3)")
    parser.add_argument("folder", type=Path, help="where the files go; a killed run goes on there")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    arguments = parse(words)
    torch.set_num_threads(1)
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    parts = {}
    with np.load(arguments.slice, allow_pickle=False) as archive:
        for part in ("train", "test"):
            pixels, labels = archive[f"x_{part}"], archive[f"y_{part}"]
            np.savez_compressed(folder / f"{part}.npz", x=pixels, y=labels)
            parts[part] = Images.from_bytes(pixels, labels)
    torch.manual_seed(0)
    network = build_architecture(ARCHITECTURE, 10, 3)
    report = train(
        network,
        parts["train"].images,
        parts["train"].labels,
        RECIPE,
        seed=0,
        state_file=StateFile(folder / "dense.state", take_fingerprint(ARCHITECTURE, RECIPE.to_record())),
        on_progress=report_progress(ARCHITECTURE),
    )
    torch.save({"state_dict": network.state_dict()}, folder / "dense.pt")
    images, labels = parts["test"].images, parts["test"].labels
    clean = check_correct(network, images, labels)
    robust = check_robust(network, images, labels, eps=RECIPE.eps, steps=CLAIM_STEPS, seed=0)
    print(
        f"{ARCHITECTURE}, epoch {report.epoch} of {RECIPE.epochs}, {report.train_seconds:.0f} s: "
        f"clean {clean.double().mean():.2%}, PGD-{CLAIM_STEPS} {robust.double().mean():.2%} (n {len(labels)})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
