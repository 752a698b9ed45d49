"""Data sets whose archives everybody has: CIFAR-10, CIFAR-100 and SVHN, as data. None comes with the product."""

from dataclasses import dataclass

from backend.errors import UnknownName
from backend.schemas import Split

TORONTO = "https://www.cs.toronto.edu/~kriz"
STANFORD = "http://ufldl.stanford.edu/housenumbers"


@dataclass(frozen=True)
class Archive:
    """One published file; `sha256` (hex) is that of its bytes."""

    file_name: str
    url: str
    sha256: str


@dataclass(frozen=True)
class PublishedDataset:
    """A data set of 32 x 32 colour images; `sizes` says how many each split has, `downloads` where it comes from."""

    name: str
    title: str
    classes: tuple[str, ...]
    sizes: dict[Split, int]
    downloads: dict[Split, Archive]
    default_norm: str
    default_eps: str


CIFAR10_PYTHON = Archive(
    "cifar-10-python.tar.gz",
    f"{TORONTO}/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
CIFAR10_BINARY = Archive(
    "cifar-10-binary.tar.gz",
    f"{TORONTO}/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
CIFAR100_PYTHON = Archive(
    "cifar-100-python.tar.gz",
    f"{TORONTO}/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
)
CIFAR100_BINARY = Archive(
    "cifar-100-binary.tar.gz",
    f"{TORONTO}/cifar-100-binary.tar.gz",
    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
)
SVHN_TRAIN = Archive(
    "train_32x32.mat",
    f"{STANFORD}/train_32x32.mat",
    "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
)
SVHN_TEST = Archive(
    "test_32x32.mat",
    f"{STANFORD}/test_32x32.mat",
    "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
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
            "cifar10",
            "CIFAR-10",
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            {"train": 50_000, "test": 10_000},
            {"train": CIFAR10_PYTHON, "test": CIFAR10_PYTHON},
            "Linf",
            "8/255",
        ),
        PublishedDataset(
            "cifar100",
            "CIFAR-100",
            tuple(CIFAR100_CLASSES.split()),
            {"train": 50_000, "test": 10_000},
            {"train": CIFAR100_PYTHON, "test": CIFAR100_PYTHON},
            "Linf",
            "8/255",
        ),
        PublishedDataset(
            "svhn",
            "SVHN",
            tuple("0123456789"),
            {"train": 73_257, "test": 26_032},
            {"train": SVHN_TRAIN, "test": SVHN_TEST},
            "Linf",
            "8/255",
        ),
    )
}

ARCHIVES: dict[str, Archive] = {
    archive.sha256: archive
    for archive in (CIFAR10_PYTHON, CIFAR10_BINARY, CIFAR100_PYTHON, CIFAR100_BINARY, SVHN_TRAIN, SVHN_TEST)
}


def find_published(name: str) -> PublishedDataset:
    """Give the data set called `name`; UnknownName lists what exists."""
    if name not in PUBLISHED:
        raise UnknownName("published data set", name, PUBLISHED)
    return PUBLISHED[name]
