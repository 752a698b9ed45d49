"""The command line as users run it: a real process against a real server."""

import csv
import gzip
import io
import json
import os
import struct
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pyarrow.parquet

from backend.client import choose_pair
from tests.api.site import SAMPLES, Site, free_port
from tests.cli.conftest import TOKEN, Run, rest
from tests.datasets.published_archives import draw, write_cifar10
from tests.services.fabrication import SIDE

ZOO_FILE = Path(__file__).parents[2] / "models" / "zoo" / "cnn-dense.safetensors"


def test_status_says_who_works_and_what_waits(run: Run) -> None:
    answer = run("status")
    assert answer.returncode == 0, answer.stderr
    assert "no worker is running" in answer.stdout
    assert "dense-net, margin: queued 0/20" in answer.stdout
    assert "dense-net, evidence (harder, margin, further seeds): queued 0/100" in answer.stdout
    assert json.loads(run("status", "--json").stdout)["database"] == "sqlite"


def test_version_is_printed_and_nothing_else_happens(run: Run) -> None:
    answer = run("--version", THINICE_URL=f"http://127.0.0.1:{free_port()}")
    assert (answer.returncode, answer.stdout) == (0, f"thinice {version('thinice')}\n")


def test_status_without_a_server_is_code_2_and_says_what_to_do(run: Run) -> None:
    answer = run("status", THINICE_URL=f"http://127.0.0.1:{free_port()}")
    assert answer.returncode == 2
    assert "thinice serve" in answer.stderr


def test_status_with_a_wrong_token_is_refused(run: Run) -> None:
    answer = run("status", "--json", THINICE_TOKEN="wrong-horse-battery")
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["error"]["code"] == "access_denied"
    assert "token" in answer.stderr


def test_wrong_settings_and_usage_are_code_2(run: Run) -> None:
    assert run("status", THINICE_PORT="many").returncode == 2
    assert run("compare", "one").returncode == 2
    assert run("freeze").returncode == 2


def test_upload_prints_what_the_file_is(run: Run, served: tuple[Site, str]) -> None:
    words = ("--name", "from-cli", "--role", "dense", "--dataset", "fashion-mnist-test", "--evaluate", "margin")
    answer = run("upload", str(ZOO_FILE), *words, "--json")
    assert answer.returncode == 0, answer.stderr
    body = json.loads(answer.stdout)
    assert body == rest(served, f"checkpoints/{body['id']}")
    assert rest(served, f"evaluations?checkpoint_id={body['id']}")["total"] == 1


def test_upload_of_a_bad_file_is_refused_with_its_code(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    words = ("--name", "bad", "--role", "pruned", "--dataset", "digits", "--parent", "dense-net", "--json")
    answer = run("upload", str(tmp_path / "bad.pt"), *words)
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["error"]["code"] == "unreadable_checkpoint"
    assert run("upload", str(tmp_path / "none.pt"), *words).returncode == 2


def test_upload_with_an_unknown_parent_lists_what_there_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "any.pt").write_bytes(b"nothing")
    words = ("--name", "x", "--role", "pruned", "--dataset", "digits", "--parent", "nobody")
    answer = run("upload", str(tmp_path / "any.pt"), *words)
    assert answer.returncode == 1
    assert "dense-net" in answer.stderr


def write_idx(path: Path, values: np.ndarray) -> Path:
    """An idx file by its description: two zero bytes, the type of unsigned bytes, the axes, their sizes, the values."""
    header = bytes([0, 0, 8, values.ndim]) + b"".join(struct.pack(">I", size) for size in values.shape)
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes()))
    return path


def test_dataset_of_two_idx_files_is_taken(run: Run, served: tuple[Site, str], tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    images = write_idx(tmp_path / "images-idx3-ubyte.gz", generator.integers(0, 256, (12, 5, 4)))
    labels = write_idx(tmp_path / "labels-idx1-ubyte.gz", np.arange(12) % 3)
    words = ("--name", "tiny idx", "--labels", str(labels), "--eps", "25.5/255", "--classes", "a,b,c")
    answer = run("dataset", str(images), *words, "--json")
    assert answer.returncode == 0, answer.stderr
    body = json.loads(answer.stdout)
    assert (body["size"], body["shape"], body["classes"]) == (12, [5, 4, 1], ["a", "b", "c"])
    assert body["default_eps_text"] == "25.5/255"
    assert rest(served, f"datasets/{body['id']}") == body


def test_dataset_by_name_sends_the_archive_and_names_it(run: Run, served: tuple[Site, str], tmp_path: Path) -> None:
    archive = write_cifar10(tmp_path / "mine.tar.gz", draw(12, seed=1), draw(7, seed=2))
    answer = run("dataset", "cifar10", "--path", str(archive), "--json")
    assert answer.returncode == 0, answer.stderr
    body = json.loads(answer.stdout)
    assert (body["slug"], body["size"], body["split"], body["classes"][3]) == ("cifar10-test", 7, "test", "cat")
    assert rest(served, "datasets/cifar10-test") == body


def test_dataset_of_a_damaged_idx_file_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(b"nothing")
    (tmp_path / "labels.gz").write_bytes(b"nothing")
    answer = run("dataset", str(tmp_path / "images.gz"), "--name", "x", "--labels", str(tmp_path / "labels.gz"))
    assert answer.returncode == 1
    assert "IDX" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_evaluate_queues_what_is_asked_for(run: Run, served: tuple[Site, str]) -> None:
    answer = run("evaluate", "pruned-net", "--samples", "3,7,9", "--eps", "8/255", "--seed", "5", "--json")
    assert answer.returncode == 0, answer.stderr
    body = json.loads(answer.stdout)
    assert (body["n"], body["eps_text"], body["seed"], body["checkpoint_id"]) == (3, "8/255", 5, served[0].pruned)
    drawn = json.loads(run("evaluate", "pruned-net", "--samples", "5@7", "--json").stdout)
    assert (drawn["n"], drawn["selection"], drawn["explicit"]) == (5, "seed 7", False)
    assert json.loads(run("evaluate", "pruned-net", "--samples", "0-3", "--json").stdout)["selection"] == "first"
    assert run("evaluate", "pruned-net", "--samples", "some").returncode == 2
    refused = run("evaluate", "pruned-net", "--preset", "nothing")
    assert (refused.returncode, "margin" in refused.stderr) == (1, True)


def test_evaluate_wait_ends_with_code_1_when_it_is_cancelled(run: Run, served: tuple[Site, str]) -> None:
    site, url = served
    environment = os.environ | {"THINICE_URL": url, "THINICE_TOKEN": TOKEN}
    command = [sys.executable, "-m", "backend.cli.main", "evaluate", "pruned-net", "--seed", "77", "--wait", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
        found: list[str] = []
        while not found:
            items = rest(served, f"evaluations?checkpoint_id={site.pruned}")["items"]
            found = [item["id"] for item in items if item["seed"] == 77]
        assert waiting.poll() is None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        httpx2.post(f"{url}/api/v1/evaluations/{found[0]}/cancel", headers=headers, trust_env=False)
        output, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 1
    assert json.loads(output)["state"] == "cancelled"


def test_claims_json_is_rest_and_references_stand_apart(run: Run, served: tuple[Site, str]) -> None:
    answer = run("claims", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == rest(served, "claims?limit=200")["items"]
    shown = run("claims", "--references")
    assert "HYDRA" in shown.stdout and "not measured here" in shown.stdout


def test_compare_by_name_prints_counts_and_json_is_rest(run: Run, served: tuple[Site, str]) -> None:
    site = served[0]
    answer = run("compare", "dense-net", "pruned-net")
    assert answer.returncode == 0, answer.stderr
    assert f"n = {SAMPLES}" in answer.stdout
    assert "kept" in answer.stdout and "lost" in answer.stdout
    assert "McNemar p" in answer.stdout
    body = json.loads(run("compare", site.dense_evaluation, "pruned-net", "--eps", "8/255", "--json").stdout)
    path = f"comparisons?dense={site.dense_evaluation}&pruned={site.pruned_evaluation}&eps=8/255"
    assert body == rest(served, path)


def test_compare_several_prints_each_checkpoint_and_json_is_rest(run: Run, served: tuple[Site, str]) -> None:
    site = served[0]
    answer = run("compare-several", "dense-net", "pruned-net", "--eps", "25.5/255")
    assert answer.returncode == 0, answer.stderr
    assert f"n = {SAMPLES}" in answer.stdout and "pruned-net" in answer.stdout
    assert f"at eps 25.5/255: {site.lost} lost by at least one, {site.lost} by all 1" in answer.stdout
    body = json.loads(run("compare-several", site.dense_evaluation, "pruned-net", "--eps", "8/255", "--json").stdout)
    path = f"comparisons/several?dense={site.dense_evaluation}&pruned={site.pruned_evaluation}&eps=8/255"
    assert body == rest(served, path)
    assert run("compare-several", "dense-net").returncode == 2


def test_compare_gates_decide_by_exit_code(run: Run, served: tuple[Site, str]) -> None:
    lost = served[0].lost
    assert run("compare", "dense-net", "pruned-net", "--max-lost", str(lost)).returncode == 0
    unmet = run("compare", "dense-net", "pruned-net", "--max-lost", str(lost - 1), "--min-robust", "1.0")
    assert unmet.returncode == 3
    assert f"{lost} samples lost" in unmet.stderr
    assert "robust accuracy" in unmet.stderr
    assert run("compare", "dense-net", "pruned-net", "--min-robust", "0").returncode == 0


def test_export_writes_every_sample(run: Run, served: tuple[Site, str], tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("export", "dense-net").stdout)))
    assert len(rows) == SAMPLES
    target = tmp_path / "margins.parquet"
    answer = run("export", served[0].dense_evaluation, "--format", "parquet", "-o", str(target))
    assert answer.returncode == 0, answer.stderr
    assert pyarrow.parquet.read_table(target).num_rows == SAMPLES
    assert run("export", "dense-net", "-o", str(tmp_path / "no" / "folder.csv")).returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["margins.parquet"]


def test_demo_queues_each_shipped_checkpoint_once(run: Run, served: tuple[Site, str]) -> None:
    shipped = [item for item in rest(served, "checkpoints?limit=200")["items"] if item["origin"] == "zoo"]
    assert shipped
    first = json.loads(run("demo", "--samples", "20", "--json").stdout)
    assert {item["checkpoint_id"] for item in first} == {item["id"] for item in shipped}
    assert {item["priority"] for item in first} == {50}
    assert json.loads(run("demo", "--samples", "20", "--json").stdout) == []


def test_evidence_is_sent_listed_and_stopped(run: Run, served: tuple[Site, str], tmp_path: Path) -> None:
    np.save(tmp_path / "found.npy", np.full((2, 1, SIDE, SIDE), 0.5, dtype=np.float32))
    np.save(tmp_path / "rows.npy", np.array([3, 7]))
    file, rows = str(tmp_path / "found.npy"), str(tmp_path / "rows.npy")
    answer = run("evidence", "upload", "pruned-net", file, "--indices", rows, "--source", "a rival", "--json")
    assert answer.returncode == 0, answer.stderr
    body = json.loads(answer.stdout)
    assert (body["kind"], body["source"], body["n"], body["state"]) == ("upload", "a rival", 2, "queued")
    assert f"{body['id']}  upload, a rival, n = 2: queued" in run("evidence", "list", "pruned-net").stdout
    assert "cancelled" in run("evidence", "cancel", body["id"]).stdout
    refused = run("evidence", "upload", "pruned-net", file, "--source", "a rival")
    assert (refused.returncode, f"{SAMPLES} samples" in refused.stderr) == (1, True)
    assert run("evidence", "upload", "pruned-net", file, "--source", "x", "--indices", "three").returncode == 2


def test_evaluation_is_cancelled_resumed_and_deleted(run: Run, served: tuple[Site, str]) -> None:
    row = json.loads(run("evaluate", "dense-net", "--samples", "5", "--json").stdout)
    refused = run("evaluations", "delete", row["id"])
    assert (refused.returncode, "cancel it first" in refused.stderr) == (1, True)
    assert "cancelled" in run("evaluations", "cancel", row["id"]).stdout
    assert json.loads(run("evaluations", "resume", row["id"], "--json").stdout)["state"] == "queued"
    assert json.loads(run("evaluations", "show", row["id"], "--json").stdout)["id"] == row["id"]
    opened = run("evaluations", "open", row["id"], BROWSER="true %s")
    assert (opened.returncode, opened.stdout) == (0, f"{served[1]}/jobs?evaluation={row['id']}\n")
    assert run("evaluations", "cancel", row["id"]).returncode == 0
    assert row["id"] in run("evaluations", "list").stdout
    assert run("evaluations", "delete", row["id"]).returncode == 0
    assert row["id"] not in run("evaluations", "list").stdout


def test_table_is_rest_in_every_format(run: Run, served: tuple[Site, str], tmp_path: Path) -> None:
    site = served[0]
    assert json.loads(run("table", "dense-net", "--json").stdout) == rest(served, f"families/{site.dense}")
    assert run("table", "dense-net").stdout.startswith("**dense-net** and the checkpoints made from it")
    target = tmp_path / "table.tex"
    answer = run("table", site.dense, "--format", "latex", "--eps", "8/255", "--out", str(target))
    assert answer.returncode == 0, answer.stderr
    assert "Linf 8/255" in target.read_text() and r"\bottomrule" in target.read_text()
    refused = run("table", "pruned-net")
    assert (refused.returncode, "ask for its parent" in refused.stderr) == (1, True)
    assert run("table", "dense-net", "--format", "html").returncode == 2
    assert run("table", "dense-net", "--evaluate", "margin").returncode == 2


def test_table_evaluate_queues_what_is_missing_once(run: Run, served: tuple[Site, str]) -> None:
    site = served[0]
    answer = run("table", "dense-net", "--evaluate", "fast=30", "--evaluate", "margin=20", "--evaluate", "fast=500")
    assert answer.returncode == 0, answer.stderr
    wanted = f"fast: 2 evaluations of {SAMPLES} samples: dense-net, pruned-net"
    assert wanted in answer.stderr, "the larger of two wishes, and no more than the data set has"
    assert "margin: nothing is missing on 20 samples" in answer.stderr
    for checkpoint in (site.dense, site.pruned):
        items = rest(served, f"evaluations?checkpoint_id={checkpoint}&state=queued")["items"]
        assert [one["n"] for one in items if one["preset"] == "fast"] == [SAMPLES]
    again = run("table", "dense-net", "--evaluate", "fast=30")
    assert "fast: nothing is missing on 30 samples" in again.stderr and again.stdout.startswith("**dense-net**")


def test_attack_harder_and_replay_are_queued(run: Run, served: tuple[Site, str]) -> None:
    site = served[0]
    words = ("--samples", str(site.attacked), "--budget", "30", "--unit", "seconds", "--json")
    harder = json.loads(run("attack-harder", site.dense_evaluation, *words).stdout)
    assert (harder["kind"], harder["progress"]["total"], harder["progress"]["unit"]) == ("harder", 30, "seconds")
    dense_on_pruned, pruned_on_dense = json.loads(run("replay", "dense-net", "pruned-net", "--json").stdout)
    assert (dense_on_pruned["source"], pruned_on_dense["source"]) == ("dense-net", "pruned-net")


def test_help_names_every_command(run: Run) -> None:
    text = run("--help").stdout
    assert "Exit codes: 0 done; 1 refused, or a job failed; 2 wrong usage, or no server; 3 a gate is not met." in text
    for name in (
        "checkpoints",
        "datasets",
        "example",
        "serve",
        "worker",
        "upload",
        "evaluate",
        "compare",
        "compare-several",
        "export",
        "demo",
        "status",
        "replay",
        "attack-harder",
        "table",
    ):
        assert name in text


def entry(number: int, **fields: Any) -> dict[str, Any]:
    values = {"dataset_id": "d", "preset": "margin", "norm": "Linf", "eps_text": "8/255", "n": 100, "seed": 0}
    return {"id": number} | values | fields


def test_choose_pair_takes_equal_effort_then_margins_then_most_samples() -> None:
    dense = [entry(1, preset="autoattack", n=900), entry(2, n=500), entry(3)]
    pruned = [entry(4, n=700), entry(5, preset="autoattack", n=900), entry(6), entry(7, n=500)]
    one, other = choose_pair(dense, pruned)
    assert (one["id"], other["id"]) == (2, 7)
    one, other = choose_pair(dense[:1], pruned[:1])
    assert (one["id"], other["id"]) == (1, 4)


def test_prune_queues_a_run_and_its_commands_stop_and_forget_it(run: Run, served: tuple[Site, str]) -> None:
    words = ["prune", "harp", "--parent", "dense-net", "--sparsity", "0.9", "--data", "training", "--epochs", "4"]
    answer = run(*words, "--setting", "gamma=0.5", "--json")
    assert answer.returncode == 0, answer.stderr
    row = json.loads(answer.stdout)
    assert (row["state"], row["name"], row["epochs"]) == ("queued", "dense-net-harp-90", 4)
    assert row["record"]["recipe"]["settings"] == {"gamma": 0.5, "rounds": 20}
    shown = run("prunings", "list")
    assert "dense-net-harp-90" in shown.stdout and "90.00 %" in shown.stdout and "queued" in shown.stdout
    assert "dense-net-harp-90, pruning: queued 0/" in run("status").stdout
    assert "thin-ice" in run("prunings", "methods").stdout
    assert "cancelled" in run("prunings", "cancel", row["id"]).stdout
    assert run("prunings", "delete", row["id"]).returncode == 0
    assert row["id"] not in [one["id"] for one in rest(served, "prunings")["items"]]


def test_prune_that_is_refused_is_code_1_and_says_why(run: Run) -> None:
    words = ["prune", "lwm", "--parent", "dense-net", "--sparsity", "0.9", "--data"]
    answer = run(*words, "digits", "--json")
    assert answer.returncode == 1 and json.loads(answer.stdout)["error"]["code"] == "trains_on_test"
    assert "evaluated on" in answer.stderr
    assert run(*words, "training", "--setting", "gamma").returncode == 2


def test_restore_layers_is_queued_for_the_pair(run: Run, served: tuple[Site, str]) -> None:
    answer = run("restore-layers", "dense-net", "pruned-net", "--json")
    assert answer.returncode == 0, answer.stderr
    body = json.loads(answer.stdout)
    assert (body["kind"], body["progress"]["total"], body["progress"]["unit"]) == ("layers", 1, "layers")
    assert "layers, dense-net" in run("evidence", "cancel", body["id"]).stdout
    assert run("restore-layers", "dense-net", "pruned-net", "--eps", "nothing").returncode == 1
