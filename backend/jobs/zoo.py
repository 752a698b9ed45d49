"""Build the shipped checkpoints: `python -m backend.jobs.zoo [--only NAME] [--out models/zoo]`.

Takes the training images from the Debian package dataset-fashion-mnist and the claim's images from the embedded
slice. Entries that stand already are skipped and an unfinished one keeps its state, so that an interrupted call goes on
where it stopped.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from backend.datasets.make_slice import SLICE, SOURCE_FOLDER, read_split
from backend.datasets.readers import read_npz
from backend.datasets.samples import hash_samples, sample_ids
from backend.errors import ThinIceError
from backend.settings import get_settings
from models.training.progress import Progress
from models.zoo.build import Images, build_entry
from models.zoo.cards import is_built
from models.zoo.entries import ENTRIES, find_entry

DEFAULT_FOLDER = Path("models/zoo")


def read_training_images(folder: Path) -> Images:
    """Read the 60,000 training images from the idx files in `folder`; errors as in `read_split`."""
    pixels, labels = read_split(folder, "train")
    return Images.from_bytes(pixels[..., None], labels)


def hash_training_images(folder: Path) -> str:
    """Give what a data set of the training images in `folder` is called by, as prunings record it."""
    pixels, labels = read_split(folder, "train")
    return hash_samples(sample_ids(pixels), labels)


def read_shipped_images() -> Images:
    """Read the embedded test slice."""
    return Images.from_bytes(*read_npz(SLICE.path))


def report_progress(name: str) -> Callable[[Progress], None]:
    """Give a callback that prints one line per call to stderr."""

    def report(progress: Progress) -> None:
        accuracy = progress.validation_robust_accuracy
        validation = "" if accuracy is None else f", validation robust {accuracy:.1%}"
        print(
            f"{name}: {progress.stage}, epoch {progress.epoch}/{progress.epochs}, "
            f"step {progress.step}/{progress.steps}, loss {progress.loss:.4f}{validation}, "
            f"{progress.seconds_left / 60:.1f} min left",
            file=sys.stderr,
            flush=True,
        )

    return report


def parse_arguments(words: list[str] | None) -> argparse.Namespace:
    """Parse the command line, `sys.argv` where `words` is None."""
    parser = argparse.ArgumentParser(prog="python -m backend.jobs.zoo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="build this entry alone; may be repeated")
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, help="where the checkpoints go (%(default)s)")
    parser.add_argument("--source", type=Path, default=SOURCE_FOLDER, help="folder of the idx files (%(default)s)")
    parser.add_argument("--states", type=Path, default=None, help="where unfinished runs keep their state (the home)")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Build what is asked for; 0 on success, 1 and a sentence on stderr for a mistake that the caller can mend."""
    arguments = parse_arguments(words)
    torch.set_num_threads(1)  # the same weights on any machine with the same torch need one order of additions
    try:
        entries = [find_entry(name) for name in arguments.only] if arguments.only else list(ENTRIES)
        training: Images | None = None
        for entry in entries:
            if is_built(arguments.out, entry):
                print(f"{entry.name}: built already")
                continue
            training = training or read_training_images(arguments.source)
            card = build_entry(
                entry,
                training,
                read_shipped_images(),
                arguments.out,
                training_sha256=hash_training_images(arguments.source),
                state_folder=arguments.states or get_settings().home / "training",
                on_progress=report_progress(entry.name),
            )
            print(
                f"{entry.name}: clean {card['clean_accuracy']:.2%}, "
                f"{card['claimed_attack']} {card['claimed_robust_accuracy']:.2%} (n {card['claimed_n']})"
            )
    except (FileNotFoundError, ThinIceError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
