"""Images to start from: some that the network takes for another class, so that the way to them crosses a boundary.

The pool holds the given images, flat images and a few of noise, so that it has two classes for nearly every network
that has them at all; a sample without an image of another class in the pool has no start. Without images of the
caller's choice the pool is made of the samples of the same call. Then what a start reaches depends on which samples are
attacked together, but neither on their order (as long as the pool holds them all) nor on the batch size.
"""

import hashlib

import torch
from torch import Tensor

from backend.attacks.losses import predict
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.runs import StartPool

FLAT_LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
NOISE_IMAGES = 3


def make_generator(seed: int, *parts: bytes) -> torch.Generator:
    """A generator that depends on the seed and the parts alone, never on a position in a batch."""
    digest = hashlib.sha256(b"\0".join([str(seed).encode(), *parts])).digest()
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(digest[:8], "big", signed=True))
    return generator


def draw_noise(images: Tensor, seed: int, attack: str) -> Tensor:
    """Uniform noise in [-1, 1], float32 like `images` (on the CPU), each from the seed, the attack and the image."""
    return draw_uniform(images, seed, attack, images.shape[1:])


def draw_uniform(images: Tensor, seed: int, purpose: str, shape: torch.Size) -> Tensor:
    """Uniform draws in [-1, 1], float32 (B, *shape), each from the seed, the purpose and the image (on the CPU)."""
    rows = []
    for image in images:
        generator = make_generator(seed, purpose.encode(), image.contiguous().numpy().tobytes())
        rows.append(2.0 * torch.rand(shape, generator=generator) - 1.0)
    return torch.stack(rows)


def gather_pool(
    classifier: Classifier, images: Tensor, logits: Tensor, seed: int, limit: int, batches: Batches
) -> StartPool:
    """The first `limit` images with their known logits (both on the CPU), flat images and noise images."""
    shape = images.shape[1:]
    flat = torch.stack([torch.full(shape, level) for level in FLAT_LEVELS])
    noise = torch.rand((NOISE_IMAGES, *shape), generator=make_generator(seed, b"noise images"))
    extra = torch.cat([flat, noise])
    passes = [found for _, found in batches.run(len(extra), lambda part: classify_on(classifier, extra[part]))]
    everything = torch.cat([images[:limit], extra])
    all_logits = torch.cat([logits[:limit], *passes])
    is_finite = all_logits.isfinite().all(1)
    return StartPool(everything[is_finite].to(classifier.device), predict(all_logits[is_finite]).to(classifier.device))


def classify_on(classifier: Classifier, images: Tensor) -> Tensor:
    """Logits on the CPU of images on the CPU."""
    return classifier.classify(images.to(classifier.device)).cpu()


def find_nearest(pool: StartPool, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest pool image (L2) that is taken for another class: images (B, C, H, W), and whether there is one (B,).

    A copy of the image itself is no start, also where a randomised network took it for another class.
    """
    gaps = torch.cdist(images.flatten(1), pool.images.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
    is_useless = (labels[:, None] == pool.predictions[None, :]) | (gaps == 0)
    gaps = gaps.masked_fill(is_useless, torch.inf)
    nearest = gaps.min(1)
    return pool.images[nearest.indices], nearest.values.isfinite()
