"""What a caller hands to `run`, checked at the door with sentences that say what was expected and what came."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from backend.attacks.catalogue import Preset
from backend.attacks.network.prepared import Prepared
from backend.attacks.norms import Norm, get_norm
from backend.errors import InvalidRequest

SMALL_PARAMETERS = 1_000_000
SMALL_BATCH, LARGE_BATCH, CUDA_BATCH = 64, 16, 512


@dataclass(frozen=True)
class Task:
    """A checked request; images float32 (B, C, H, W) in [0, 1] and labels int64 (B,) on the CPU.

    eps is the radius in the norm's unit, None where the preset needs none. prepared is the copy that walks follow.
    """

    preset: Preset
    network: nn.Module
    images: Tensor
    labels: Tensor
    norm: Norm
    eps: float | None
    seed: int
    batch_size: int
    prepared: Prepared | None = None


@dataclass(frozen=True)
class Request:
    """What a caller asks for, before anything is checked; the arguments of `engine.run`."""

    preset: Preset
    network: object
    images: object
    labels: object
    norm: str = "Linf"
    eps: float | None = None
    seed: int = 0
    batch_size: int | None = None
    prepared: Prepared | None = None


def check_request(request: Request) -> Task:
    """Check everything that needs no pass through the network; InvalidRequest or UnknownName say what is wrong."""
    preset, network = request.preset, request.network
    norm = get_norm(request.norm)
    if request.norm not in preset.norms:
        raise InvalidRequest(
            f"{preset.name!r} runs in {', '.join(preset.norms)}, not in {request.norm}.", norm=request.norm
        )
    if not isinstance(network, nn.Module):
        raise InvalidRequest(f"The network must be a torch.nn.Module; got a {type(network).__name__}.")
    check_seed(request.seed)
    if request.batch_size is not None:
        check_count("batch_size", request.batch_size)
    images = check_images(request.images)
    return Task(
        preset,
        network,
        images,
        check_labels(request.labels, len(images)),
        norm,
        check_eps(request.eps, preset, norm, images),
        request.seed,
        request.batch_size or choose_batch_size(network, None if preset.is_foreign else len(images)),
        None if preset.is_foreign else request.prepared,
    )


def check_seed(seed: object) -> None:
    """A whole number that torch's generators take."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InvalidRequest(f"The seed must be a whole number from 0 to 2**63 - 1; got {seed!r}.")


def check_count(name: str, value: object) -> None:
    """A number of steps, samples or passes: a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest(f"{name} must be a whole number from 1; got {value!r}.")


def check_images(images: object) -> Tensor:
    """A detached copy on the CPU; the caller's tensor is never written to."""
    if not isinstance(images, Tensor):
        raise InvalidRequest(f"The images must be a torch tensor; got a {type(images).__name__}.")
    if images.dtype != torch.float32:
        raise InvalidRequest(
            f"The images must be float32 in [0, 1]; got {images.dtype}. Divide 8-bit pixels by 255 and call .float()."
        )
    if images.dim() != 4 or 0 in images.shape:
        raise InvalidRequest(f"The images must have the shape (B, C, H, W); got {tuple(images.shape)}.")
    copied = images.detach().cpu().clone().contiguous()
    if not bool(copied.isfinite().all()):
        raise InvalidRequest("The images hold NaN or infinite pixels.", flag="out-of-box")
    low, high = float(copied.min()), float(copied.max())
    if low < 0.0 or high > 1.0:
        raise InvalidRequest(
            f"The images must lie in [0, 1]; they go from {low:.4g} to {high:.4g}. "
            "Put the normalisation inside the network and pass plain pixels.",
            flag="out-of-box",
        )
    return copied


def check_pool(images: object, attacked: Tensor) -> Tensor:
    """Images to start from, checked like those attacked (P, C, H, W), and of their shape."""
    checked = check_images(images)
    if checked.shape[1:] != attacked.shape[1:]:
        raise InvalidRequest(
            f"The pool's images must have the shape of the attacked images, {tuple(attacked.shape[1:])}; "
            f"got {tuple(checked.shape[1:])}."
        )
    return checked


def check_transfer(images: object, attacked: Tensor) -> Tensor:
    """Another network's adversarial examples, checked like the images attacked, one for each of them."""
    checked = check_pool(images, attacked)
    if len(checked) != len(attacked):
        raise InvalidRequest(f"There must be one image to transfer per sample, {len(attacked)}; got {len(checked)}.")
    return checked


def check_labels(labels: object, count: int, name: str = "label") -> Tensor:
    """Labels (or targets) as int64 on the CPU; whether they are classes is known after the first pass."""
    if not isinstance(labels, Tensor):
        raise InvalidRequest(f"The {name}s must be a torch tensor; got a {type(labels).__name__}.")
    if labels.dtype.is_floating_point or labels.dtype.is_complex or labels.dtype == torch.bool:
        raise InvalidRequest(f"The {name}s must be whole numbers (int64); got {labels.dtype}.")
    if tuple(labels.shape) != (count,):
        raise InvalidRequest(f"There must be one {name} per image, shape ({count},); got {tuple(labels.shape)}.")
    return labels.detach().cpu().long().clone()


def check_label_range(labels: Tensor, classes: int, name: str = "label") -> None:
    """Every label (or target) must be a class of the network."""
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise InvalidRequest(
            f"The {name}s go from {low} to {high}, but the network has {classes} classes (0 to {classes - 1}).",
            classes=classes,
        )


def check_eps(eps: float | None, preset: Preset, norm: Norm, images: Tensor) -> float | None:
    """eps as a float in pixels of [0, 1], at most the whole box; needed by some presets.

    A preset that needs none gets none: a sound eps is dropped, so that nothing can depend on it.
    """
    if eps is None:
        if preset.needs_eps:
            raise InvalidRequest(f"The preset {preset.name!r} needs an eps, for example 8/255.", preset=preset.name)
        return None
    try:
        value = float(eps)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"eps must be a number; got {eps!r}.") from error
    largest = float(norm.measure(torch.ones_like(images[:1]))[0])
    if not 0.0 < value <= largest:
        raise InvalidRequest(
            f"eps must be above 0 and at most {largest:.4g}, the size of the whole box in {norm.name}; got {eps!r}. "
            "Pixels are in [0, 1]: 8 of 255 levels are 8/255."
        )
    return value if preset.needs_eps else None


def choose_batch_size(network: nn.Module, count: int | None) -> int:
    """Samples per compute batch: what fits a CPU's cache, or enough to fill a GPU; a power of two up to `count`.

    The official code gets no count: it draws by position in the batch, and what fits goes into one.
    """
    parameters = list(network.parameters())
    if any(parameter.is_cuda for parameter in parameters):
        largest = CUDA_BATCH
    else:
        is_small = sum(parameter.numel() for parameter in parameters) < SMALL_PARAMETERS
        largest = SMALL_BATCH if is_small else LARGE_BATCH
    return largest if count is None else min(largest, 1 << (count.bit_length() - 1))
