"""What an import knows about a data set."""

from pydantic import BaseModel


class ImportedDataset(BaseModel):
    """An uploaded data set, kept as `file_name` in the folder that the caller named.

    `sha256` is that of the kept file, `source_sha256` of the uploaded one. `shape` is (H, W, C); `class_counts` has
    one entry per class; `duplicates` counts images that repeat an earlier one. `published` and `split` name the data
    set of `published.PUBLISHED` that the file is an archive of; None for a user's own.
    """

    sha256: str
    source_sha256: str
    file_name: str
    size: int
    shape: tuple[int, int, int]
    classes: int
    class_counts: list[int]
    duplicates: int
    warnings: list[str]
    published: str | None = None
    split: str | None = None
