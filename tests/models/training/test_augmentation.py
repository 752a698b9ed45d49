"""Crops and flips: every result is a shifted or mirrored original on black."""

import torch

from models.training.augmentation import crop_and_flip


def test_crops_are_shifted_or_mirrored_originals_on_black() -> None:
    image = torch.arange(1.0, 1 + 3 * 6 * 5).reshape(3, 6, 5)
    framed = torch.zeros(3, 14, 13)
    framed[:, 4:10, 4:9] = image
    possible = {}
    for top in range(9):
        for left in range(9):
            part = framed[:, top : top + 6, left : left + 5]
            possible[tuple(part.flatten().tolist())] = (top, left, False)
            possible[tuple(part.flip(2).flatten().tolist())] = (top, left, True)
    crops = crop_and_flip(image.expand(400, 3, 6, 5), torch.Generator().manual_seed(0))
    assert crops.shape == (400, 3, 6, 5)
    seen = {possible[tuple(crop.flatten().tolist())] for crop in crops}
    assert len(seen) > 100
    assert {mirrored for *_, mirrored in seen} == {True, False}


def test_crops_with_the_same_seed_repeat() -> None:
    images = torch.rand(5, 1, 8, 8)
    first, again = (crop_and_flip(images, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, images)
