"""One sample: its row, attempts, images and the signed perturbation, read back from a real shard."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.errors import InvalidRequest, NotFound
from backend.schemas.evaluations import EvaluationOut
from backend.services import samples
from backend.services.shared import pixels
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure, queue

FOUND, MISSED, WRONG = 30, 31, 32


def evaluate_with_adversarials(folder: Path, norm: str = "Linf") -> tuple[EvaluationOut, dict[int, np.ndarray]]:
    """60 samples: all have an adversarial but MISSED (not found) and WRONG (already wrong)."""
    dataset = add_dataset(folder, "digits")
    images, labels = make_pixels(60)
    measured = measure(labels, 1, wrong=0.0, missing=0.0)
    measured.margin[MISSED] = np.inf
    measured.margin[WRONG], measured.predictions[WRONG] = 0.0, (labels[WRONG] + 1) % 4
    generator = np.random.default_rng(3)
    for row in set(range(60)) - {MISSED, WRONG}:
        signs = generator.choice([-1.0, 0.0, 1.0], size=(1, 6, 6)).astype(np.float32)
        clean = images[row].transpose(2, 0, 1).astype(np.float32) / np.float32(255)
        measured.adversarials[row] = np.clip(clean + np.float32(0.05) * signs, 0, 1)
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured, norm=norm)
    return done, measured.adversarials


def read_png(content: bytes) -> tuple[np.ndarray, dict[str, str]]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image), dict(image.text)


def test_images_come_back_as_they_were_stored(ready: Path, tmp_path: Path) -> None:
    done, stored = evaluate_with_adversarials(tmp_path)
    clean_pixels, _ = make_pixels(60)
    for row in (0, FOUND, 59):
        found = samples.images(done.id, row)
        assert found["adversarial"] is not None
        assert found["clean"].dtype == found["adversarial"].dtype == np.float32
        assert np.array_equal(found["adversarial"], stored[row].transpose(1, 2, 0))
        assert np.array_equal(np.rint(found["clean"] * 255).astype(np.uint8), clean_pixels[row])
        assert (found["eps"], found["norm"]) == (pytest.approx(0.1), "Linf")
    assert samples.images(done.id, MISSED)["adversarial"] is None


def test_adversarial_npy_is_what_the_network_takes(ready: Path, tmp_path: Path) -> None:
    done, stored = evaluate_with_adversarials(tmp_path)
    loaded = np.load(io.BytesIO(samples.adversarial_npy(done.id, FOUND)), allow_pickle=False)
    assert loaded.dtype == np.float32 and np.array_equal(loaded, stored[FOUND])


def test_adversarial_png_is_rounded_to_8_bits(ready: Path, tmp_path: Path) -> None:
    done, stored = evaluate_with_adversarials(tmp_path)
    shown, texts = read_png(samples.adversarial_png(done.id, FOUND))
    assert np.array_equal(shown, np.rint(stored[FOUND][0] * 255).astype(np.uint8))
    assert "8 bits" in texts["Description"]


def test_perturbation_png_is_locked_to_eps_and_says_so(ready: Path, tmp_path: Path) -> None:
    done, stored = evaluate_with_adversarials(tmp_path)
    shown, texts = read_png(samples.perturbation_png(done.id, FOUND))
    row = samples.side(done.id, FOUND).row
    assert row.margin is not None
    assert float(texts["Limit"]) == max(0.1, row.margin)
    found = samples.images(done.id, FOUND)
    change = (stored[FOUND].transpose(1, 2, 0) - found["clean"])[:, :, 0]
    red, green, blue = (shown[:, :, channel].astype(int) for channel in range(3))
    assert np.all(red[change > 0.01] > blue[change > 0.01])
    assert np.all(blue[change < -0.01] > red[change < -0.01])
    assert np.all(shown[change == 0] == 255)
    assert np.all(green[change != 0] < 255)


def test_perturbation_png_given_limit_is_used(ready: Path, tmp_path: Path) -> None:
    done, _ = evaluate_with_adversarials(tmp_path)
    pale, texts = read_png(samples.perturbation_png(done.id, FOUND, limit=1.0))
    strong, _ = read_png(samples.perturbation_png(done.id, FOUND, limit=0.05))
    assert float(texts["Limit"]) == 1.0
    assert pale.astype(int).sum() > strong.astype(int).sum()
    with pytest.raises(InvalidRequest):
        samples.perturbation_png(done.id, FOUND, limit=0.0)


def test_perturbation_png_l2_is_locked_to_the_largest_change(ready: Path, tmp_path: Path) -> None:
    done, stored = evaluate_with_adversarials(tmp_path, norm="L2")
    _, texts = read_png(samples.perturbation_png(done.id, FOUND))
    clean = samples.images(done.id, FOUND)["clean"]
    assert float(texts["Limit"]) == pytest.approx(np.abs(stored[FOUND].transpose(1, 2, 0) - clean).max())


@pytest.mark.parametrize(("row", "words"), [(MISSED, "none was found"), (WRONG, "already classified wrong")])
def test_adversarial_that_is_not_there_says_why(ready: Path, tmp_path: Path, row: int, words: str) -> None:
    done, _ = evaluate_with_adversarials(tmp_path)
    for read in (samples.adversarial_png, samples.adversarial_npy, samples.perturbation_png):
        with pytest.raises(NotFound, match=words) as refused:
            read(done.id, row)
        assert refused.value.code == "not_found"


def test_side_holds_row_and_attempts(ready: Path, tmp_path: Path) -> None:
    done, _ = evaluate_with_adversarials(tmp_path)
    side = samples.side(done.id, FOUND)
    assert (side.checkpoint_name, side.has_adversarial, side.row.index) == ("net", True, FOUND)
    assert side.attempts == [
        {
            "attack": "fmn-untargeted",
            "series": 0,
            "source": None,
            "found": True,
            "distance": side.row.margin,
            "kind": "minimum",
        }
    ]
    missed = samples.side(done.id, MISSED)
    assert (missed.has_adversarial, missed.row.margin, missed.row.found) == (False, None, False)
    assert missed.attempts[0]["found"] is False and missed.attempts[0]["distance"] is None


def test_side_of_a_sample_that_is_not_done_is_not_found(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    waiting = queue(add_checkpoint(dataset.id, "net"), dataset)
    with pytest.raises(NotFound, match="0 of 60 done"):
        samples.side(waiting.id, 0)


def test_colour_signed_three_channels_show_the_strongest() -> None:
    change = np.zeros((1, 3, 3), dtype=np.float32)
    change[0, 0] = (0.1, -0.2, 0.0)
    change[0, 1] = (0.3, -0.2, 0.0)
    red, green, blue = pixels.colour_signed(change, 0.3)[0].astype(int).T
    assert blue[0] > red[0] and red[1] > blue[1]
    assert (red[2], green[2], blue[2]) == (255, 255, 255)
