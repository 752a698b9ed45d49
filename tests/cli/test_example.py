"""The example files are state dicts, and README's calls with them work as they stand there."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer

from backend.cli.example import write_examples
from tests.api.site import running_server

REPOSITORY = Path(__file__).parents[2]
SAMPLES = 20


def test_write_examples_are_state_dicts_of_a_dense_network_and_a_pruned_one(tmp_path: Path) -> None:
    written = write_examples(tmp_path / "new" / "folder")
    assert written == {name: tmp_path / "new" / "folder" / f"{name}.pt" for name in ("dense", "pruned")}
    dense, pruned = (torch.load(written[name], weights_only=True) for name in ("dense", "pruned"))
    assert dense.keys() == pruned.keys()
    weights = [name for name, value in dense.items() if value.dim() > 1]
    assert all((dense[name] != 0).all() for name in weights)
    share = sum(int((pruned[name] == 0).sum()) for name in weights) / sum(dense[name].numel() for name in weights)
    assert share == pytest.approx(0.95, abs=0.01)


def test_write_examples_into_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(typer.BadParameter, match="cannot be written"):
        write_examples(tmp_path / "taken")


def find_script() -> str:
    """README's block of REST calls, with fewer samples."""
    blocks = re.findall(r"```bash\n(.*?)```", (REPOSITORY / "README.md").read_text(), flags=re.DOTALL)
    (block,) = [block for block in blocks if "thinice example" in block]
    assert '"samples": 100' in block
    return block.replace('"samples": 100', f'"samples": {SAMPLES}')


def test_readme_calls_compare_the_example_files(stocked_template: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(stocked_template, home)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    program = tmp_path / ".venv" / "bin" / "thinice"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m backend.cli.main "$@"\n')
    program.chmod(0o755)
    with running_server(home, tmp_path / "log") as (url, _):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("THINICE_")}
        environment |= {"THINICE_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
        worker = subprocess.Popen([sys.executable, "-m", "backend.jobs.worker"], env=environment, cwd=tmp_path)
        try:
            script = find_script().replace("http://127.0.0.1:8000", url)
            words = ["bash", "-euo", "pipefail", "-c", script]
            answer = subprocess.run(
                words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
            )
        finally:
            worker.kill()
            worker.wait()
    assert answer.returncode == 0, answer.stderr
    assert "#" in answer.stderr, "uploads show their progress"
    assert "event: progress" in answer.stdout and "event: done" in answer.stdout
    found = json.loads(answer.stdout[answer.stdout.rindex("\n{\n") :])
    assert found["n"] == SAMPLES and found["robust"]["n11"] > 0
    with (tmp_path / "margins.csv").open() as file:
        assert len(list(csv.DictReader(file))) == SAMPLES
