"""How fast the margins are on this machine: `make bench`, or `python -m tests.benchmarks [--samples N] [--repeats N]`.

Passes per sample are exact and the same everywhere. Times are processor seconds of one thread, the fastest of the
repeats, because other processes only ever add to them. The floor is a forward pass and an input gradient on the same
batches, without any attack.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import PRESETS
from models.zoo.cards import load_checkpoint

REPOSITORY = Path(__file__).parents[2]
ZOO = REPOSITORY / "models" / "zoo"
SLICE = REPOSITORY / "backend" / "datasets" / "embedded" / "fashion_mnist_test.npz"
CHECKPOINT = "cnn-dense"
BATCH = 64


def read_samples(count: int) -> tuple[Tensor, Tensor]:
    """The first `count` embedded images, float32 (N, 1, 28, 28) in [0, 1], and their labels int64 (N,)."""
    with np.load(SLICE, allow_pickle=False) as archive:
        pixels, labels = archive["x"][:count], archive["y"][:count]
    return torch.from_numpy(pixels).unsqueeze(1).float() / 255, torch.from_numpy(labels).long()


def measure_seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of `repeats` runs."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def differentiate_inputs(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """One forward pass and one input gradient for every image, in batches."""
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].clone().requires_grad_()
        loss = nn.functional.cross_entropy(network(batch), labels[start : start + BATCH], reduction="sum")
        torch.autograd.grad(loss, batch)


def describe_machine() -> str:
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    return f"{processor}, 1 thread, torch {torch.__version__}, Python {platform.python_version()}"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=200, help="how many images (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the fastest counts (%(default)s)")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)
    network = load_checkpoint(ZOO, CHECKPOINT).eval().requires_grad_(False)
    images, labels = read_samples(arguments.samples)
    floor = measure_seconds(lambda: differentiate_inputs(network, images, labels), arguments.repeats) / len(images)

    table = Table(title=f"Margins of {CHECKPOINT}, {len(images)} samples", caption=describe_machine())
    for heading in (
        "norm",
        "found",
        "median margin",
        "gradients / sample",
        "forwards / sample",
        "samples / s",
        "x floor",
    ):
        table.add_column(heading, justify="left" if heading == "norm" else "right")
    for norm in PRESETS["margin"].norms:
        results = []
        seconds = measure_seconds(
            lambda norm=norm, results=results: results.append(
                attacks.run("margin", network, images, labels, norm=norm, seed=0, batch_size=BATCH)
            ),
            arguments.repeats,
        )
        result = results[-1]
        gradients = result.backwards / len(images)
        table.add_row(
            norm,
            f"{float(result.found.float().mean()):.1%}",
            f"{float(result.distance[result.distance > 0].median()):.4f}",
            f"{gradients:.1f}",
            f"{result.forwards / len(images):.1f}",
            f"{len(images) / seconds:.1f}",
            f"{seconds / len(images) / (gradients * floor):.2f}",
        )
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
