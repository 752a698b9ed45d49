"""Cards are read parents first, and a card that does not fit its weights stops the start by name."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from backend.errors import StartupFailed
from backend.registry.cards import find_zoo, read_cards


def write_card(folder: Path, name: str, /, **changes: Any) -> None:
    weights = f"weights of {name}".encode()
    (folder / f"{name}.safetensors").write_bytes(weights)
    card = {
        "name": name,
        "architecture": "small-cnn",
        "dataset": "fashion-mnist-test",
        "role": "dense",
        "sha256": hashlib.sha256(weights).hexdigest(),
        **changes,
    }
    (folder / f"{name}.json").write_text(json.dumps(card))


def test_read_cards_parents_stand_before_their_children(tmp_path: Path) -> None:
    write_card(tmp_path, "a-grandchild", parent="b-child", role="pruned", method="lwm")
    write_card(tmp_path, "b-child", parent="c-root", structure={"kind": "weight", "rate": 0.9})
    write_card(tmp_path, "c-root", seed=3, recipe={"epochs": 10})
    cards = read_cards(tmp_path)
    assert [card.name for card in cards] == ["c-root", "b-child", "a-grandchild"]
    assert cards[0].path == tmp_path / "c-root.safetensors" and cards[0].recipe == {"epochs": 10}
    assert cards[1].structure is not None and cards[1].structure.rate == 0.9


def test_read_cards_further_fields_are_kept(tmp_path: Path) -> None:
    write_card(tmp_path, "a", torch_version="2.13.0")
    (card,) = read_cards(tmp_path)
    assert card.model_extra == {"torch_version": "2.13.0"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, r"weights file a\.safetensors is not the one"),
        ({"role": "sparse"}, r"card a\.json is not valid"),
        ({"measured_sparsity": 1.5}, r"card a\.json is not valid"),
        ({"method": "magic"}, r"card a\.json is not valid"),
        ({"name": "b"}, "has another name than its file: 'b'"),
        ({"parent": "gone"}, "names the parent 'gone', which has no card"),
        ({"parent": "a"}, "each other's parents"),
    ],
)
def test_read_cards_card_that_cannot_be_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    write_card(tmp_path, "a", **changes)
    with pytest.raises(StartupFailed, match=words):
        read_cards(tmp_path)


def test_read_cards_missing_weights_are_named(tmp_path: Path) -> None:
    write_card(tmp_path, "a")
    (tmp_path / "a.safetensors").unlink()
    with pytest.raises(StartupFailed, match=r"card a\.json has no weights file"):
        read_cards(tmp_path)


def test_read_cards_broken_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(StartupFailed, match=r"card a\.json is not valid"):
        read_cards(tmp_path)


def test_read_cards_shipped_ones_are_sound() -> None:
    assert find_zoo().is_dir()
    assert len(read_cards()) == len(list(find_zoo().glob("*.json")))
