"""Imports several checkpoint files in one process. Runs in the child that `shipment` starts."""

from typing import Any

from backend.registry.importing import import_checkpoint


def import_checkpoints(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Call `import_checkpoint` with each request's arguments, in order, and give what it gave."""
    return [import_checkpoint(**request) for request in requests]
