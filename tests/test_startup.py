import os
import socket
import stat
from pathlib import Path

import pytest

from backend.errors import StartupFailed
from backend.settings import Settings
from backend.startup import check_access, check_port, find_address, find_cuda_devices, plan_workers, prepare_home


def write_program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)


def test_prepare_home_missing_creates_it_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    prepare_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert list(home.iterdir()) == []


def test_prepare_home_existing_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare_home(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_prepare_home_below_a_file_fails_and_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupFailed, match="THINICE_HOME"):
        prepare_home(tmp_path / "file" / "home")
    with pytest.raises(StartupFailed, match="THINICE_HOME"):
        prepare_home(tmp_path / "file")


def test_check_port_taken_fails_and_names_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartupFailed, match=f"Port {port} on 127.0.0.1"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_check_access_loopback_needs_no_token(host: str) -> None:
    check_access(Settings(host=host, token=None))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_check_access_other_address_needs_a_token(host: str) -> None:
    with pytest.raises(StartupFailed, match="THINICE_TOKEN"):
        check_access(Settings(host=host, token=None))
    check_access(Settings(host=host, token="long enough"))


def test_find_address_any_address_names_loopback() -> None:
    assert find_address(Settings(host="0.0.0.0", port=8123)) == "http://127.0.0.1:8123"
    assert find_address(Settings(host="::", port=8123)) == "http://[::1]:8123"
    assert find_address(Settings(host="ice.example", port=80)) == "http://ice.example:80"


def test_find_cuda_devices_asks_the_driver_and_counts_no_slices(tmp_path: Path) -> None:
    assert find_cuda_devices({"PATH": str(tmp_path)}) == []
    lines = "GPU 0: H200 (UUID: GPU-1)\\n  MIG 1g.18gb Device 0: (UUID: MIG-1)\\nGPU 1: H200 (UUID: GPU-2)\\n"
    write_program(tmp_path, "nvidia-smi", f'[ "$1" = -L ] && printf "{lines}"')
    assert find_cuda_devices({"PATH": str(tmp_path)}) == ["0", "1"]


def test_find_cuda_devices_driver_without_device_finds_none(tmp_path: Path) -> None:
    write_program(tmp_path, "nvidia-smi", 'echo "GPU 0: not really"; exit 9')
    assert find_cuda_devices({"PATH": str(tmp_path)}) == []


@pytest.mark.parametrize(("chosen", "expected"), [("", []), ("-1", []), ("3", ["3"]), ("0, 2", ["0", "2"])])
def test_find_cuda_devices_keeps_the_users_choice(tmp_path: Path, chosen: str, expected: list[str]) -> None:
    write_program(tmp_path, "nvidia-smi", 'echo "GPU 0: x"')
    assert find_cuda_devices({"PATH": str(tmp_path), "CUDA_VISIBLE_DEVICES": chosen}) == expected


def test_plan_workers_gives_each_device_one_worker() -> None:
    commands = plan_workers(Settings(workers=None, device="auto"), {"CUDA_VISIBLE_DEVICES": "4,7"})
    assert [command.environment["CUDA_VISIBLE_DEVICES"] for command in commands] == ["4", "7"]
    assert all("OMP_NUM_THREADS" not in command.environment for command in commands)


def test_plan_workers_shares_devices_when_more_are_asked_for() -> None:
    commands = plan_workers(Settings(workers=3, device="cuda"), {"CUDA_VISIBLE_DEVICES": "4,7"})
    assert [command.environment["CUDA_VISIBLE_DEVICES"] for command in commands] == ["4", "7", "4"]
    assert len({command.name for command in commands}) == 3


@pytest.mark.parametrize(
    ("processes", "devices", "groups"), [(2, "0,1,2,3", ["0,1", "2,3"]), (2, "0,1,2", ["0,1"]), (4, "0,1", ["0,1"])]
)
def test_plan_workers_gives_a_worker_the_devices_that_share_a_pruning(
    processes: int, devices: str, groups: list[str]
) -> None:
    settings = Settings(workers=None, device="auto", training_processes=processes)
    commands = plan_workers(settings, {"CUDA_VISIBLE_DEVICES": devices})
    assert [command.environment["CUDA_VISIBLE_DEVICES"] for command in commands] == groups


def test_plan_workers_without_device_runs_one_single_threaded_worker() -> None:
    without = {"CUDA_VISIBLE_DEVICES": ""}
    (command,) = plan_workers(Settings(workers=None, device="auto"), without)
    assert command.environment == {"OMP_NUM_THREADS": "1"}
    (command,) = plan_workers(Settings(workers=None, device="auto"), {**without, "OMP_NUM_THREADS": "8"})
    assert command.environment == {}
    assert plan_workers(Settings(workers=0), without) == []


def test_plan_workers_on_the_cpu_ignores_devices_and_a_named_device_stays_visible() -> None:
    devices = {"CUDA_VISIBLE_DEVICES": "0,1"}
    (command,) = plan_workers(Settings(workers=None, device="cpu"), devices)
    assert command.environment == {"OMP_NUM_THREADS": "1"}
    (command,) = plan_workers(Settings(workers=None, device="cuda:1"), devices)
    assert command.environment == {}


def test_plan_workers_runs_this_python() -> None:
    (command,) = plan_workers(Settings(workers=1), os.environ)
    assert command.words[1:] == ["-m", "backend.jobs.worker"]
    assert Path(command.words[0]).exists()
