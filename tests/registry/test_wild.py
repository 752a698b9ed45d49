"""A file of every method, written as its description says, becomes a network that computes what the method's did."""

import argparse
import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import prune

from backend.errors import AmbiguousCheckpoint, MismatchedKeys, RejectedCheckpoint, UnsafeCheckpoint
from backend.registry.files import open_file
from backend.registry.formats import find_state
from backend.registry.rates import read_keep_rate
from backend.registry.scores import learned_rate, suggest_target
from models.architectures.builders import build_architecture
from tests.registry import oracles
from tests.registry.fabrication import add_rates, add_scores, find_scored, save, tag_cuda, with_prefix, write_as_python2
from tests.registry.oracles import Layers
from tests.registry.test_importing import draw_images, import_bytes, reload

COLOUR = {"shape": (32, 32, 3)}


def draw(channels: int = 1, side: int = 28) -> Tensor:
    """Noise and a ramp: random images alone look all the same to a random deep network."""
    ramp = torch.linspace(0, 1, side).expand(1, channels, side, side)
    return torch.cat([draw_images(channels, side)[:2], ramp])


def build_lively(name: str = "small-cnn", channels: int = 1, kept: float = 1.0) -> nn.Module:
    """A random network whose signals survive to its end when a share `kept` of each layer's weights stays."""
    torch.manual_seed(0)
    model = build_architecture(name, 10, channels).train()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model(torch.cat([draw(channels, 28 if name == "small-cnn" else 32)] * 2))
        for norm in norms:
            norm.running_var.mul_(kept)
    return model.eval()


@pytest.fixture
def network() -> nn.Module:
    return build_lively(kept=0.1)


def assert_computes(folder: Path, imported: dict[str, Any], images: Tensor, wanted: Tensor) -> None:
    """The kept file gives these logits, to a thousandth of how far they differ between images."""
    logits = reload(folder, imported)(images)
    spread = float(wanted.std(dim=0).max())
    assert spread > 1e-3, "a network that answers all images alike proves nothing"
    assert float((logits - wanted).abs().max()) < 1e-3 * spread + 1e-6


# --- endings, ages and devices ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("ending", [".pt", ".pth", ".pth.tar", ".tar", ".t7", ""])
@pytest.mark.parametrize("age", ["new", "legacy", "python2", "gpu", "legacy-gpu"])
def test_import_any_ending_age_and_device_is_read(tmp_path: Path, ending: str, age: str) -> None:
    is_legacy = age in ("legacy", "python2", "legacy-gpu")
    raw = save({"net": {"0.weight": torch.eye(4)}, "acc": 71.2, "epoch": 9}, legacy=is_legacy)
    change = {"python2": write_as_python2, "gpu": tag_cuda, "legacy-gpu": tag_cuda}
    path = tmp_path / f"model_best{ending}"
    path.write_bytes(change[age](raw) if age in change else raw)
    content, kind = open_file(path)
    assert kind == ("legacy" if is_legacy else "zip")
    assert torch.equal(find_state(content).tensors["0.weight"], torch.eye(4))


# --- architectures ---------------------------------------------------------------------------------------------------
ARCHITECTURES = {
    "resnet18": oracles.classify_resnet18,
    "resnet18-torchvision": lambda layers, images: oracles.classify_resnet18(layers, images, "downsample", "fc"),
    "resnet8": lambda layers, images: oracles.classify_resnet(layers, images, (3, 1)),
    "resnet20": lambda layers, images: oracles.classify_resnet(layers, images, (3, 3)),
    "preact-resnet18": oracles.classify_preact18,
    "preact-resnet18-bn": lambda layers, images: oracles.classify_preact18(layers, images, True),
    "vgg16-bn-hydra": lambda layers, images: oracles.classify_vgg16(layers, images, 4),
    "vgg16-bn": lambda layers, images: oracles.classify_vgg16(layers, images, 5),
    "vgg16-bn-bias-free": lambda layers, images: oracles.classify_vgg16(layers, images, 5),
    "wrn-28-4": oracles.classify_wide,
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_import_zeroed_weights_of_every_architecture_compute_as_their_figure(tmp_path: Path, name: str) -> None:
    """R-ADMM, PwoA and HYDRA's *_dense files: no extra keys, zeros in the weights."""
    state = build_lively(name, 3).state_dict()
    for tensor in state.values():
        if tensor.ndim > 1:
            tensor.mul_(tensor.abs() >= tensor.abs().median())
    imported = import_bytes(
        tmp_path, save({"state_dict": {f"module.{key}": value for key, value in state.items()}}), **COLOUR
    )
    images = draw(3, 32)
    assert imported["architecture"] == name and imported["warnings"] == []
    assert imported["measured_sparsity"] == pytest.approx(0.5, abs=0.01)
    assert_computes(tmp_path, imported, images, ARCHITECTURES[name](Layers(state), images))


# --- HYDRA -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rate", [0.1, 0.05, 1.0])
def test_import_hydra_masked_file_computes_with_its_scores(tmp_path: Path, network: nn.Module, rate: float) -> None:
    state = add_scores(network)
    raw = save({"epoch": 99, "arch": "small", "state_dict": {f"module.{key}": value for key, value in state.items()}})
    imported = import_bytes(tmp_path, raw, keep_rate=rate)
    wanted = oracles.classify_small(Layers(state, oracles.weigh_hydra(rate)), draw())
    assert_computes(tmp_path, imported, draw(), wanted)
    assert imported["measured_sparsity"] == pytest.approx(1 - rate, abs=1e-3)
    assert f"HYDRA's masks were applied to 4 layers with keep rate {rate:g}" in imported["warnings"][0]


def test_import_hydra_dead_block_of_a_wide_network_is_left_out_with_its_scores(tmp_path: Path) -> None:
    network = build_lively("wrn-28-4", 3)
    # Coarse scores would take the slow oracle's place: sorting six million floats in Python. Few layers carry any.
    state = dict(network.state_dict())
    scored = ["block1.layer.0.conv1", "block2.layer.0.convShortcut", "fc"]
    for start in scored:
        state[f"{start}.popup_scores"] = torch.randn(state[f"{start}.weight"].shape)
    dead = {
        f"sub_block1.{key.removeprefix('block1.')}": value for key, value in state.items() if key.startswith("block1.")
    }
    imported = import_bytes(tmp_path, save({"state_dict": state | dead}), keep_rate=0.3, **COLOUR)

    def weigh(state: oracles.State, start: str) -> Tensor:
        return oracles.weigh_hydra(0.3)(state, start) if start in scored else state[f"{start}.weight"]

    images = draw(3, 32)
    assert_computes(tmp_path, imported, images, oracles.classify_wide(Layers(state, weigh), images))
    assert imported["prunable"] == sum(value.numel() for key, value in network.state_dict().items() if value.ndim > 1)
    assert f"{len(dead)} tensors under 'sub_block1.'" in imported["warnings"][0]
    assert "applied to 3 layers" in imported["warnings"][1]
    assert "no scores for" in imported["warnings"][2] and "no mask was applied there" in imported["warnings"][2]


def test_find_state_scores_without_a_rate_are_a_question(network: nn.Module) -> None:
    with pytest.raises(AmbiguousCheckpoint, match="Send this share as keep_rate") as asked:
        find_state({"state_dict": add_scores(network)}, file_name="model_best_dense.pth.tar")
    assert asked.value.details == {"ask": "keep_rate", "suggestion": None, "marker": "popup_scores"}


def test_import_hydra_rate_in_the_name_is_used_and_said(tmp_path: Path, network: nn.Module) -> None:
    state = add_scores(network)
    imported = import_bytes(tmp_path, save(state), file_name="vgg_adv_k0.1.pth.tar")
    wanted = oracles.classify_small(Layers(state, oracles.weigh_hydra(0.1)), draw())
    assert_computes(tmp_path, imported, draw(), wanted)
    assert imported["warnings"][0] == "The keep rate 0.1 was read from the file's name, 'vgg_adv_k0.1.pth.tar'."


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("resnet18_k_0.01_finetune.pt", 0.01),
        ("k=0.1.pth", 0.1),
        ("cifar10-keep_rate-0.05.tar", 0.05),
        ("wrn_keep.5.t7", 0.5),
        ("resnet_sparsity95.pth", 0.05),
        ("sparsity_0.99_best.pt", 0.01),
        ("sparsity99.5.pt", 0.005),
        ("k1.0_dense.pt", 1.0),
        ("k0.1_sparsity90.pt", 0.1),
        # Nothing certain is said by these.
        ("model_best_dense.pth.tar", None),
        ("resnet18_0.05.pth", None),
        ("pruned95.pth", None),
        ("k0.1_sparsity95.pt", None),
        ("k_0.1_k_0.2.pt", None),
        ("top_k5.pt", None),
        ("network0.3.pt", None),
        ("bulk0.3.pt", None),
        ("k0.1.2.pt", None),
        ("k0.0.pt", None),
        ("", None),
        (None, None),
    ],
)
def test_read_keep_rate_only_what_a_name_says_plainly(name: str | None, rate: float | None) -> None:
    assert read_keep_rate(name) == rate


def test_find_state_equal_scores_at_the_cut_are_said() -> None:
    weight, scores = torch.arange(1.0, 5.0).view(1, 4), torch.tensor([[3.0, 1.0, 1.0, 2.0]])
    found = find_state({"a.weight": weight, "a.popup_scores": scores}, keep_rate=0.75)
    assert torch.equal(found.tensors["a.weight"], torch.tensor([[1.0, 0.0, 3.0, 4.0]]))
    assert "a: 2 scores are equal where its mask is cut" in found.warnings[0]


@pytest.mark.parametrize("scores", [torch.full((4,), torch.nan), torch.ones(4, dtype=torch.int64), torch.ones(3)])
def test_find_state_scores_that_rank_nothing_are_refused(scores: Tensor) -> None:
    with pytest.raises(RejectedCheckpoint, match=r"a\.popup_scores"):
        find_state({"a.weight": torch.ones(4), "a.popup_scores": scores}, keep_rate=0.5)


# --- HARP ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("target", [0.1, 0.01])
def test_import_harp_weight_scores_compute_with_learned_rates(
    tmp_path: Path, network: nn.Module, target: float
) -> None:
    state = add_rates(add_scores(network))
    imported = import_bytes(tmp_path, save({"state_dict": state}), keep_rate=target)
    wanted = oracles.classify_small(Layers(state, oracles.weigh_harp(target)), draw())
    assert_computes(tmp_path, imported, draw(), wanted)
    kept = [1 - layer["sparsity"] for layer in imported["layers"]]
    rates = [
        0.1 * target + (1 - 0.1 * target) * float(torch.sigmoid(state[f"{s}.k_score"])) for s in find_scored(network)
    ]
    assert kept == pytest.approx(rates, abs=2e-3) and max(rates) - min(rates) > 0.02


def test_import_harp_channel_scores_tie_shortcuts_to_the_first_convolution(tmp_path: Path) -> None:
    network = build_lively("resnet18", 3, 0.2)
    state = add_rates(add_scores(network, channels=True))
    raw = save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, legacy=True)
    imported = import_bytes(tmp_path, tag_cuda(raw), keep_rate=0.5, **COLOUR)
    tied = {f"layer{stage}.0.shortcut.0": f"layer{stage}.0.conv1" for stage in (2, 3, 4)}
    weigh = oracles.weigh_harp(0.5, lambda start: tied.get(start, start))
    images = draw(3, 32)
    assert_computes(tmp_path, imported, images, oracles.classify_resnet18(Layers(state, weigh), images))
    assert sum("HARP ties the two for channels" in sentence for sentence in imported["warnings"]) == 3
    assert (
        next(layer for layer in imported["layers"] if layer["name"] == "layer1.0.conv1.weight")["zeros"] % (64 * 9) == 0
    )


def test_find_state_harp_without_a_target_asks_and_says_what_would_fit(network: nn.Module) -> None:
    state = add_rates(add_scores(network))
    with pytest.raises(AmbiguousCheckpoint, match=r"HARP masked file.*target share") as asked:
        find_state({"state_dict": state})
    suggestion = asked.value.details["suggestion"]
    assert asked.value.details["ask"] == "keep_rate" and asked.value.details["marker"] == "k_score"
    # With the suggested target the layers keep just that share.
    sizes = {start: state[f"{start}.weight"].numel() for start in find_scored(network)}
    kept = sum(float(learned_rate(state[f"{start}.k_score"], suggestion)) * size for start, size in sizes.items())
    assert kept / sum(sizes.values()) == pytest.approx(suggestion, abs=1e-4)


def test_find_state_harp_rates_beyond_the_given_target_are_odd(network: nn.Module) -> None:
    state = add_rates(add_scores(network))
    starts = find_scored(network)
    fits = suggest_target(
        {f"{s}.": state[f"{s}.k_score"] for s in starts}, {f"{s}.": state[f"{s}.popup_scores"] for s in starts}, state
    )
    assert fits is not None and 0.05 < fits < 0.5
    assert not any("a different one" in sentence for sentence in find_state(dict(state), keep_rate=fits).warnings)
    assert any("a different one" in sentence for sentence in find_state(dict(state), keep_rate=fits / 2).warnings)


def test_import_harp_dense_file_is_taken_with_a_warning(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict())
    state |= {f"{start}.k_score": torch.tensor(-1.0) for start in find_scored(network)}
    imported = import_bytes(tmp_path, save({"state_dict": state}))
    assert_computes(tmp_path, imported, draw(), oracles.classify_small(Layers(state), draw()))
    assert "HARP wrote this file with one rate for all layers and evaluated another network" in imported["warnings"][0]


def test_find_state_harp_layer_with_only_half_of_it_is_refused(network: nn.Module) -> None:
    state = add_rates(add_scores(network))
    del state["conv2.k_score"]
    with pytest.raises(RejectedCheckpoint, match=r"1 layer has only one of popup_scores and k_score: conv2\."):
        find_state(state, keep_rate=0.1)


# --- masks and factors -----------------------------------------------------------------------------------------------
def test_import_torch_prune_computes_the_product(tmp_path: Path, network: nn.Module) -> None:
    pruned = copy.deepcopy(network)
    prune.ln_structured(pruned.conv2, "weight", amount=0.25, n=2, dim=0)
    for layer in (pruned.conv1, pruned.conv3, pruned.linear):
        prune.random_unstructured(layer, "weight", amount=0.5)
    state = pruned.state_dict()

    def weigh(state: oracles.State, start: str) -> Tensor:
        return oracles.weigh_pruned(state, start)

    imported = import_bytes(tmp_path, save({"model": with_prefix(pruned, "module.basic_model.")}))
    assert_computes(tmp_path, imported, draw(), oracles.classify_small(Layers(dict(state), weigh), draw()))
    assert imported["layers"][1]["zeros"] == 16 * 32 * 9


def test_import_twinrep_computes_weight_times_twin_times_mask(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict())
    for start in find_scored(network):
        weight = state[f"{start}.weight"]
        state[f"{start}.aux_weight"] = torch.rand_like(weight) + 0.5
        state[f"{start}.mask"] = (torch.rand_like(weight) < 0.3).float()
    imported = import_bytes(tmp_path, save({"net": state}))
    wanted = oracles.classify_small(Layers(state, oracles.weigh_twins), draw())
    assert_computes(tmp_path, imported, draw(), wanted)
    assert imported["measured_sparsity"] == pytest.approx(0.7, abs=0.01)
    del state["conv2.mask"]
    with pytest.raises(RejectedCheckpoint, match=r"'conv2\.aux_weight' is a TwinRep factor, but the mask"):
        find_state(state)


def test_import_mad_computes_with_softened_masks(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict())
    for start in find_scored(network):
        closed = torch.rand_like(state[f"{start}.weight"]) < 0.6
        state[f"{start}.mask_weight"] = torch.where(closed, -200.0, 0.5413)
    state["linear.mask_bias"] = torch.full((10,), 0.3)
    raw = save({"model": state, "args": argparse.Namespace(sparsity=0.6, arch="small")})
    imported = import_bytes(tmp_path, raw)
    softened = state | {"linear.bias": state["linear.bias"] * torch.log1p(torch.exp(state["linear.mask_bias"]))}
    wanted = oracles.classify_small(Layers(softened, oracles.weigh_softly), draw())
    assert_computes(tmp_path, imported, draw(), wanted)
    assert imported["measured_sparsity"] == pytest.approx(0.6, abs=0.01)
    assert "softplus" in imported["warnings"][0] and not any("close fully" in words for words in imported["warnings"])


def test_find_state_mad_masks_that_do_not_close_are_said() -> None:
    state = {"a.weight": torch.ones(4), "a.mask_weight": torch.tensor([0.0, 0.0, -20.0, -20.0])}
    found = find_state(state)
    assert torch.equal(found.tensors["a.weight"], functional.softplus(state["a.mask_weight"]))
    assert any(words.startswith("Thin Ice counts 2 weights below") for words in found.warnings)


def test_open_file_options_instead_of_weights_point_to_the_weights(tmp_path: Path) -> None:
    (tmp_path / "args.pkl").write_bytes(save(argparse.Namespace(lr=0.1)))
    with pytest.raises(UnsafeCheckpoint, match=r"options of a run \(argparse\.Namespace\).*the weights file"):
        open_file(tmp_path / "args.pkl")


def flyingbird(network: nn.Module) -> dict[str, Any]:
    """State with its normalisation inside, masks next to it."""
    state, masks = dict(network.state_dict()), {}
    for start in find_scored(network):
        masks[f"{start}.weight"] = (torch.rand_like(state[f"{start}.weight"]) < 0.4).float()
        state[f"{start}.weight"] = state[f"{start}.weight"] * masks[f"{start}.weight"]
    state |= {
        "normalize.mean": torch.tensor([0.4914, 0.4822, 0.4465]),
        "normalize.std": torch.tensor([0.2470, 0.2435, 0.2616]),
    }
    return {"state_dict": state, "mask_info": masks}


def test_import_flyingbird_keeps_its_normalisation(tmp_path: Path) -> None:
    torch.manual_seed(1)
    content = flyingbird(build_lively(channels=3))
    imported = import_bytes(tmp_path, save(content), shape=(28, 28, 3))
    images = draw(3)
    mean, std = (content["state_dict"][f"normalize.{name}"].view(1, 3, 1, 1) for name in ("mean", "std"))
    wanted = oracles.classify_small(Layers(content["state_dict"]), (images - mean) / std)
    assert_computes(tmp_path, imported, images, wanted)
    assert imported["normalization"] == "cifar10-flyingbird" and imported["warnings"] == []
    assert imported["measured_sparsity"] == pytest.approx(0.6, abs=0.01)


def test_find_state_flyingbird_masks_that_contradict_the_weights_are_refused(network: nn.Module) -> None:
    content = flyingbird(network)
    content["state_dict"]["conv2.weight"] = network.state_dict()["conv2.weight"]
    with pytest.raises(RejectedCheckpoint, match=r"'conv2\.weight' in mask_info removes weights that are not zero"):
        find_state(content)
    content["mask_info"] = {"module.conv1.weight": content["mask_info"]["conv1.weight"], "fc": 3}
    assert "ignored 1 entry of mask_info without a weight" in find_state(content).warnings[0]


# --- RobustBench -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(3,), (1, 3, 1, 1)], ids=str)
def test_import_robustbench_last_with_mu_and_sigma_inside(tmp_path: Path, shape: tuple[int, ...]) -> None:
    network = build_lively(channels=3)
    inside = {
        "mu": torch.tensor([0.4914, 0.4822, 0.4465]).view(shape),
        "sigma": torch.tensor([0.2471, 0.2435, 0.2616]).view(shape),
    }
    state = network.state_dict() | inside
    raw = save({"last": {f"module.{key}": value for key, value in state.items()}})
    imported = import_bytes(tmp_path, raw, shape=(28, 28, 3))
    images = draw(3)
    normalised = (images - inside["mu"].view(1, 3, 1, 1)) / inside["sigma"].view(1, 3, 1, 1)
    assert_computes(tmp_path, imported, images, oracles.classify_small(Layers(dict(state)), normalised))
    assert imported["normalization"] == "cifar10"


@pytest.mark.parametrize("key", ["conv1.mask", "conv1.popup_score", "conv1.weight_mask", "extra"])
def test_import_unknown_extra_key_is_refused_by_name(tmp_path: Path, network: nn.Module, key: str) -> None:
    state = dict(network.state_dict()) | {key: torch.ones(1)}
    with pytest.raises(MismatchedKeys, match=key.replace(".", r"\.")):
        import_bytes(tmp_path, save(state), architecture="small-cnn")
