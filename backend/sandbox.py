"""Runs one of our functions on a stranger's file in a child process that may be lost.

The child reads a request as JSON, imports the module of the named function (the slow part, torch included), then takes
limits on memory, CPU time and file size, and only then touches the file. The memory limit counts from what the imports
already occupy: a CUDA build of torch alone maps several GB. The child runs in a session of its own, so that a timeout
ends whatever it started, with an environment that holds no secrets.

Errors of our tree cross the boundary with code, message and details. A child that dies becomes the `rejection` that
the caller names; anything else that goes wrong inside is a bug of ours and becomes a plain `ThinIceError`.
"""

import contextlib
import ctypes
import errno
import hashlib
import importlib
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from backend.errors import ThinIceError, TooLarge, UnsafeCheckpoint, error_classes
from backend.settings import Settings

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[1]
MB = 1024 * 1024
MAX_REPLY_BYTES = 16 * MB
STDERR_TAIL_BYTES = 4000
# What torch and numpy say when malloc fails; torch raises RuntimeError, not MemoryError.
OUT_OF_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "unable to allocate", "cannot allocate memory")
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
PDEATHSIG_OPTION = 1


@dataclass(frozen=True)
class Limits:
    """What the child may use. `memory_mb` comes on top of the interpreter and its imports."""

    memory_mb: int = 4096
    cpu_seconds: int = 120
    wall_seconds: float = 120.0
    file_mb: int = 2048

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """The limits of an upload."""
        return cls(
            memory_mb=settings.import_memory_mb,
            cpu_seconds=settings.import_seconds,
            wall_seconds=float(settings.import_seconds),
            # A half precision file doubles when it is kept in float32.
            file_mb=2 * settings.max_upload_mb,
        )


@dataclass(frozen=True)
class Product:
    """A file that a child made, kept under the SHA-256 of its bytes, and what the child said about it."""

    result: Any
    sha256: str
    path: Path


def run_in_child(
    function: str,
    arguments: dict[str, Any],
    *,
    limits: Limits,
    rejection: type[ThinIceError] = UnsafeCheckpoint,
    folder: Path | None = None,
    passes: Sequence[str] = (),
) -> Any:
    """Call `function(**arguments)` in a child process and give its result.

    Args:
        function: "package.module:name", one of ours.
        arguments: JSON-ready.
        limits: what the child may use.
        rejection: class of the error when the child dies or outlives its time.
        folder: working directory and TMPDIR of the child; a fresh one by default.
        passes: environment variables that the child gets besides the usual ones.

    Returns:
        What the function returned, through JSON.

    Raises:
        ThinIceError: the function's own, unchanged; `TooLarge` when memory or file size ran out; `rejection` when the
            child died or ran out of time; a plain one when our code failed in a way nobody foresaw.
    """
    with tempfile.TemporaryDirectory(prefix="thinice-child-") as scratch, tempfile.TemporaryFile() as reply_file:
        workplace = folder or Path(scratch)
        request = json.dumps({"function": function, "arguments": arguments, "limits": asdict(limits)})
        with tempfile.TemporaryFile() as complaints:
            code = _run(request, workplace, limits, passes, reply_file, complaints)
            reply = _read_reply(reply_file)
            if reply is None:
                LOG.warning("child %s ended with %s: %s", function, code, _read_tail(complaints))
                raise _explain_death(code, limits, rejection)
    if "error" in reply:
        raise _rebuild_error(reply["error"])
    if "crash" in reply:
        LOG.error("child %s failed: %s", function, reply["crash"])
        raise ThinIceError(f"Reading the file failed unexpectedly: {reply['reason']}.")
    return reply["result"]


def make_in_child(
    function: str,
    arguments: dict[str, Any],
    *,
    out_dir: Path,
    suffix: str,
    limits: Limits,
    rejection: type[ThinIceError] = UnsafeCheckpoint,
    passes: Sequence[str] = (),
) -> Product:
    """Let a child write one file and keep it in `out_dir` as `<sha256><suffix>`.

    The function gets a further argument `out`, the path to write to, in a folder that vanishes with the call. The file
    appears under its final name whole and synced, or not at all; one that is there already stays.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=out_dir) as scratch:
        made = Path(scratch) / f"made{suffix}"
        result = run_in_child(
            function,
            {**arguments, "out": str(made)},
            limits=limits,
            rejection=rejection,
            folder=Path(scratch),
            passes=passes,
        )
        sha256 = hash_file(made)
        path = out_dir / f"{sha256}{suffix}"
        _sync(made)
        made.chmod(0o600)
        os.replace(made, path)
        _sync(out_dir)
    return Product(result, sha256, path)


def hash_file(path: Path) -> str:
    """SHA-256 (hex) of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run(
    request: str,
    workplace: Path,
    limits: Limits,
    passes: Sequence[str],
    reply: IO[bytes],
    complaints: IO[bytes],
) -> int | None:
    """Start the child, wait, end its whole group; give its exit code, None where the time ran out."""
    with tempfile.TemporaryFile() as question:
        question.write(request.encode())
        question.seek(0)
        # Files, not pipes: RLIMIT_FSIZE then also holds for what the child says.
        child = subprocess.Popen(
            [sys.executable, "-s", "-m", "backend.sandbox"],
            stdin=question,
            stdout=reply,
            stderr=complaints,
            cwd=workplace,
            env=_scrub_environment(workplace, passes),
            start_new_session=True,
        )
    try:
        return child.wait(limits.wall_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end_group(child)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill the child's process group, the child included, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _scrub_environment(workplace: Path, passes: Sequence[str]) -> dict[str, str]:
    """An environment without tokens and database URLs, and without proxies unless `passes` names them."""
    kept = {name: os.environ[name] for name in (*KEPT_VARIABLES, *passes) if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(workplace),
        "TMPDIR": str(workplace),
        "CUDA_VISIBLE_DEVICES": "",
        # One thread and one arena: every further one reserves address space that RLIMIT_AS counts.
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }


def _read_reply(file: IO[bytes]) -> dict[str, Any] | None:
    """The child's reply; None where it is missing, broken or absurdly long."""
    file.seek(0)
    content = file.read(MAX_REPLY_BYTES + 1)
    if not content or len(content) > MAX_REPLY_BYTES:
        return None
    try:
        reply = json.loads(content)
    except ValueError:
        return None
    return reply if isinstance(reply, dict) and {"result", "error", "crash"} & reply.keys() else None


def _read_tail(file: IO[bytes]) -> str:
    """The end of what the child wrote to stderr."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - STDERR_TAIL_BYTES))
    return file.read().decode(errors="replace")


def _explain_death(code: int | None, limits: Limits, rejection: type[ThinIceError]) -> ThinIceError:
    """Say why there is no reply."""
    if code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
        if code == -signal.SIGKILL:
            reason = f"was killed (more than {limits.cpu_seconds} s of CPU time, or the machine ran out of memory)"
        else:
            reason = f"took longer than {limits.wall_seconds:g} s and was stopped"
        return rejection(f"The process that opened the file {reason}. A valid file opens in seconds.", reason="stopped")
    if code == -signal.SIGXFSZ:
        return _explain_file_size(limits)
    if code < 0:
        name = signal.Signals(-code).name
        return rejection(
            f"The process that opened the file crashed ({name}); the file is damaged or malicious.", reason=name
        )
    return rejection(f"The process that opened the file ended without a reply (exit code {code}).", reason="no reply")


def _explain_file_size(limits: Limits) -> TooLarge:
    return TooLarge(f"Once opened, the file would take more than {limits.file_mb} MB.", limit_mb=limits.file_mb)


def _explain_memory(limits: Limits) -> TooLarge:
    return TooLarge(
        f"Opening the file needs more than {limits.memory_mb} MB of memory. If the file is valid, raise "
        "THINICE_IMPORT_MEMORY_MB.",
        limit_mb=limits.memory_mb,
    )


def _rebuild_error(reply: dict[str, Any]) -> ThinIceError:
    """Give the error that the child raised; classes with a constructor of their own (UnknownName) included."""
    kind = error_classes().get(reply["code"], ThinIceError)
    error = kind.__new__(kind)
    ThinIceError.__init__(error, reply["message"], **reply["details"])
    return error


# From here on: the child.


def _take_limits(limits: Limits) -> None:
    """Limit this process from now on: what it has used so far does not count."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    memory = pages * resource.getpagesize() + limits.memory_mb * MB
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + limits.cpu_seconds
    for kind, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_FSIZE, limits.file_mb * MB, limits.file_mb * MB),
        (resource.RLIMIT_NOFILE, 256, 256),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))


def _die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it dies; elsewhere the CPU limit ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PDEATHSIG_OPTION, signal.SIGKILL)


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    """Run the request and give the reply: a result, an error of our tree, or a crash."""
    limits = Limits(**request["limits"])
    module_name, _, name = request["function"].partition(":")
    try:
        function = getattr(importlib.import_module(module_name), name)
        _take_limits(limits)
        return {"result": function(**request["arguments"])}
    except ThinIceError as error:
        return _pack_error(error)
    except MemoryError:
        return _pack_error(_explain_memory(limits))
    except Exception as error:  # the last frame of this process: whatever it is, the parent must hear of it
        text = str(error)
        if any(words in text.lower() for words in OUT_OF_MEMORY_WORDS):
            return _pack_error(_explain_memory(limits))
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            return _pack_error(_explain_file_size(limits))
        return {"crash": traceback.format_exc(), "reason": f"{type(error).__name__}: {text[:200]}"}


def _pack_error(error: ThinIceError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, "details": error.details}}


def main() -> None:
    """Run the request from stdin and write the reply on stdout; whatever our code prints goes to stderr."""
    _die_with_parent()
    channel = os.dup(1)
    os.dup2(2, 1)
    reply = _reply(json.loads(sys.stdin.buffer.read()))
    with os.fdopen(channel, "wb") as file:
        file.write(json.dumps(reply).encode())


if __name__ == "__main__":
    main()
