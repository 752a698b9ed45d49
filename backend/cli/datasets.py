"""What the command line sends as a data set: a file as it is, idx files packed, or an archive that it fetches first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from backend.cli.output import err
from backend.schemas import Split


@contextmanager
def file_to_send(
    what: str, *, path: Path | None, split: str | None, name: str | None, labels: Path | None
) -> Iterator[tuple[Path, str, str | None]]:
    """The file, the data set's name and the split to send with it.

    Args:
        what: the name of a published data set, or a file.
        path: the archive of a published one; downloaded, or taken from an earlier download, if None.
        split: of a published one, "test" if None.
        name: on the server; that of a published one with its split if None.
        labels: where `what` holds images in idx, the file of their labels.

    Raises:
        typer.BadParameter: there is no such file, or no name for it.
        NotFound, UnreadableDataset: see `fetch_published`; idx files may be damaged too.
    """
    # Here, because they bring NumPy and the store, which no other command needs.
    from backend.datasets.published import PUBLISHED
    from backend.services.datasets.service import fetch_published, pack_idx

    if split not in (None, "train", "test"):
        raise typer.BadParameter(f"The split must be train or test; got {split!r}.")
    if what in PUBLISHED:
        wanted: Split = "train" if split == "train" else "test"
        if path is None:
            err.print(f"Downloading {PUBLISHED[what].downloads[wanted].url} if it is not here yet ...", markup=False)
            path = fetch_published(what, wanted)
        yield path, name or f"{what}-{wanted}", wanted
        return
    file = Path(what)
    if not file.is_file():
        raise typer.BadParameter(f"There is no file or data set {what!r}. Known data sets: {', '.join(PUBLISHED)}.")
    if path is not None:
        raise typer.BadParameter("--path works only with the name of a published data set.")
    if name is None:
        raise typer.BadParameter("A data set of your own needs a --name.")
    if labels is None:
        yield file, name, split
        return
    with TemporaryDirectory() as folder:
        packed = Path(folder) / "packed.npz"
        pack_idx(file, labels, packed)
        yield packed, name, None
