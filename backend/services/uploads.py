"""Files on their way in: received in pieces, hashed meanwhile, kept aside until an import takes or refuses them.

They lie in `home/uploads` under names of our own; the sender's file name is only ever text.
"""

import hashlib
import os
import shutil
import time
from pathlib import Path
from uuid import UUID, uuid4

from backend.errors import NotFound, TooLarge
from backend.schemas.uploads import UploadOut
from backend.settings import get_settings

MEGABYTE = 1024 * 1024
FREE_SPACE_KEPT = 256 * MEGABYTE  # what an upload leaves on the disk, so that the database can still write
KEPT_SECONDS = 24 * 3600  # an upload that nobody imported


class IncomingFile:
    """A file being received: `append` pieces, then `finish` or `discard`. Not for use by two threads at once."""

    def __init__(self, filename: str) -> None:
        self.id = uuid4()
        self.filename = clean_filename(filename)
        self.size = 0
        self._hash = hashlib.sha256()
        self.path = uploads_folder() / f"{self.id}.part"
        self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def append(self, piece: bytes) -> None:
        """Write the piece; raises TooLarge before the limit of THINICE_MAX_UPLOAD_MB or the disk is exceeded."""
        refuse_size(self.size + len(piece))
        refuse_full_disk(len(piece))
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def finish(self) -> UploadOut:
        """Make the file durable and known; afterwards `find_upload` finds it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        arrived = UploadOut(upload_id=self.id, filename=self.filename, bytes=self.size, sha256=self._hash.hexdigest())
        self.path.with_suffix(".json").write_text(arrived.model_dump_json(), encoding="utf-8")
        self.path.rename(self.path.with_suffix(".upload"))
        return arrived

    def discard(self) -> None:
        """Forget the file; harmless after `finish`."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def uploads_folder() -> Path:
    folder = get_settings().home / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def clean_filename(filename: str) -> str:
    """The last part of a file name, printable, at most 200 characters; `upload` where nothing is left."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:200].strip() or "upload"


def refuse_size(size_bytes: int) -> None:
    """Raise TooLarge for a file beyond THINICE_MAX_UPLOAD_MB."""
    limit_mb = get_settings().max_upload_mb
    if size_bytes > limit_mb * MEGABYTE:
        raise TooLarge(
            f"The file is larger than {limit_mb} MB, the limit set by THINICE_MAX_UPLOAD_MB.",
            limit_bytes=limit_mb * MEGABYTE,
        )


def refuse_full_disk(size_bytes: int) -> None:
    """Raise TooLarge when the file would leave less than `FREE_SPACE_KEPT` on the disk."""
    if shutil.disk_usage(uploads_folder()).free - size_bytes < FREE_SPACE_KEPT:
        raise TooLarge("The server's disk is too full for this file. Free some space in THINICE_HOME and try again.")


def find_upload(upload_id: UUID | str) -> tuple[Path, UploadOut]:
    """Path and description of a file that arrived; raises NotFound for an unknown or already imported one."""
    path = uploads_folder() / f"{UUID(str(upload_id))}.upload"
    try:
        upload = UploadOut.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no upload {upload_id}. Send the file again.", upload_id=str(upload_id)) from None
    return path, upload


def discard_upload(upload_id: UUID | str) -> None:
    """Delete a file that was imported or is not wanted; unknown ids are fine."""
    path = uploads_folder() / f"{UUID(str(upload_id))}.upload"
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def sweep_uploads() -> int:
    """Delete files that lay unused for a day (also half-received ones of a crashed server); returns how many."""
    old = [path for path in uploads_folder().iterdir() if path.stat().st_mtime < time.time() - KEPT_SECONDS]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
