"""Functions that test_sandbox runs in the child process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from backend.errors import MismatchedKeys, UnknownName


def describe(**arguments: Any) -> dict[str, Any]:
    """What the child sees."""
    print("a library that talks to stdout")
    return {
        "arguments": arguments,
        "environment": sorted(os.environ),
        "folder": str(Path.cwd()),
        "is_leader": os.getpid() == os.getpgrp(),
        "has_torch": "torch" in sys.modules,
    }


def raise_mismatch() -> None:
    raise MismatchedKeys("The keys do not fit.", missing=["a", "b"], missing_count=2)


def raise_unknown_name() -> None:
    raise UnknownName("attack", "x", ["b", "a"])


def raise_bug() -> None:
    raise ZeroDivisionError("a bug of ours")


def take_memory(megabytes: int) -> int:
    return len(bytearray(megabytes * 1024 * 1024))


def write_file(megabytes: int, out: str) -> str:
    with open(out, "wb") as file:
        for _ in range(megabytes):
            file.write(b"x" * 1024 * 1024)
    return "written"


def write_and_fail(out: str) -> None:
    Path(out).write_bytes(b"half of it")
    raise MismatchedKeys("Then it failed.")


def sleep_with_child(pid_file: str) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(pid_file).write_text(str(other.pid))
    time.sleep(60)


def burn() -> None:
    while True:
        pass


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(3)
