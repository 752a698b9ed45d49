"""The command that builds the zoo: what it says where there is nothing to do or nothing to read."""

from pathlib import Path

import pytest

from backend.jobs.zoo import main

ZOO = Path(__file__).resolve().parents[2] / "models" / "zoo"


def test_zoo_job_with_everything_built_skips_all_without_reading_training_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in ZOO.iterdir()}
    names = ["cnn-dense", "cnn-lwm-95", "cnn-control"]
    words = [word for name in names for word in ("--only", name)]
    assert main([*words, "--out", str(ZOO), "--source", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: built already" for name in names]
    assert {path: path.stat().st_mtime_ns for path in ZOO.iterdir()} == before


def test_zoo_job_without_idx_files_names_the_debian_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "cnn-dense", "--out", str(tmp_path), "--source", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{tmp_path}/train-images-idx3-ubyte.gz is missing")
    assert "install the Debian package dataset-fashion-mnist" in told
    assert list(tmp_path.iterdir()) == []


def test_zoo_job_with_damaged_idx_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{kind}-ubyte.gz").write_bytes(b"not gzip")
    assert main(["--only", "cnn-dense", "--out", str(tmp_path / "out"), "--source", str(tmp_path)]) == 1
    assert "IDX" in capsys.readouterr().err


def test_zoo_job_with_unknown_name_lists_what_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "cnn-lwm-42"]) == 1
    assert "cnn-lwm-80, cnn-lwm-90" in capsys.readouterr().err
