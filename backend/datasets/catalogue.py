"""The data sets that come with the product, as data."""

from dataclasses import dataclass
from pathlib import Path

from backend.errors import UnknownName

EMBEDDED = Path(__file__).resolve().parent / "embedded"


@dataclass(frozen=True)
class DatasetEntry:
    """One built-in data set.

    `shape` is (H, W, C); `default_eps` is exact text in units of pixels in [0, 1]; `path` is an .npz that
    `readers.read_npz` takes.
    """

    name: str
    title: str
    split: str
    size: int
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    default_norm: str
    default_eps: str
    licence: str
    source: str
    path: Path


ENTRIES = (
    DatasetEntry(
        name="fashion-mnist-test",
        title="Fashion-MNIST, first 2,000 test images",
        split="test",
        size=2000,
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        shape=(28, 28, 1),
        default_norm="Linf",
        default_eps="25.5/255",
        licence="MIT",
        source="https://github.com/zalandoresearch/fashion-mnist",
        path=EMBEDDED / "fashion_mnist_test.npz",
    ),
)

DATASETS: dict[str, DatasetEntry] = {entry.name: entry for entry in ENTRIES}


def find_dataset(name: str) -> DatasetEntry:
    """Give the entry called `name`.

    Raises:
        UnknownName: no such entry; lists what exists.
    """
    if name not in DATASETS:
        raise UnknownName("data set", name, DATASETS)
    return DATASETS[name]
