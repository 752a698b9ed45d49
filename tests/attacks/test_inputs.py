"""Every mistake of a caller gets a sentence that says what was expected and what came."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from backend import attacks
from backend.attacks.catalogue import PRESETS, get_preset
from backend.attacks.inputs import CUDA_BATCH, LARGE_BATCH, SMALL_BATCH, check_eps, check_images, choose_batch_size
from backend.attacks.norms import get_norm
from backend.errors import InvalidRequest, UnknownName

IMAGES = torch.full((2, 1, 2, 2), 0.5)
LABELS = torch.tensor([0, 1])
NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))

MISTAKES = {
    "images-numpy": ({"images": IMAGES.numpy()}, "must be a torch tensor; got a ndarray"),
    "images-float64": ({"images": IMAGES.double()}, r"must be float32 in \[0, 1\]; got torch.float64"),
    "images-uint8": ({"images": (IMAGES * 255).to(torch.uint8)}, "Divide 8-bit pixels by 255"),
    "images-flat": ({"images": IMAGES.flatten(1)}, r"shape \(B, C, H, W\); got \(2, 4\)"),
    "images-none": ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"got \(0, 1, 2, 2\)"),
    "images-normalised": ({"images": IMAGES - 0.6}, r"they go from -0.1 to -0.1. Put the normalisation inside"),
    "images-above": ({"images": IMAGES + 0.501}, "they go from 1.001 to 1.001"),
    "images-nan": ({"images": IMAGES / 0 * 0}, "hold NaN or infinite pixels"),
    "labels-list": ({"labels": [0, 1]}, "labels must be a torch tensor; got a list"),
    "labels-float": ({"labels": LABELS.float()}, "whole numbers .int64.; got torch.float32"),
    "labels-bool": ({"labels": LABELS.bool()}, "whole numbers .int64.; got torch.bool"),
    "labels-too-few": ({"labels": LABELS[:1]}, r"one label per image, shape \(2,\); got \(1,\)"),
    "labels-one-hot": ({"labels": torch.eye(2).long()}, r"got \(2, 2\)"),
    "labels-beyond": (
        {"labels": torch.tensor([0, 3])},
        r"go from 0 to 3, but the network has 3 classes \(0 to 2\)",
    ),
    "labels-negative": ({"labels": torch.tensor([-1, 1])}, "go from -1 to 1"),
    "network-function": ({"network": lambda images: images}, "must be a torch.nn.Module; got a function"),
    "network-features": ({"network": nn.Identity()}, r"logits of shape \(2, classes\).*tensor of shape \(2, 1, 2, 2\)"),
    "network-one-class": ({"network": nn.Sequential(nn.Flatten(), nn.Linear(4, 1))}, "at least two classes"),
    "eps-missing": ({"preset": "autoattack"}, "The preset 'autoattack' needs an eps, for example 8/255"),
    "eps-words": ({"eps": "8/255"}, "eps must be a number; got '8/255'"),
    "eps-zero": ({"eps": 0.0}, "must be above 0"),
    "eps-nan": ({"eps": float("nan")}, "must be above 0 and at most 1"),
    "eps-levels": ({"preset": "autoattack", "eps": 8}, "8 of 255 levels are 8/255"),
    "eps-beyond-the-box": ({"eps": 2.1, "norm": "L2"}, "at most 2, the size of the whole box in L2"),
    "seed-negative": ({"seed": -1}, "seed must be a whole number from 0"),
    "seed-fraction": ({"seed": 0.5}, "seed must be a whole number from 0"),
    "batch-zero": ({"batch_size": 0}, "batch_size must be a whole number from 1; got 0"),
    "batch-true": ({"batch_size": True}, "batch_size must be a whole number from 1; got True"),
}


@pytest.mark.parametrize(("change", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_run_says_what_is_wrong(change: dict[str, Any], sentence: str) -> None:
    request = {"preset": "margin", "network": NETWORK, "images": IMAGES, "labels": LABELS} | change
    preset, network, images, labels = (request.pop(name) for name in ("preset", "network", "images", "labels"))
    with pytest.raises(InvalidRequest, match=sentence):
        attacks.run(preset, network, images, labels, **request)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"norm": "L0"}, r"no norm 'L0'. Known: L1, L2, Linf\."),
        ({"preset": "pgd"}, rf"no preset 'pgd'. Known: {', '.join(sorted(PRESETS))}\."),
    ],
    ids=["norm", "preset"],
)
def test_run_unknown_name_lists_what_exists(change: dict[str, Any], sentence: str) -> None:
    request = {"preset": "margin"} | change
    with pytest.raises(UnknownName, match=sentence):
        attacks.run(request.pop("preset"), NETWORK, IMAGES, LABELS, **request)


def test_run_out_of_box_carries_its_flag() -> None:
    with pytest.raises(InvalidRequest) as caught:
        attacks.run("margin", NETWORK, IMAGES * 3, LABELS)
    assert caught.value.details["flag"] == "out-of-box"


def test_check_images_copies() -> None:
    images = IMAGES.clone().requires_grad_()
    checked = check_images(images)
    checked.fill_(0.0)
    assert torch.equal(images, IMAGES)
    assert not checked.requires_grad


def test_run_takes_labels_of_any_whole_type_and_numbers_of_any_kind() -> None:
    first = attacks.run("margin", NETWORK, IMAGES, LABELS.to(torch.uint8), eps=np.float64(0.1))
    second = attacks.run("margin", NETWORK, IMAGES, LABELS)
    assert torch.equal(first.distance, second.distance)


@pytest.mark.parametrize(("preset", "expected"), [("margin", None), ("autoattack", 0.1)])
def test_check_eps_is_dropped_where_it_is_not_needed(preset: str, expected: float | None) -> None:
    assert check_eps(0.1, get_preset(preset), get_norm("Linf"), IMAGES) == expected


def test_choose_batch_size_follows_the_network_and_the_count() -> None:
    assert choose_batch_size(nn.Linear(4, 4), 1000) == SMALL_BATCH
    assert choose_batch_size(nn.Linear(1000, 1000), 1000) == LARGE_BATCH
    assert [choose_batch_size(nn.Linear(4, 4), count) for count in (1, 7, 60)] == [1, 4, 32]
    assert LARGE_BATCH < SMALL_BATCH < CUDA_BATCH
