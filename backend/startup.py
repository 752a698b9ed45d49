"""What must hold before a process starts, and which processes this machine can use. Never imports torch."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from pydantic import ValidationError

from backend.errors import StartupFailed
from backend.settings import Settings, get_settings

NVIDIA_SMI_SECONDS = 10.0


@dataclass(frozen=True)
class Command:
    """A process to run: the name people read, its words, and what is added to the environment."""

    name: str
    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        StartupFailed: a variable has an impossible value; names the variable, what came and what was expected.
    """
    try:
        return get_settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = "THINICE_" + "_".join(str(part) for part in first["loc"]).upper()
        shown = "(hidden)" if variable == "THINICE_TOKEN" else repr(first["input"])
        raise StartupFailed(f"{variable} is {shown}: {first['msg']}.", variable=variable) from error


def prepare_home(home: Path) -> None:
    """Create the home with mode 0700 where it is missing, and check that files can be written there.

    An existing folder keeps its mode: it may be shared on purpose.

    Raises:
        StartupFailed: it cannot be created or written.
    """
    try:
        # A file in its place is found by the next line; another process may make the folder at this very moment.
        with suppress(FileExistsError):
            home.mkdir(mode=0o700, parents=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise StartupFailed(
            f"The home {home} cannot be written ({error.strerror}). Choose another folder with THINICE_HOME.",
            home=str(home),
        ) from error


def check_port(host: str, port: int) -> None:
    """Check that the server can listen there.

    Raises:
        StartupFailed: taken, not allowed, or no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        raise StartupFailed(
            f"Port {port} on {host} cannot be used ({error.strerror}). Choose another, for example THINICE_PORT=8123.",
            host=host,
            port=port,
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_access(settings: Settings) -> None:
    """Check that a server which other machines reach asks for a token.

    Raises:
        StartupFailed: it would be open to the network.
    """
    if settings.token is None and not is_loopback(settings.host):
        raise StartupFailed(
            f"THINICE_HOST={settings.host} lets other machines in: set THINICE_TOKEN too (8 characters or more).",
            host=settings.host,
        )


def find_address(settings: Settings) -> str:
    """The URL at which this machine reaches the server, without a slash at the end."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def find_cuda_devices(environment: Mapping[str, str]) -> list[str]:
    """The CUDA devices to use, as CUDA_VISIBLE_DEVICES names them; empty where there are none.

    What the user has set in CUDA_VISIBLE_DEVICES holds; otherwise the driver's own tool is asked.
    """
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        return []
    try:
        found = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=NVIDIA_SMI_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = found.stdout.splitlines() if found.returncode == 0 else []
    return [str(index) for index, _ in enumerate(line for line in lines if line.startswith("GPU "))]


def plan_workers(settings: Settings, environment: Mapping[str, str]) -> list[Command]:
    """The worker processes of this machine: as many as THINICE_WORKERS says, else one per device.

    Where several processes share a pruning, a worker gets as many devices as there are processes.

    With THINICE_DEVICE=cuda:N the number means what the user sees, so that nothing is hidden from the worker.
    """
    devices = find_cuda_devices(environment) if settings.device in ("auto", "cuda") else []
    is_named_device = settings.device.startswith("cuda:")
    width = settings.training_processes
    groups = [",".join(devices[start : start + width]) for start in range(0, len(devices) - width + 1, width)]
    groups = groups or ([",".join(devices)] if devices else [])
    count = max(1, len(groups)) if settings.workers is None else settings.workers
    words = [sys.executable, "-m", "backend.jobs.worker"]
    commands = []
    for index in range(count):
        added: dict[str, str] = {}
        if groups:
            added = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": groups[index % len(groups)]}
        elif not is_named_device and "OMP_NUM_THREADS" not in environment:
            added = {"OMP_NUM_THREADS": "1"}
        commands.append(Command(f"worker {index + 1}", words, added))
    return commands


def plan_commands(settings: Settings) -> list[Command]:
    """The web process first, then the workers."""
    web = Command("web", [sys.executable, "-m", "backend.server"])
    return [web, *plan_workers(settings, os.environ)]


def check_start(settings: Settings) -> None:
    """All checks, cheapest first.

    Raises:
        StartupFailed: with the one sentence that the user needs.
    """
    check_access(settings)
    prepare_home(settings.home)
    check_port(settings.host, settings.port)
