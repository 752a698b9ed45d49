"""The machine that a bench ran on, and the versions it ran."""

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

PACKAGES = ("thinice", "torch", "numpy", "pyautoattack", "torchattacks", "foolbox", "adv-lib", "secml-torch", "numba")


def read_processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def read_memory_gb() -> float | None:
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    (line,) = [line for line in meminfo.read_text().splitlines() if line.startswith("MemTotal")]
    return round(int(line.split()[1]) / 1024**2, 1)


def find_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def read_machine() -> dict[str, object]:
    """What a reader needs to know of the machine; JSON-ready."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else (None,)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": read_processor(),
        "cores": os.cpu_count(),
        "memory_gb": read_memory_gb(),
        "threads": torch.get_num_threads(),
        "load_at_start": load[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: find_version(package) for package in PACKAGES},
    }


def describe_machine(machine: dict[str, object]) -> str:
    """One sentence for the head of a report."""
    versions = machine["versions"]
    assert isinstance(versions, dict)
    named = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} thread used, "
        f"load {machine['load_at_start']} at the start; {machine['system']}; "
        f"Python {machine['python']}; {named}; {machine['date']}."
    )
