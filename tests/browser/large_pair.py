"""A home with a made-up pair of many samples: `python -m tests.browser.large_pair FOLDER N` prints the pair's query.

A third argument asks for so many pruned networks; the query then names them all.

A process of its own, so that nothing of the home stays in the one that tests or measures.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

CLASSES = ["zero", "one", "two", "three"]
QUERY_START = "dense="


def make_home(folder: Path, samples: int, networks: int = 1) -> str:
    """Make `folder/home` in a process of its own; the query of its pair."""
    command = [sys.executable, "-m", "tests.browser.large_pair", str(folder), str(samples), str(networks)]
    environment = os.environ | {"THINICE_HOME": str(folder / "home"), "THINICE_DEMO": "false"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return next(line for line in done.stdout.splitlines() if line.startswith(QUERY_START))


def draw_side(labels: np.ndarray, base: np.ndarray, seed: int, *, wrong: float, shift: float) -> tuple[np.ndarray, ...]:
    """Predictions, margins and logit gaps of a network whose margins are `base` less `shift`, with noise.

    The thinner a sample the likelier it is wrong; a few are never found.
    """
    generator = np.random.default_rng(seed)
    n = len(labels)
    margin = np.clip(base - shift + generator.normal(0, 0.015, n), 5e-4, None)
    is_wrong = generator.random(n) < np.where(base < 0.06, 4 * wrong, wrong)
    margin = np.where(generator.random(n) < 0.004, np.inf, margin)
    predictions = np.where(is_wrong, (labels + 1) % len(CLASSES), labels)
    gap = np.where(is_wrong, -1.0, 1.0) * (20 * base + 0.1)
    return predictions, np.where(is_wrong, 0.0, margin), gap


def fill(folder: Path, samples: int, networks: int = 1) -> str:
    """Write the pair into the home of this process, as the worker would."""
    # What reads the settings is imported where they are set.
    from backend.jobs import queue
    from backend.services import system
    from tests.services.fabrication import Measured, add_checkpoint, add_dataset, evaluate, make_pixels

    system.bootstrap()
    dataset = add_dataset(folder, "made", n=samples, classes=CLASSES)
    _, labels = make_pixels(samples)
    base = np.abs(np.random.default_rng(5).normal(0.1, 0.05, samples)) + 0.002
    dense = add_checkpoint(dataset.id, "made-dense")
    fields = {"parent_id": dense.id, "method": "lwm", "declared_sparsity": 0.95}
    names = ["made-95", *(f"made-95-{place}" for place in range(2, networks + 1))]
    pruned = [add_checkpoint(dataset.id, name, role="pruned", **fields) for name in names]
    first, *others = (
        evaluate(row, dataset, Measured(*draw_side(labels, base, seed, wrong=wrong, shift=shift)))
        for row, seed, wrong, shift in (
            (dense, 1, 0.02, 0.0),
            *((row, 2 + place, 0.05, 0.012) for place, row in enumerate(pruned)),
        )
    )
    queue.close()
    return f"{QUERY_START}{first.id}&pruned={','.join(str(one.id) for one in others)}"


if __name__ == "__main__":
    print(fill(Path(sys.argv[1]), *map(int, sys.argv[2:])))
