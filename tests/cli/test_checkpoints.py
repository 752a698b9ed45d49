"""The verbs of checkpoints and data sets, against a real server."""

import json
from pathlib import Path

from tests.api.site import Site
from tests.cli.conftest import Run, rest
from tests.services.fabrication import make_pixels, write_npz

ZOO_FILE = Path(__file__).parents[2] / "models" / "zoo" / "cnn-dense.safetensors"


def test_checkpoints_are_listed_whole_in_columns_or_paragraphs(run: Run, served: tuple[Site, str]) -> None:
    wide = run("checkpoints", "list").stdout
    row = next(line for line in wide.splitlines() if line.startswith("pruned-net"))
    assert row.split() == ["pruned-net", "pruned", "dense-net", "lwm", "90.00", "%", "digits"]
    narrow = run("checkpoints", "list", COLUMNS="50").stdout
    assert "…" not in narrow and max(map(len, narrow.splitlines())) <= 50
    assert "  role pruned; made from dense-net; method lwm;" in narrow.splitlines()
    listed = json.loads(run("checkpoints", "list", "--json").stdout)
    assert listed == rest(served, "checkpoints?limit=200")["items"]


def test_checkpoint_is_shown_with_its_evaluations(run: Run, served: tuple[Site, str]) -> None:
    shown = run("checkpoints", "show", "pruned-net").stdout
    assert served[0].pruned in shown and served[0].pruned_evaluation in shown
    assert "lwm from dense-net, data set digits, pre-flight queued" in shown
    assert json.loads(run("checkpoints", "show", served[0].pruned, "--json").stdout)["name"] == "pruned-net"
    unknown = run("checkpoints", "show", "nobody")
    assert (unknown.returncode, "dense-net" in unknown.stderr) == (1, True)


def test_checkpoint_is_opened_renamed_and_deleted(run: Run, served: tuple[Site, str]) -> None:
    words = ("--name", "short-lived", "--role", "dense", "--dataset", "fashion-mnist-test", "--json")
    row = json.loads(run("upload", str(ZOO_FILE), *words).stdout)
    opened = run("checkpoints", "open", "short-lived", BROWSER="true %s")
    assert (opened.returncode, opened.stdout) == (0, f"{served[1]}/upload?checkpoint={row['id']}\n")
    refused = run("checkpoints", "rename", "short-lived", "dense-net")
    assert refused.returncode == 1 and "dense-net" in refused.stderr
    assert run("checkpoints", "rename", "short-lived", "renamed").stdout == "short-lived is now renamed\n"
    needed = run("checkpoints", "delete", "dense-net")
    assert (needed.returncode, "cannot be deleted" in needed.stderr) == (1, True)
    assert run("checkpoints", "delete", "renamed").returncode == 0
    assert "renamed" not in run("checkpoints", "list").stdout


def test_datasets_are_listed_shown_opened_renamed_and_deleted(
    run: Run, served: tuple[Site, str], tmp_path: Path
) -> None:
    file = write_npz(tmp_path / "a.npz", *make_pixels(8, seed=9))
    assert run("dataset", str(file), "--name", "Tiny", "--eps", "8/255").returncode == 0
    row = next(line for line in run("datasets", "list").stdout.splitlines() if line.startswith("tiny"))
    assert row.split() == ["tiny", "8", "upload", "6", "x", "6", "x", "1", "4", "Linf", "8/255"]
    shown = run("datasets", "show", "tiny").stdout
    assert "Tiny: 8 samples, 4 classes, slug tiny" in shown and "Classes: 0, 1, 2, 3" in shown
    assert json.loads(run("datasets", "show", "tiny", "--json").stdout) == rest(served, "datasets/tiny")
    opened = run("datasets", "open", "tiny", BROWSER="true %s")
    assert opened.stdout == f"{served[1]}/upload?kind=dataset&dataset=tiny\n"
    renamed = run("datasets", "rename", "tiny", "Very tiny")
    assert renamed.stdout.startswith("Very tiny: ") and "slug tiny" in renamed.stdout
    needed = run("datasets", "delete", "digits")
    assert (needed.returncode, "needed by: checkpoints (2)" in needed.stderr) == (1, True)
    assert run("datasets", "delete", "tiny").returncode == 0
    assert run("datasets", "show", "tiny").returncode == 1
