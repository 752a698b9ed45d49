"""Commands that list, show, open, rename and delete data sets; and what `dataset` sends: a file as it is, idx files
packed, or an archive that is fetched first."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from backend.cli.columns import print_columns
from backend.cli.output import err, out
from backend.cli.session import AsJson, Url, connected, open_page, reports_failures
from backend.counts import count_words
from backend.schemas import Split

app = typer.Typer(help="List, show, open, rename, delete data sets; `dataset` adds one.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(metavar="DATASET", help="Data set, by slug or id")]
TOLD_BYTES = 10_000_000
USUAL_EPS = "8/255"
PAGE = "upload?kind=dataset&dataset={slug}"


@app.command("list")
@reports_failures
def list_datasets(url: Url = None, as_json: AsJson = False) -> None:
    """List all data sets, newest first."""
    with connected(url) as client:
        rows = list(client.each("datasets"))
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        out.print("There is no data set yet. `thinice dataset` adds one.", markup=False)
        return
    titles = ("data set", "samples", "split", "images", "classes", "default eps")
    cells = [
        (
            row["slug"],
            f"{row['size']:,}",
            row["split"],
            " x ".join(str(size) for size in row["shape"]),
            f"{len(row['classes']):,}",
            f"{row['default_norm']} {row['default_eps_text']}",
        )
        for row in rows
    ]
    print_columns(titles, cells, numbers=("samples", "classes"))


@app.command()
@reports_failures
def show(dataset: Slug, url: Url = None, as_json: AsJson = False) -> None:
    """Show what a data set is."""
    with connected(url) as client:
        row = client.get(f"datasets/{dataset}")
    if as_json:
        print(json.dumps(row))
        return
    print_dataset(row)
    out.print(f"id {row['id']}, split {row['split']}, images {' x '.join(str(size) for size in row['shape'])}")
    out.print(f"Classes: {', '.join(row['classes'])}", markup=False)
    out.print(f"Evaluated by default in {row['default_norm']} at eps {row['default_eps_text']}", markup=False)
    out.print(f"Source: {row['source']}", markup=False)


def print_dataset(row: dict[str, Any]) -> None:
    size, classes = count_words(row["size"], "sample"), count_words(len(row["classes"]), "class", "classes")
    out.print(f"{row['name']}: {size}, {classes}, slug {row['slug']}", markup=False)


@app.command("open")
@reports_failures
def open_dataset(dataset: Slug, url: Url = None) -> None:
    """Open the page of a data set in the browser."""
    with connected(url) as client:
        open_page(client, PAGE.format(slug=client.get(f"datasets/{dataset}")["slug"]))


@app.command()
@reports_failures
def rename(
    dataset: Slug,
    name: Annotated[str, typer.Argument(help="New name; the slug stays")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Give a data set another name."""
    with connected(url) as client:
        response = client.request("PATCH", f"datasets/{dataset}", json={"name": name})
    if as_json:
        print(response.text)
    else:
        print_dataset(response.json())


@app.command()
@reports_failures
def delete(dataset: Slug, url: Url = None) -> None:
    """Delete a data set that no checkpoint, evaluation or pruning needs."""
    with connected(url) as client:
        client.request("DELETE", f"datasets/{dataset}")


@contextmanager
def file_to_send(
    what: str, *, path: Path | None, split: str | None, name: str | None, labels: Path | None
) -> Iterator[tuple[Path, str, str | None]]:
    """The file, the data set's name and the split to send with it.

    Args:
        what: the name of a published data set, or a file.
        path: the file of a published one, or the folder that has its files; installed ones are taken, or downloaded
            ones, if None.
        split: of a published one, "test" if None.
        name: on the server; that of a published one with its split if None.
        labels: where `what` holds images in idx, the file of their labels.

    Raises:
        typer.BadParameter: there is no such file, or no name for it.
        NotFound, UnreadableDataset: see `fetch_published`; idx files may be damaged too.
    """
    # Here, because they bring NumPy and the store, which no other command needs.
    from backend.datasets.published import PUBLISHED, name_split
    from backend.services.datasets.service import find_published_files

    if split not in (None, "train", "test"):
        raise typer.BadParameter(f"The split must be train or test; got {split!r}.")
    if what in PUBLISHED:
        wanted: Split = "train" if split == "train" else "test"
        files = find_published_files(what, wanted, path, report_bytes(PUBLISHED[what].title))
        if len(files) == 1:
            yield files[0], name or name_split(what, wanted), wanted
            return
        with packed_idx(files[0], files[1]) as packed:
            yield packed, name or name_split(what, wanted), None  # the server knows the split by the content
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
    with packed_idx(file, labels) as packed:
        yield packed, name, None


@contextmanager
def packed_idx(images: Path, labels: Path) -> Iterator[Path]:
    """A pair of idx files as one .npz, as long as it is needed."""
    from backend.services.datasets.service import pack_idx

    with TemporaryDirectory() as folder:
        packed = Path(folder) / "packed.npz"
        pack_idx(images, labels, packed)
        yield packed


def report_bytes(title: str) -> Callable[[int], None]:
    """Says every ten megabytes how much has come."""
    told = 0

    def report(received: int) -> None:
        nonlocal told
        if received // TOLD_BYTES != told:
            told = received // TOLD_BYTES
            err.print(f"Downloading {title}: {received / 1e6:,.0f} MB", markup=False)

    return report


def choose_eps(what: str, eps: str | None) -> str:
    """The default eps of a data set: as typed, else that of a published one, else 8/255."""
    from backend.datasets.published import PUBLISHED

    return eps or (PUBLISHED[what].default_eps if what in PUBLISHED else USUAL_EPS)
