"""The command that writes two checkpoint files to try things with, from shipped weights."""

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.output import err
from backend.cli.session import reports_failures

EXAMPLES = {"dense": "cnn-dense", "pruned": "cnn-lwm-95"}
"""Name of each file, and the shipped checkpoint whose weights it holds; the second was pruned from the first."""


@reports_failures
def example(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where to write; made if it is missing")],
) -> None:
    """Write dense.pt and pruned.pt: state dicts as training code saves them, of a shipped network and a pruned one."""
    for name, path in write_examples(folder).items():
        err.print(f"wrote {path} ({name}, {path.stat().st_size:,} bytes)", markup=False)


def write_examples(folder: Path) -> dict[str, Path]:
    """Write the files and give their paths.

    Raises:
        typer.BadParameter: the folder cannot be written.
    """
    import torch  # here, so that the other commands start fast
    from safetensors.torch import load_file

    from backend.registry.cards import read_cards

    cards = {card.name: card for card in read_cards()}
    written = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, shipped in EXAMPLES.items():
            written[name] = folder / f"{name}.pt"
            torch.save(load_file(cards[shipped].path), written[name])
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be written ({error.strerror}).") from error
    return written
