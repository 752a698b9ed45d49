"""What architectures there are, as data; `builders` builds them. Never imports torch: the web process lists them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """One row of the table, for which `builders` has a function; `input_size` is (H, W), None where any size works."""

    name: str
    title: str
    kind: str
    input_size: tuple[int, int] | None


ROWS = (
    Architecture("small-cnn", "Small CNN, 102,090 parameters", "cnn", (28, 28)),
    Architecture("resnet18", "ResNet18 (CIFAR)", "resnet", None),
    Architecture("resnet18-torchvision", "ResNet18 (CIFAR, torchvision names)", "resnet", None),
    Architecture("resnet20", "ResNet20 (CIFAR)", "resnet", None),
    Architecture("resnet8", "ResNet8 (CIFAR)", "resnet", None),
    Architecture("preact-resnet18", "PreAct ResNet18", "resnet", None),
    Architecture("preact-resnet18-bn", "PreAct ResNet18, last BN", "resnet", None),
    Architecture("vgg16-bn-hydra", "VGG16-BN (HYDRA, HARP)", "vgg", None),
    Architecture("vgg16-bn", "VGG16-BN, one linear layer", "vgg", (32, 32)),
    Architecture("vgg16-bn-bias-free", "VGG16-BN, no conv biases", "vgg", (32, 32)),
    Architecture("wrn-28-4", "Wide ResNet 28-4", "wide-resnet", None),
    Architecture("wrn-28-10", "Wide ResNet 28-10", "wide-resnet", None),
)

ARCHITECTURES: dict[str, Architecture] = {row.name: row for row in ROWS}


def find_architecture(name: str) -> Architecture:
    """Give the row called `name`.

    Raises:
        ValueError: no such row; the message lists what exists.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"there is no architecture {name!r}; known: {', '.join(sorted(ARCHITECTURES))}")
    return ARCHITECTURES[name]
