"""Start-up: twice, at once in two processes, cut off half-way; what health says; the zoo that is shipped."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from backend.errors import StartupFailed
from backend.jobs import queue as jobs
from backend.jobs.lifecycle import requeue_waiting
from backend.registry.cards import read_cards
from backend.services import checkpoints, datasets, demo, evaluations, system, zoo
from backend.services.bundles.shipped import find_results
from backend.settings import get_settings
from backend.store import workers
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Worker
from tests.api.site import running_server
from tests.services.fabrication import add_checkpoint, add_dataset, queue

START = "from backend.services import system; system.bootstrap()"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that two processes started at the same moment; made once."""
    home = tmp_path_factory.mktemp("started") / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THINICE_")}
    environment |= {"THINICE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    both = [subprocess.Popen([sys.executable, "-c", START], env=environment) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    return home


@pytest.fixture
def running(started: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The started home as this process's own."""
    monkeypatch.setenv("THINICE_HOME", str(started))
    get_settings.cache_clear()
    yield started
    jobs.close()
    from backend.store.database import dispose_engines

    dispose_engines()
    get_settings.cache_clear()


def test_bootstrap_two_processes_at_once_load_everything_once(running: Path) -> None:
    assert [item.slug for item in datasets.list_datasets().items] == ["fashion-mnist-test"]
    loaded = checkpoints.list_checkpoints(limit=200).items
    assert sorted(item.name for item in loaded) == sorted(card.name for card in read_cards())
    assert {item.origin for item in loaded} == {"zoo"}
    assert find_results() is not None, "the shipped results are of another engine: measure them again"
    assert evaluations.list_evaluations().total == 0, "shipped results come later, and in the place of the demo's jobs"


def test_bootstrap_again_changes_nothing(running: Path) -> None:
    before = [page.model_dump() for page in (checkpoints.list_checkpoints(), evaluations.list_evaluations())]
    system.bootstrap()
    assert [page.model_dump() for page in (checkpoints.list_checkpoints(), evaluations.list_evaluations())] == before


def test_bootstrap_zoo_agrees_with_its_cards(running: Path) -> None:
    loaded = {item.name: item for item in checkpoints.list_checkpoints(limit=200).items}
    for card in read_cards():
        row = loaded[card.name]
        assert (row.role, row.method, row.architecture) == (card.role, card.method, card.architecture)
        assert row.parent_id == (None if card.parent is None else loaded[card.parent].id)
        assert row.measured_sparsity == pytest.approx(card.measured_sparsity, abs=1e-6)
        assert row.source_sha256 == card.sha256
        assert row.claim is not None and row.claim.robust_accuracy == card.claimed_robust_accuracy
        assert row.claim.eps_text == "25.5/255"


def test_server_brings_the_shipped_results_in_while_it_responds(stocked_template: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(stocked_template, home)
    with running_server(home, tmp_path / "log", THINICE_DEMO="true") as (url, process):
        deadline = time.monotonic() + 60
        shown: list[str] = []
        while len(shown) < 2 and time.monotonic() < deadline:
            page = httpx2.get(f"{url}/api/v1/evaluations?state=succeeded", trust_env=False).json()
            shown = [row["checkpoint_name"] for row in reversed(page["items"])]
            time.sleep(0.1)
        assert {"cnn-dense", "cnn-lwm-95"} <= set(shown), (tmp_path / "log").read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0, "the server waits for at most one evaluation"


def test_bootstrap_home_is_its_owners_alone(running: Path) -> None:
    assert stat.S_IMODE(running.stat().st_mode) == 0o700


def test_queue_demo_first_comparison_is_first_in_the_queue(ready: Path) -> None:
    zoo.load_datasets()
    dataset = datasets.get_dataset("fashion-mnist-test")
    demo.queue_demo({name: add_checkpoint(dataset.id, name) for name in ("cnn-lwm-95", "cnn-dense", "cnn-control")})
    items = sorted(evaluations.list_evaluations(limit=200).items, key=lambda item: item.queue_position or 0)
    assert [item.queue_position for item in items] == list(range(1, len(items) + 1))
    assert (items[0].checkpoint_name, items[0].preset, items[0].n) == ("cnn-dense", "margin", 300)
    assert items[-1].preset == "autoattack" and min(item.priority for item in items) >= 50


def test_queue_demo_cut_off_before_the_queue_is_made_good(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.load_datasets()
    dataset = datasets.get_dataset("fashion-mnist-test")
    rows = {name: add_checkpoint(dataset.id, name) for name in ("cnn-dense", "cnn-lwm-95")}
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "enqueue", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            demo.queue_demo(rows)
    queued = evaluations.list_evaluations().items
    assert len(queued) == 6 and jobs.client().list_workflows() == []
    assert demo.queue_demo(rows) == 0
    requeue_waiting()
    assert {item.workflow_id for item in jobs.client().list_workflows()} == {f"evaluate-{item.id}-0" for item in queued}


def test_load_zoo_taken_names_are_a_users_or_an_older_files(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.load_datasets()
    dataset_id = datasets.get_dataset("fashion-mnist-test").id
    roots = [card for card in read_cards() if card.parent is None]
    monkeypatch.setattr(zoo, "read_cards", lambda: roots)  # two files instead of seven: a child's time is short
    first, second = roots
    mine = add_checkpoint(dataset_id, first.name)
    old = add_checkpoint(dataset_id, second.name, origin="zoo", source_sha256="a" * 64)
    loaded = zoo.load_zoo()
    assert {name: row.id for name, row in zoo.load_zoo().items()} == {name: row.id for name, row in loaded.items()}
    assert checkpoints.get_checkpoint(mine.id).name == first.name
    assert loaded[first.name].name == f"{first.name}-shipped"
    assert checkpoints.get_checkpoint(old.id).name == f"{second.name}-aaaaaaaa"
    assert loaded[second.name].name == second.name
    assert checkpoints.list_checkpoints().total == len(roots) + 2


def test_health_counts_waiting_work_and_living_workers(ready: Path, tmp_path: Path) -> None:
    idle = system.health()
    assert (idle.status, idle.database, idle.queue_depth, idle.workers) == ("ok", "sqlite", 0, [])
    assert idle.open_access
    dataset = add_dataset(tmp_path, "digits")
    queue(add_checkpoint(dataset.id, "net"), dataset, 5)
    assert (system.health().status, system.health().queue_depth) == ("degraded", 1)
    with writing() as session:
        workers.beat(session, Worker(id="me", host=os.uname().nodename, pid=os.getpid(), device="cpu"))
    busy = system.health()
    assert busy.status == "ok" and [worker.id for worker in busy.workers] == ["me"]


def test_home_check_file_in_the_way_is_a_startup_failure(home: Path) -> None:
    home.write_text("not a folder")
    with pytest.raises(StartupFailed) as refused:
        system.home_check(get_settings())
    assert refused.value.code == "startup_failed"


def test_services_imported_leave_torch_out() -> None:
    modules = ["catalogues", "checkpoints", "comparisons", "datasets", "evaluations", "exports", "samples", "system"]
    code = f"import sys; from backend.services import {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_checkpoint_rows_of_the_zoo_have_their_files(running: Path) -> None:
    with reading() as session:
        files = {row.file for row in session.query(Checkpoint)}
    for name in files:
        path = running / "artefacts" / name
        assert path.is_file() and stat.S_IMODE(path.stat().st_mode) == 0o600
