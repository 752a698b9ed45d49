"""What the upload form sends, names and says of a file on its way."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from backend.schemas.checkpoints import CheckpointIn
from frontend.pages.upload.form import ROLES
from frontend.words import percent, size_words
from models.pruning.plans import CONTROL, SEED
from tests.frontend.assets.scripts import call, call_all

N = 1000


def write(**typed: Any) -> dict[str, str]:
    """The fields that are sent when these are typed."""
    sent = call("uploadForm.write", list(typed), list(typed.values()))
    assert len({name for name, _ in sent}) == len(sent)
    return dict(sent)


def draw_percents() -> list[float]:
    """Percent as people type it: up to six decimals."""
    generator = np.random.default_rng(0)
    drawn = zip(generator.uniform(0, 100, N).tolist(), generator.integers(0, 7, N).tolist(), strict=True)
    return [0.0, 100.0, 0.1, 99.9, *(round(value, digits) for value, digits in drawn)]


def test_as_share_is_the_hundredth_of_what_is_typed() -> None:
    typed = draw_percents()
    shares = call_all([("uploadForm.asShare", [value]) for value in typed])
    assert shares == [float(Decimal(repr(value)) / 100) for value in typed]
    assert call_all([("uploadForm.asShare", [str(value)]) for value in typed]) == shares


def test_as_percent_gives_back_what_was_typed_and_what_the_pages_show() -> None:
    typed = draw_percents()
    shares = call_all([("uploadForm.asShare", [value]) for value in typed])
    assert call_all([("uploadForm.asPercent", [share]) for share in shares]) == typed
    shown = [percent(share, digits=6, unit=False) for share in shares]
    assert [float(text) for text in shown] == typed


def test_write_turns_percent_into_shares_that_rest_takes() -> None:
    sent = write(name=" mine ", role="pruned", declared_sparsity=95.5, keep_rate="4.5", claimed_robust_accuracy=40)
    assert sent == {
        "name": "mine",
        "role": "pruned",
        "declared_sparsity": "0.955",
        "keep_rate": "0.045",
        "claimed_robust_accuracy": "0.4",
    }
    fields = CheckpointIn.model_validate(sent | {"dataset_id": "0199a0a0-0000-7000-8000-000000000000"})
    assert (fields.declared_sparsity, fields.keep_rate, fields.claimed_robust_accuracy) == (0.955, 0.045, 0.4)


def test_write_leaves_out_what_is_empty_but_not_zero() -> None:
    assert write(role="pruned", name="", method=None, declared_sparsity=0) == {
        "role": "pruned",
        "declared_sparsity": "0",
    }


@pytest.mark.parametrize(
    ("role", "sent"),
    [
        ("dense", {"role": "dense"}),
        ("pruned", {"role": "pruned", "parent_id": "p", "method": "hydra", "declared_sparsity": "0.9"}),
        (CONTROL, {"role": "dense", "parent_id": "p", "method": CONTROL}),
        (SEED, {"role": "dense", "method": SEED}),
    ],
)
def test_write_sends_only_what_fits_the_role(role: str, sent: dict[str, str]) -> None:
    assert write(role=role, parent_id="p", method="hydra", declared_sparsity=90) == sent


def test_describe_role_hides_what_write_leaves_out() -> None:
    for role in ROLES:
        hint, *hidden = call("uploadForm.describeRole", role)
        sent = write(role=role, parent_id="p", method="hydra", declared_sparsity=90)
        is_sent = ["parent_id" in sent, sent.get("method") == "hydra", "declared_sparsity" in sent]
        assert hint and hidden == [not sent_one for sent_one in is_sent]


@pytest.mark.parametrize(
    ("filename", "name"),
    [("my-net.pth.tar", "my-net"), ("a.b.PT", "a.b"), ("weights", "weights"), ("x" * 200 + ".pt", "x" * 120)],
)
def test_name_of_a_file_is_without_its_endings(filename: str, name: str) -> None:
    assert call("uploadForm.nameOf", filename) == name


def test_choose_parent_offers_those_of_the_data_set_and_keeps_the_chosen_one() -> None:
    rows = [{"value": f"{name}", "label": f"net {name}", "dataset": name[0]} for name in ("a1", "a2", "b1")]
    cases = [
        ("a", None, 2, None),
        ("a", "a2", 2, "a2"),
        ("a", "b1", 2, None),
        ("b", "a1", 1, "b1"),
        ("c", "a1", 0, None),
    ]
    answers = call_all([("uploadForm.chooseParent", [dataset, rows, current]) for dataset, current, _, _ in cases])
    assert [(len(choices), chosen) for choices, chosen in answers] == [(count, chosen) for *_, count, chosen in cases]
    assert answers[3][0] == [{"value": "b1", "label": "net b1"}]


def test_progress_says_how_much_has_arrived_and_how_fast() -> None:
    generator = np.random.default_rng(3)
    cases = [
        (min(loaded, size), size, seconds)
        for loaded, size, seconds in zip(
            generator.integers(0, 10**9, N).tolist(),
            generator.integers(1, 10**9, N).tolist(),
            generator.uniform(0, 30, N).tolist(),
            strict=True,
        )
    ]
    for (loaded, size, seconds), now in zip(
        cases, call_all([("uploadForm.progress", case) for case in cases]), strict=True
    ):
        speed = f", {size_words(loaded / seconds)}/s" if seconds > 0.5 else ""
        assert now == {
            "width": percent(loaded / size, digits=1, unit=False) + "%",
            "percent": math.floor(100 * (loaded / size)),
            "words": f"{size_words(loaded)} of {size_words(size)}{speed}",
        }


def test_progress_beyond_the_size_and_of_an_empty_file_is_whole() -> None:
    beyond, empty = call_all([("uploadForm.progress", [120, 100, 0]), ("uploadForm.progress", [0, 0, 0])])
    assert beyond == {"width": "100.0%", "percent": 100, "words": "100 Bytes of 100 Bytes"}
    assert (empty["width"], empty["percent"]) == ("100.0%", 100)


PARENTS = [
    {"value": "a", "label": "cnn", "name": "cnn", "dataset": "d", "samples": {"margin": 300}},
    {"value": "b", "label": "net", "name": "net", "dataset": "d", "samples": {}},
]


@pytest.mark.parametrize(
    ("parent", "preset", "role", "expected"),
    [
        ("a", "margin", "pruned", [300, "from row 0 on, as many as cnn has"]),
        ("a", "margin", "control", [300, "from row 0 on, as many as cnn has"]),
        ("a", "fast", "pruned", [500, "from row 0 on"]),
        ("a", "margin", "dense", [500, "from row 0 on"]),
        ("a", "margin", "seed", [500, "from row 0 on"]),
        ("b", "margin", "pruned", [500, "from row 0 on"]),
        (None, "margin", "pruned", [500, "from row 0 on"]),
        ("a", None, "pruned", [500, "from row 0 on"]),
    ],
)
def test_suggest_samples_are_those_of_the_parent(
    parent: str | None, preset: str | None, role: str, expected: list[Any]
) -> None:
    assert call("uploadForm.suggestSamples", parent, preset, role, PARENTS) == expected


def test_describe_preview_names_the_parent_where_the_weights_do() -> None:
    likely = {"checkpoint_id": "a", "name": "cnn", "correlation": 0.881}
    found = {"architecture": "small-cnn", "parameters": 9, "measured_sparsity": 0.95, "likely_parent": likely}
    said = call("uploadForm.describePreview", found)
    assert said == "95.00 % zeros; made from cnn, by its weights (correlation 0.88)"
    nothing = call("uploadForm.describePreview", found | {"likely_parent": None})
    assert nothing == "95.00 % zeros; no checkpoint here is its parent by its weights"


def test_write_sends_samples_only_with_an_evaluation() -> None:
    assert write(evaluate="margin", evaluate_samples=300) == {"evaluate": "margin", "evaluate_samples": "300"}
    assert write(evaluate=None, evaluate_samples=300) == {}
