"""True parents are told from other training runs, on the shipped networks and on made-up ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from backend.registry.cards import find_zoo
from backend.registry.descent import compare_norms, compare_states, decide
from backend.registry.inspection import InspectedNetwork, inspect_all, inspect_weights
from backend.settings import Settings

PRUNABLE = ["conv1.weight", "conv2.weight", "conv3.weight", "linear.weight"]
State = dict[str, np.ndarray[Any, Any]]


def read(name: str) -> State:
    return load_file(find_zoo() / f"{name}.safetensors")


def zoo(prefix: str) -> list[str]:
    return sorted(path.stem for path in find_zoo().glob(f"{prefix}*.safetensors"))


def answer(child: State, parent: State) -> str:
    found = compare_states(child, parent, PRUNABLE)
    assert found is not None
    return found.answer


def prune(state: State, share: float, order: State | None = None) -> State:
    """The smallest weights zeroed in every layer, in the order of another state's if one is given."""
    pruned = dict(state)
    for name in PRUNABLE:
        size = np.abs((order or state)[name].astype(np.float32))
        pruned[name] = np.where(size <= np.quantile(size, share), 0, state[name]).astype(np.float32)
    return pruned


def change(state: State, amount: float, seed: int = 0) -> State:
    """Noise on every surviving weight, in standard deviations of its layer."""
    generator, moved = np.random.default_rng(seed), dict(state)
    for name in PRUNABLE:
        kept = state[name] != 0
        noise = generator.normal(size=state[name].shape) * amount * state[name][kept].std()
        moved[name] = (state[name] + noise * kept).astype(np.float32)
    return moved


@pytest.mark.parametrize("name", ["cnn-control", *zoo("cnn-lwm")])
def test_compare_states_shipped_child_is_one(name: str) -> None:
    assert answer(read(name), read("cnn-dense")) == "yes"


@pytest.mark.parametrize("name", ["cnn-dense", "cnn-control", *zoo("cnn-lwm")])
def test_compare_states_other_seed_is_no_parent(name: str) -> None:
    assert answer(read(name), read("cnn-dense-seed1")) == "no"


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_compare_states_pruned_and_moved_is_a_child(share: float, amount: float) -> None:
    dense = read("cnn-dense")
    found = compare_states(change(prune(dense, share), amount), dense, PRUNABLE)
    assert found is not None and found.answer == "yes" and found.revived == 0
    assert found.changed == pytest.approx(1.0 if amount else 0.0, abs=0.01)
    assert found.relative_change == pytest.approx(amount, abs=0.1 + 0.3 * amount)
    assert found.mask_agreement == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_compare_states_weights_drawn_anew_under_the_parents_mask_cannot_be_told(share: float) -> None:
    """As HYDRA's or HARP's masks with the survivors re-initialised: the mask knows the parent, the weights do not."""
    dense = read("cnn-dense")
    fresh = {name: np.random.default_rng(5).normal(size=value.shape) for name, value in dense.items()}
    found = compare_states(prune(fresh, share, dense), dense, PRUNABLE)
    assert found is not None and found.answer == "cannot tell"
    assert found.mask_agreement is not None and found.mask_agreement > 0.99


def test_compare_states_two_runs_from_one_start_cannot_be_told() -> None:
    """Half of what the weights are is the common start."""
    start = read("cnn-dense")
    assert answer(change(start, 1.0, seed=1), change(start, 1.0, seed=2)) == "cannot tell"


def test_compare_states_counts_what_was_changed_and_revived() -> None:
    parent = {"a.weight": np.arange(1, 401, dtype=np.float32).reshape(20, 20)}
    parent["a.weight"][0] = 0
    child = {"a.weight": parent["a.weight"].copy()}
    child["a.weight"][1:3] = 0
    child["a.weight"][0, :5] = 1
    child["a.weight"][19] += 1
    found = compare_states(child, parent, ["a.weight"])
    assert found is not None
    assert (found.survivors, found.revived, found.layers[0].changed) == (345, 5, 25)
    assert found.changed == pytest.approx(25 / 345)


def test_compare_states_nothing_in_common_is_none() -> None:
    one, other = {"a": np.ones((2, 2))}, {"a": np.ones((3, 2)), "b": np.ones((2, 2))}
    assert compare_states(one, other, ["a"]) is None
    assert compare_states({"a": np.zeros((2, 2))}, one, ["a"]) is None


@pytest.mark.parametrize(
    ("correlation", "agreement", "survivors", "wanted"),
    [
        (0.9, None, 1000, "yes"),
        (0.9, 0.5, 1000, "yes"),
        (0.5, 0.9, 1000, "yes"),
        (0.5, None, 1000, "cannot tell"),
        (0.5, 0.65, 1000, "cannot tell"),
        (0.05, 0.99, 1000, "cannot tell"),
        (0.05, 0.52, 1000, "no"),
        (-0.1, None, 1000, "no"),
        (0.3, None, 1000, "cannot tell"),
        (0.9, 0.9, 100, "cannot tell"),
        (None, None, 1000, "cannot tell"),
    ],
)
def test_decide_between_yes_and_no_cannot_tell(
    correlation: float | None, agreement: float | None, survivors: int, wanted: str
) -> None:
    assert decide(correlation, agreement, survivors) == wanted


def test_compare_norms_measures_in_the_parents_deviations() -> None:
    parent = {"bn.running_mean": np.zeros(4), "bn.running_var": np.full(4, 4.0)}
    parent |= {"bn.weight": np.ones(4), "bn.bias": np.zeros(4)}
    same = compare_norms(dict(parent), parent)[0]
    assert same.is_unchanged and (same.mean_shift, same.variance_factor, same.affine_change) == (0, 1, 0)
    moved = {**parent, "bn.running_mean": np.full(4, -1.0), "bn.running_var": np.array([8.0, 8, 2, 2])}
    moved["bn.weight"] = np.full(4, 1.5)
    (found,) = compare_norms(moved, parent)
    assert found.name == "bn" and not found.is_unchanged
    assert (found.mean_shift, found.variance_factor, found.affine_change) == pytest.approx((0.5, 2.0, 0.5), abs=1e-4)


def test_inspect_all_in_a_child_gives_the_same(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"nothing")
    child, dense = find_zoo() / "cnn-lwm-90.safetensors", find_zoo() / "cnn-dense.safetensors"
    settings = Settings(home=tmp_path / "home")
    subject = InspectedNetwork(child, PRUNABLE, [dense, tmp_path / "broken", tmp_path / "gone"])
    found, *unreadable = inspect_all(
        [
            subject,
            InspectedNetwork(tmp_path / "broken", PRUNABLE),
            InspectedNetwork(child, ["bn1.weight"]),
            InspectedNetwork(child, ["nothing"]),
        ],
        settings=settings,
    )
    assert found is not None and unreadable == [None, None, None]
    here = inspect_weights(child, PRUNABLE, subject.parents)
    assert found.structure == here.structure and here.descents[0] is not None
    assert found.structure.kind == "weight" and found.descents[1:] == [None, None]
    assert found.descents[0] is not None and found.descents[0].answer == "yes"
    assert found.descents[0].correlation == pytest.approx(here.descents[0].correlation)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e38])
def test_inspect_weights_extreme_values_are_no_crash(tmp_path: Path, value: float) -> None:
    """Imports refuse NaN and infinity, and nothing else."""
    weight = np.full((4, 4), value, dtype=np.float32)
    norm = {"bn.running_mean": weight[0].copy(), "bn.running_var": -weight[0]}
    save_file({"a": weight, **norm}, tmp_path / "x")
    found = inspect_weights(tmp_path / "x", ["a"], [tmp_path / "x"])
    assert [one and one.answer for one in found.descents] == [None if value == 0 else "cannot tell"]
