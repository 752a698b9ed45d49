"""Data sets that everybody has: Fashion-MNIST, CIFAR-10, CIFAR-100 and SVHN, as data. None comes whole with the
product.
"""

from dataclasses import dataclass
from pathlib import Path

from backend.datasets.catalogue import DATASETS
from backend.errors import UnknownName
from backend.schemas import Split

TORONTO = "https://www.cs.toronto.edu/~kriz"
STANFORD = "http://ufldl.stanford.edu/housenumbers"
ZALANDO = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist


@dataclass(frozen=True)
class Archive:
    """One published file; `sha256` (hex) is that of its bytes, with `is_packed` that of what the gzip file unpacks to:
    Debian packs the same idx files anew. `size_bytes` is about what a download takes.
    """

    file_name: str
    url: str
    sha256: str
    size_bytes: int
    is_packed: bool = False


@dataclass(frozen=True)
class PublishedDataset:
    """A data set of images of `shape` (H, W, C); `sizes` says how many each split has, `downloads` the files that hold
    it (of idx files images, then labels), and `installed` the folder where a package of Debian leaves them.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    sizes: dict[Split, int]
    downloads: dict[Split, tuple[Archive, ...]]
    default_norm: str
    default_eps: str
    shape: tuple[int, int, int] = (32, 32, 3)
    installed: Path | None = None


CIFAR10_PYTHON = Archive(
    "cifar-10-python.tar.gz",
    f"{TORONTO}/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    170_498_071,
)
CIFAR10_BINARY = Archive(
    "cifar-10-binary.tar.gz",
    f"{TORONTO}/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    170_052_171,
)
CIFAR100_PYTHON = Archive(
    "cifar-100-python.tar.gz",
    f"{TORONTO}/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    169_001_437,
)
CIFAR100_BINARY = Archive(
    "cifar-100-binary.tar.gz",
    f"{TORONTO}/cifar-100-binary.tar.gz",
    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    168_513_733,
)
SVHN_TRAIN = Archive(
    "train_32x32.mat",
    f"{STANFORD}/train_32x32.mat",
    "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
    182_040_794,
)
SVHN_TEST = Archive(
    "test_32x32.mat",
    f"{STANFORD}/test_32x32.mat",
    "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
    64_275_384,
)


def list_idx(prefix: str, images: tuple[str, int], labels: tuple[str, int]) -> tuple[Archive, ...]:
    """The two files of a split of Fashion-MNIST; SHA-256 and size of each."""
    names = f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"
    found = zip(names, (images, labels), strict=True)
    return tuple(Archive(name, f"{ZALANDO}/{name}", sha256, size, True) for name, (sha256, size) in found)


FASHION_TRAIN = list_idx(
    "train",
    ("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 26_421_880),
    ("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 29_515),
)
FASHION_TEST = list_idx(
    "t10k",
    ("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 4_422_102),
    ("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 5_148),
)

CIFAR100_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
wolf woman worm
"""

PUBLISHED: dict[str, PublishedDataset] = {
    entry.name: entry
    for entry in (
        PublishedDataset(
            "fashion-mnist",
            "Fashion-MNIST",
            DATASETS["fashion-mnist-test"].classes,
            {"train": 60_000, "test": 10_000},
            {"train": FASHION_TRAIN, "test": FASHION_TEST},
            "Linf",
            DATASETS["fashion-mnist-test"].default_eps,
            (28, 28, 1),
            DEBIAN,
        ),
        PublishedDataset(
            "cifar10",
            "CIFAR-10",
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            {"train": 50_000, "test": 10_000},
            {"train": (CIFAR10_PYTHON,), "test": (CIFAR10_PYTHON,)},
            "Linf",
            "8/255",
        ),
        PublishedDataset(
            "cifar100",
            "CIFAR-100",
            tuple(CIFAR100_CLASSES.split()),
            {"train": 50_000, "test": 10_000},
            {"train": (CIFAR100_PYTHON,), "test": (CIFAR100_PYTHON,)},
            "Linf",
            "8/255",
        ),
        PublishedDataset(
            "svhn",
            "SVHN",
            tuple("0123456789"),
            {"train": 73_257, "test": 26_032},
            {"train": (SVHN_TRAIN,), "test": (SVHN_TEST,)},
            "Linf",
            "8/255",
        ),
    )
}

ARCHIVES: dict[str, Archive] = {
    archive.sha256: archive
    for archive in (CIFAR10_PYTHON, CIFAR10_BINARY, CIFAR100_PYTHON, CIFAR100_BINARY, SVHN_TRAIN, SVHN_TEST)
}


CANONICAL: dict[str, tuple[str, Split]] = {
    "84dfe12749c317dc6506caca364d30cca5984910e97698e4baf06bed2afaf0c1": ("fashion-mnist", "train"),
    "d495a7fd28f11efc7979697c0ed429243757a8103aa600718beec29d9a8fd152": ("fashion-mnist", "test"),
}
"""Data set and split by the SHA-256 of the .npz that `child.write_canonical` makes of it, whatever file it came as."""


def name_split(name: str, split: Split) -> str:
    """What a split is called on a server unless somebody says otherwise; the first 2,000 test images of Fashion-MNIST
    have its plain name.
    """
    plain = f"{name}-{split}"
    return f"{plain}-all" if plain in DATASETS else plain


def find_published(name: str) -> PublishedDataset:
    """Give the data set called `name`; UnknownName lists what exists."""
    if name not in PUBLISHED:
        raise UnknownName("published data set", name, PUBLISHED)
    return PUBLISHED[name]
