"""Start the web process and the workers, bring dead ones back, stop all of them: `python -m backend.supervisor`.

Never imports torch. Each child leads a session of its own: a Ctrl-C reaches the supervisor alone, which then ends each
child with all that the child started. On Linux the kernel ends the children of a supervisor that was killed.
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from backend.errors import StartupFailed
from backend.settings import Settings
from backend.startup import Command, check_start, find_address, plan_commands, read_settings

TICK_SECONDS = 0.1
HEALTH_EVERY_SECONDS = 0.5
HEALTH_TIMEOUT_SECONDS = 1.0
TERMINATE_SECONDS = 3.0
"""What a child is given to end by itself; with a question for the health before it, all are gone within 5 s."""
KILL_SECONDS = 1.0
FIRST_DELAY_SECONDS = 0.5
SLOW_DELAY_SECONDS = 30.0
DEATHS_BEFORE_SLOW = 5
DEATHS_WINDOW_SECONDS = 60.0
CANNOT_START = 2
"""Exit code of a child that has said what the user must change: starting it again would only repeat it."""
PR_SET_PDEATHSIG = 1


def say(sentence: str) -> None:
    """Print a line for people, at once."""
    print(sentence, file=sys.stderr, flush=True)


def tie_to_supervisor() -> Callable[[], None] | None:
    """Give what a child runs before its program, so that it dies with the supervisor; None where only Linux can."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    supervisor = os.getpid()

    def die_with_supervisor() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died between the fork and the line above
            os._exit(1)

    return die_with_supervisor


class Child:
    """One process that shall run: started, watched, started again after a growing delay."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.starts_at = 0.0
        self.deaths: list[float] = []
        self.is_slow = False

    def start(self) -> None:
        """Start the process, in a session of its own and without standard input."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command.words,
            env={**os.environ, **self.command.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tie_to_supervisor(),
        )

    def take_exit_code(self) -> int | None:
        """The exit code of a process that has ended since the last call (negative: a signal), else None."""
        if self.process is None or self.process.poll() is None:
            return None
        code = self.process.returncode
        self.signal_group(signal.SIGKILL)  # what it had started goes with it
        self.process = None
        return code

    def plan_restart(self, now: float) -> float:
        """Note a death at `now` and give the seconds until the next start.

        0.5, 1, 2, 4, and from the fifth death within a minute 30, until the process lives for a minute.
        """
        if now - self.started_at > DEATHS_WINDOW_SECONDS:
            self.is_slow = False
        self.deaths = [moment for moment in self.deaths if now - moment < DEATHS_WINDOW_SECONDS] + [now]
        self.is_slow = self.is_slow or len(self.deaths) >= DEATHS_BEFORE_SLOW
        delay = SLOW_DELAY_SECONDS if self.is_slow else FIRST_DELAY_SECONDS * 2.0 ** (len(self.deaths) - 1)
        self.starts_at = now + delay
        return delay

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all that it started in its session's group."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Supervisor:
    """Keeps the commands running until SIGINT, SIGTERM or SIGHUP; announces `address` once it responds."""

    def __init__(self, commands: Sequence[Command], address: str, announcement: str, token: str | None = None) -> None:
        self.children = [Child(command) for command in commands]
        self.request = urllib.request.Request(f"{address}/api/v1/health")
        if token is not None:
            self.request.add_header("Authorization", f"Bearer {token}")
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never ask a proxy for loopback
        self.announcement = announcement
        self.is_announced = False
        self.is_stopping = False
        self.asks_at = 0.0

    def run(self) -> int:
        """Run until told to stop; 0 then, 2 where a child says before the announcement that it cannot start."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup wants it ignored
                signal.signal(number, self.ask_to_stop)
        code = 0
        try:
            while not self.is_stopping and code == 0:
                code = self.tend()
                self.announce()
                time.sleep(TICK_SECONDS)
        finally:
            self.stop()
        return code

    def ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        """Note the signal; the loop sees it within a tick."""
        self.is_stopping = True

    def tend(self) -> int:
        """Start what is due, note what has died; 2 where the user must change something first, else 0."""
        for child in self.children:
            code = child.take_exit_code()
            if code == CANNOT_START and not self.is_announced:
                return CANNOT_START
            if code is not None:
                report_death(child, code)
            if child.process is None and time.monotonic() >= child.starts_at and not self.is_stopping:
                child.start()
        return 0

    def announce(self) -> None:
        """Ask for the health, at most twice a second, until it responds; then print the announcement, once."""
        if self.is_announced or self.is_stopping or time.monotonic() < self.asks_at:
            return
        try:
            with self.opener.open(self.request, timeout=HEALTH_TIMEOUT_SECONDS):
                self.is_announced = True
        except OSError:  # not there yet; urllib's own errors are OSErrors too
            self.asks_at = time.monotonic() + HEALTH_EVERY_SECONDS
            return
        say(self.announcement)

    def stop(self) -> None:
        """End every child: asked first, killed after 3.5 s."""
        for number, seconds in ((signal.SIGTERM, TERMINATE_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
            for child in self.children:
                child.signal_group(number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and any(child.process is not None for child in self.children):
                for child in self.children:
                    child.take_exit_code()
                time.sleep(TICK_SECONDS / 2)


def report_death(child: Child, code: int) -> None:
    """Plan the restart of a child that has died, and say what happens."""
    was_slow = child.is_slow
    delay = child.plan_restart(time.monotonic())
    reason = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    if child.is_slow and not was_slow:
        say(f"{child.command.name} died {len(child.deaths)} times within a minute; its last messages are above.")
    say(f"{child.command.name} {reason}; it will restart in {delay:g} s.")


def describe_start(settings: Settings) -> str:
    """The lines that tell the user where everything is, the command line too."""
    address = find_address(settings)
    lines = [f"Thin Ice runs at {address} with its data in {settings.home.resolve()}  (Ctrl-C stops it)"]
    program = find_command_line()
    if program is not None:
        elsewhere = "" if address == find_address(Settings.model_construct()) else f" --url {address}"
        lines.append(f"In another terminal: {program} status{elsewhere}  (`{program} --help` lists the commands)")
    return "\n".join(lines)


def find_command_line() -> str | None:
    """How a shell in this folder calls `thinice`: by its name where that is on the path, else by its path; None where
    it is not installed."""
    program = Path(sys.executable).with_name("thinice")
    on_path = shutil.which("thinice")
    if on_path is not None and Path(on_path).resolve() == program.resolve():
        return "thinice"
    if not program.is_file():
        return None
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, start, supervise; 0 after Ctrl-C, 2 with one sentence on stderr where it cannot start."""
    argparse.ArgumentParser(
        prog="python -m backend.supervisor",
        description="Run the web process and the workers until Ctrl-C. Settings come from THINICE_ variables.",
    ).parse_args(argv)
    try:
        settings = read_settings()
        check_start(settings)
    except StartupFailed as error:
        say(error.message)
        return CANNOT_START
    commands = plan_commands(settings)
    return Supervisor(commands, find_address(settings), describe_start(settings), settings.token).run()


if __name__ == "__main__":
    sys.exit(main())
