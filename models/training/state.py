"""The state of a run on disk, so that a killed run goes on where it stood, bit for bit."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import torch

SECONDS_BETWEEN_WRITES = 20.0


class StateFile:
    """One file with the state of one run; `fingerprint` says which run it is.

    Writing replaces the file as a whole. How often it is written has no influence on what the run computes.
    """

    def __init__(self, path: Path, fingerprint: str, seconds_between_writes: float = SECONDS_BETWEEN_WRITES) -> None:
        self.path, self.fingerprint = path, fingerprint
        self.seconds_between_writes = seconds_between_writes
        self._written = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Was the last write long enough ago?"""
        return time.monotonic() - self._written >= self.seconds_between_writes

    def write(self, state: dict[str, Any]) -> None:
        """Write `state`: tensors, plain values, and dictionaries and lists of them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.partial")
        torch.save({**state, "fingerprint": self.fingerprint}, partial)
        os.replace(partial, self.path)
        self._written = time.monotonic()

    def read(self, device: torch.device) -> dict[str, Any] | None:
        """Read the state onto `device`; None where there is no file.

        Raises:
            ValueError: the state of another run.
        """
        if not self.path.exists():
            return None
        state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
        if state["fingerprint"] != self.fingerprint:
            raise ValueError(f"{self.path} holds the state of another run; delete this file to begin a new one")
        return state

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)


def take_fingerprint(*parts: Any) -> str:
    """Give the SHA-256 over plain JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
