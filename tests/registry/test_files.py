"""Files are opened without running anything in them, and whatever is wrong has a name."""

import argparse
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors
from torch import nn

from backend.errors import RejectedCheckpoint, UnreadableCheckpoint, UnsafeCheckpoint
from backend.registry.files import check_tensors, open_file
from backend.registry.formats import find_state
from tests.registry.fabrication import Evil, Plain, replace_in_pickle, rewrite_zip, save, tag_cuda

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


def open_bytes(folder: Path, content: bytes) -> Any:
    path = folder / "file"
    path.write_bytes(content)
    return open_file(path)[0]


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("cuda", [False, True], ids=["cpu", "cuda"])
def test_open_file_torch_formats_give_the_same_tensors(tmp_path: Path, legacy: bool, cuda: bool) -> None:
    raw = save(STATE, legacy=legacy)
    content = open_bytes(tmp_path, tag_cuda(raw) if cuda else raw)
    assert list(content) == list(STATE)
    assert all(torch.equal(content[name], STATE[name]) and content[name].device.type == "cpu" for name in STATE)


def test_open_file_safetensors_gives_the_same_tensors(tmp_path: Path) -> None:
    content = open_bytes(tmp_path, save_safetensors(STATE))
    assert all(torch.equal(content[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_open_file_numpy_scalars_and_options_are_taken(tmp_path: Path, legacy: bool) -> None:
    additional = {"acc": np.float64(0.5), "best": np.float32(0.25), "args": argparse.Namespace(lr=0.1, n=np.int64(3))}
    content = open_bytes(tmp_path, save({"state_dict": STATE, **additional}, legacy=legacy))
    assert content["acc"] == 0.5 and content["args"].lr == 0.1 and content["args"].n == 3


def test_open_file_numpy_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeCheckpoint, match="_reconstruct"):
        open_bytes(tmp_path, save({"state_dict": STATE, "mean": np.zeros(3)}))


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_open_file_pickled_command_is_refused_and_not_run(tmp_path: Path, legacy: bool) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(UnsafeCheckpoint, match=r"would run (posix|nt)\.system.*torch\.save\(model\.state_dict"):
        open_bytes(tmp_path, save({**STATE, "x": Evil(marker)}, legacy=legacy))
    assert not marker.exists()


def test_open_file_pickled_command_as_root_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(UnsafeCheckpoint, match="system"):
        open_bytes(tmp_path, save(Evil(marker)))
    assert not marker.exists()


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_open_file_whole_module_is_refused_with_the_way_out(tmp_path: Path, legacy: bool) -> None:
    with pytest.raises(
        UnsafeCheckpoint, match=r"whole pickled object \(tests\.registry\.fabrication\.Plain\).*save its weights"
    ):
        open_bytes(tmp_path, save(Plain(), legacy=legacy))


def test_open_file_module_inside_a_dictionary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeCheckpoint, match=r"fabrication\.Plain"):
        open_bytes(tmp_path, save({"model": Plain(), "epoch": 3}))


def test_open_file_torchscript_is_refused(tmp_path: Path) -> None:
    raw = rewrite_zip(save(STATE), further={"archive/code/__torch__.py": b"", "archive/constants.pkl": b"\x80\x02)."})
    with pytest.raises(UnsafeCheckpoint, match="TorchScript"):
        open_bytes(tmp_path, raw)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_open_file_real_torchscript_is_refused(tmp_path: Path) -> None:
    traced = torch.jit.trace(nn.Linear(3, 2), torch.zeros(1, 3))
    torch.jit.save(traced, tmp_path / "file")
    with pytest.raises(UnsafeCheckpoint, match=r"TorchScript|compressed"):
        open_file(tmp_path / "file")


def test_open_file_compressed_zip_is_refused(tmp_path: Path) -> None:
    raw = rewrite_zip(save({"weight": torch.zeros(1_000_000)}), compression=zipfile.ZIP_DEFLATED)
    assert len(raw) < 20_000
    with pytest.raises(UnsafeCheckpoint, match="compressed"):
        open_bytes(tmp_path, raw)


@pytest.mark.parametrize("name", ["archive/../../etc/x", "/etc/x", "archive\\..\\x", "C:/x"])
def test_open_file_entry_that_leaves_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeCheckpoint, match="points outside"):
        open_bytes(tmp_path, rewrite_zip(save(STATE), further={name: b"x"}))


def test_open_file_two_entries_of_one_name_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        raw = rewrite_zip(save(STATE), further={"archive/data.pkl": b"\x80\x02}."})
    with pytest.raises(UnsafeCheckpoint, match="two entries with the same name"):
        open_bytes(tmp_path, raw)


def test_open_file_storage_that_declares_more_than_its_entry_is_refused(tmp_path: Path) -> None:
    raw = replace_in_pickle(save({"w": torch.zeros(4)}), b"K\x04tq\x07Q", b"J\xff\xff\xff\x7ftq\x07Q")
    with pytest.raises(UnsafeCheckpoint, match=r"declares 8,589,934,588 bytes, but the file holds only 16") as caught:
        open_bytes(tmp_path, raw)
    assert caught.value.details["present_bytes"] == 16


def test_open_file_legacy_storage_that_declares_more_than_the_file_is_refused(tmp_path: Path) -> None:
    raw = save({"w": torch.zeros(4)}, legacy=True)
    old = b"K\x04Ntq\x07Q"
    assert old in raw
    with pytest.raises(UnsafeCheckpoint, match="declare 8,589,934,588 bytes together"):
        open_bytes(tmp_path, raw.replace(old, b"J\xff\xff\xff\x7fNtq\x07Q"))


def test_check_tensors_expanded_tensor_is_refused(tmp_path: Path) -> None:
    raw = save({"w": torch.zeros(1).expand(1_000_000, 1_000_000)})
    assert len(raw) < 5_000
    with pytest.raises(UnsafeCheckpoint, match=r"declares 4,000,000,000,000 bytes, but its storage has 4"):
        check_tensors(open_bytes(tmp_path, raw))


@pytest.mark.parametrize(
    "value",
    [torch.zeros(2, 2).to_sparse(), torch.zeros(2, device="meta"), [1.0], 3],
    ids=["sparse", "meta", "list", "number"],
)
def test_check_tensors_other_than_dense_is_refused(value: Any) -> None:
    with pytest.raises(UnsafeCheckpoint, match="'w'"):
        check_tensors({"w": value})


@pytest.mark.parametrize("dtype", [torch.complex64, torch.float8_e4m3fn], ids=str)
def test_check_tensors_types_that_no_weight_has_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(RejectedCheckpoint, match=r"'w' holds torch\.\w+ values; save"):
        check_tensors({"w": torch.ones(2).to(dtype)})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", UnreadableCheckpoint),
        (b"just some text, no checkpoint\n" * 50, UnreadableCheckpoint),
        (b"\x80\x04N.", UnsafeCheckpoint),
        (b"PK\x03\x04" + b"\0" * 100, UnreadableCheckpoint),
        (b"\x10\0\0\0\0\0\0\0{not json at all}", UnreadableCheckpoint),
    ],
    ids=["empty", "text", "plain-pickle", "broken-zip", "broken-safetensors"],
)
def test_open_file_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        open_bytes(tmp_path, content)


def test_open_file_foreign_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(UnreadableCheckpoint, match=r"not a torch\.save file"):
        open_file(tmp_path / "file")


def test_open_file_list_as_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCheckpoint, match="holds a list instead of a dictionary"):
        open_bytes(tmp_path, save([torch.zeros(2)]))


FORMATS = {"zip": save(STATE), "legacy": save(STATE, legacy=True), "safetensors": save_safetensors(STATE)}


@pytest.mark.parametrize("name", FORMATS)
def test_open_file_cut_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    raw = FORMATS[name]
    for end in range(0, len(raw), max(1, len(raw) // 40)):
        with pytest.raises(RejectedCheckpoint):
            open_bytes(tmp_path, raw[:end])


@pytest.mark.parametrize("name", FORMATS)
def test_open_file_flipped_bytes_are_taken_or_refused_by_name(tmp_path: Path, name: str) -> None:
    # Low bits only: a flip that asks for gigabytes, or kills the process, is the sandbox's business.
    generator = random.Random(0)
    refused = 0
    for _ in range(80):
        broken = bytearray(FORMATS[name])
        broken[generator.randrange(len(broken))] ^= 1 << generator.randrange(3)
        try:
            find_state(open_bytes(tmp_path, bytes(broken)))
        except RejectedCheckpoint:
            refused += 1
    assert refused > 0
