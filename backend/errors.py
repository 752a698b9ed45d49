"""Every error that a user can cause, as one tree.

ThinIceError                    500 internal
├── InvalidRequest              422 invalid_request        a value is missing, malformed or out of range
│   ├── UnknownName             422 unknown_name           a catalogue has no such entry; lists what exists
│   ├── TrainsOnTest            422 trains_on_test         training data that the result would be judged on
│   ├── UnreadableDataset       422 unreadable_dataset     a data set file breaks a rule of its format
│   ├── UnreadableAdversarials  422 unreadable_adversarials  an uploaded .npy breaks a rule of the format
│   └── UnreadableBundle        422 unreadable_bundle      a bundle of evaluations is damaged or contradicts itself
├── RejectedCheckpoint          422 rejected_checkpoint    the file cannot be taken, and why
│   ├── UnsafeCheckpoint        422 unsafe_checkpoint      it needs code execution, or declares absurd sizes
│   ├── UnreadableCheckpoint    422 unreadable_checkpoint  no known format, or damaged
│   ├── UnknownArchitecture     422 unknown_architecture   keys and shapes fit no registered network
│   ├── MismatchedKeys          422 mismatched_keys        missing, unexpected or mis-shaped keys, by name
│   └── AmbiguousCheckpoint     422 ambiguous_checkpoint   the file leaves something open; details.ask is the field
├── TooLarge                    413 too_large              over a limit that the message names
├── NotFound                    404 not_found              no such row, sample or file
├── Conflict                    409 conflict               the state of things forbids it now
│   └── NotComparable           409 not_comparable         two evaluations share no samples
├── AccessDenied                401 access_denied          a token is needed or wrong
│   └── ForbiddenOrigin         403 forbidden_origin       host or origin is not ours
├── AttackFailed                500 attack_failed          an attack broke its contract
└── StartupFailed               500 startup_failed         port taken, home not writable, database too new

Codes never change; `details` is JSON-ready. One handler (backend.api.errors) renders all of them.
"""

from collections.abc import Iterable
from typing import Any


class ThinIceError(Exception):
    """An error with a stable code, an HTTP status, a sentence for people and details for programs."""

    code = "internal"
    status = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidRequest(ThinIceError):
    code = "invalid_request"
    status = 422


class UnknownName(InvalidRequest):
    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(f"There is no {kind} {name!r}. Known: {', '.join(names)}.", kind=kind, name=name, known=names)


class TrainsOnTest(InvalidRequest):
    code = "trains_on_test"


class UnreadableDataset(InvalidRequest):
    code = "unreadable_dataset"


class UnreadableAdversarials(InvalidRequest):
    code = "unreadable_adversarials"


class UnreadableBundle(InvalidRequest):
    code = "unreadable_bundle"


class RejectedCheckpoint(ThinIceError):
    code = "rejected_checkpoint"
    status = 422


class UnsafeCheckpoint(RejectedCheckpoint):
    code = "unsafe_checkpoint"


class UnreadableCheckpoint(RejectedCheckpoint):
    code = "unreadable_checkpoint"


class UnknownArchitecture(RejectedCheckpoint):
    code = "unknown_architecture"


class MismatchedKeys(RejectedCheckpoint):
    code = "mismatched_keys"


class AmbiguousCheckpoint(RejectedCheckpoint):
    """The file alone does not say which network it is.

    Details: `ask`, the form field that decides; `suggestion`, a value worth considering or None, never used unasked.
    """

    code = "ambiguous_checkpoint"


class TooLarge(ThinIceError):
    code = "too_large"
    status = 413


class NotFound(ThinIceError):
    code = "not_found"
    status = 404


class Conflict(ThinIceError):
    code = "conflict"
    status = 409


class NotComparable(Conflict):
    code = "not_comparable"


class AccessDenied(ThinIceError):
    code = "access_denied"
    status = 401


class ForbiddenOrigin(AccessDenied):
    code = "forbidden_origin"
    status = 403


class AttackFailed(ThinIceError):
    code = "attack_failed"


class StartupFailed(ThinIceError):
    code = "startup_failed"


def error_classes() -> dict[str, type[ThinIceError]]:
    """Every class of the tree by its code (used to carry an error out of a child process, and by tests)."""
    found: dict[str, type[ThinIceError]] = {}
    waiting: list[type[ThinIceError]] = [ThinIceError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found
