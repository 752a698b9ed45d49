"""Pixels as PNG: images, and signed perturbations in red and blue."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from backend.errors import InvalidRequest

MAX_SCALE = 32

# Ends of the signed scale; blue for darker, red for brighter, both distinct for colour-blind eyes.
BLUE = np.array([5, 48, 97], dtype=np.float64)
RED = np.array([103, 0, 31], dtype=np.float64)
LIGHT_BLUE = np.array([67, 147, 195], dtype=np.float64)
LIGHT_RED = np.array([214, 96, 77], dtype=np.float64)
WHITE = np.array([255, 255, 255], dtype=np.float64)


def encode_png(pixels: NDArray[np.uint8], scale: int = 1, texts: dict[str, str] | None = None) -> bytes:
    """A PNG of uint8 (H, W, C), C 1 or 3; every pixel `scale` x `scale` times; `texts` become tEXt chunks."""
    if not 1 <= scale <= MAX_SCALE:
        raise InvalidRequest(f"scale must be within 1..{MAX_SCALE}; got {scale}.", scale=scale)
    enlarged = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    image = Image.fromarray(enlarged[:, :, 0] if enlarged.shape[2] == 1 else enlarged)
    info = PngInfo()
    for name, text in (texts or {}).items():
        info.add_text(name, text)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def to_bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """float32 (H, W, C) in [0, 1] as uint8, rounded to the nearest."""
    return np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)


def colour_signed(change: NDArray[np.float32], limit: float) -> NDArray[np.uint8]:
    """A signed change as colour, uint8 (H, W, 3): white for 0, blue down to -limit, red up to +limit.

    Args:
        change: float32 (H, W, C); with three channels each pixel shows the channel that changes most.
        limit: > 0, in pixels of [0, 1]; larger changes show as the ends.
    """
    strongest = np.abs(change).argmax(axis=2)[:, :, np.newaxis]
    signed = np.take_along_axis(change, strongest, axis=2)[:, :, 0].astype(np.float64)
    strength = np.clip(signed / limit, -1.0, 1.0)
    stops = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    colours = np.stack([BLUE, LIGHT_BLUE, WHITE, LIGHT_RED, RED])
    channels = [np.interp(strength, stops, colours[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=2)).astype(np.uint8)
