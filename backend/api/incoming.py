"""Receiving files: a raw body or a multipart form, streamed to disk while hashing, never held in memory.

FastAPI's own form parsing would spool the file into the system's temporary folder first (often memory, never ours).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from anyio import to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from backend.errors import InvalidRequest, NotFound
from backend.schemas.uploads import UploadOut
from backend.services import uploads
from backend.services.uploads import IncomingFile

MEGABYTE = 1024 * 1024
LARGEST_FIELD = 256 * 1024  # a thousand class names as JSON fit
MOST_FIELDS = 40


@dataclass
class Part:
    """One part of a form while it arrives."""

    disposition: bytes = b""
    name: str = ""
    value: bytearray = field(default_factory=bytearray)
    is_file: bool = False


class FormReceiver:
    """Feeds a multipart parser; the file goes to disk in pieces of a megabyte, the fields stay as text."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.file: IncomingFile | None = None
        self.pending = bytearray()
        self._part = Part()
        self._header = (bytearray(), bytearray())
        self.is_complete = False
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.on_part_begin,
                "on_part_data": self.on_part_data,
                "on_part_end": self.on_part_end,
                "on_header_field": self.on_header_field,
                "on_header_value": self.on_header_value,
                "on_header_end": self.on_header_end,
                "on_headers_finished": self.on_headers_finished,
                "on_end": self.on_end,
            },
        )

    def on_part_begin(self) -> None:
        self._part = Part()

    def on_header_field(self, piece: bytes, start: int, end: int) -> None:
        self._header[0].extend(piece[start:end])

    def on_header_value(self, piece: bytes, start: int, end: int) -> None:
        self._header[1].extend(piece[start:end])

    def on_header_end(self) -> None:
        name, value = (bytes(text) for text in self._header)
        if name.lower() == b"content-disposition":
            self._part.disposition = value
        self._header = (bytearray(), bytearray())

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._part.name = options.get(b"name", b"").decode("utf-8", errors="replace")
        self._part.is_file = b"filename" in options or self._part.name == "file"
        if self._part.name in self.fields or (self._part.is_file and self.file):
            raise InvalidRequest(f"The form has the field `{self._part.name}` twice.")
        if len(self.fields) >= MOST_FIELDS:
            raise InvalidRequest(f"The form has more than {MOST_FIELDS} fields.")
        if self._part.is_file:
            if self._part.name != "file":
                raise InvalidRequest(f"The file is expected in the field `file`, not in `{self._part.name}`.")
            self.file = IncomingFile(options.get(b"filename", b"").decode("utf-8", errors="replace"))

    def on_part_data(self, piece: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self.pending.extend(memoryview(piece)[start:end])
            return
        self._part.value.extend(memoryview(piece)[start:end])
        if len(self._part.value) > LARGEST_FIELD:
            raise InvalidRequest(f"The field `{self._part.name}` is longer than {LARGEST_FIELD // 1024} kB.")

    def on_part_end(self) -> None:
        if not self._part.is_file:
            try:
                self.fields[self._part.name] = self._part.value.decode("utf-8")
            except UnicodeDecodeError:
                raise InvalidRequest(f"The field `{self._part.name}` is not UTF-8 text.") from None

    def on_end(self) -> None:
        self.is_complete = True

    def flush(self) -> None:
        """Write what arrived of the file."""
        if self.file is not None and self.pending:
            self.file.append(bytes(self.pending))
            self.pending.clear()


@asynccontextmanager
async def received_form(request: Request) -> AsyncIterator[tuple[dict[str, str], UploadOut]]:
    """The text fields of a form and its file, either sent along (`file`) or sent before (`upload_id`).

    An empty field counts as unset. A file sent along is deleted at the end; one sent before is deleted by whoever
    imports it, so that a refused import can be tried again with other fields.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidRequest("Send the file as multipart/form-data, for example: curl -F file=@model.pt -F name=...")
    receiver = FormReceiver(options[b"boundary"])
    try:
        await feed(receiver, request)
        fields = {name: value for name, value in receiver.fields.items() if value != ""}
        earlier = fields.pop("upload_id", None)
        if (receiver.file is None) == (earlier is None):
            raise InvalidRequest("Send either the field `file`, or the `upload_id` of a file sent earlier.")
        if receiver.file is None:
            yield fields, await to_thread.run_sync(find_earlier, str(earlier))
        else:
            arrived = await to_thread.run_sync(receiver.file.finish)
            try:
                yield fields, arrived
            finally:
                await to_thread.run_sync(uploads.discard_upload, arrived.upload_id)
    finally:
        if receiver.file is not None:
            receiver.file.discard()


async def feed(receiver: FormReceiver, request: Request) -> None:
    """Read the whole body into the receiver; raises InvalidRequest where it is no form."""
    try:
        async for piece in request.stream():
            receiver.parser.write(piece)
            if len(receiver.pending) >= MEGABYTE:
                await to_thread.run_sync(receiver.flush)
        receiver.parser.finalize()
    except FormParserError as error:
        raise InvalidRequest(f"The multipart form is damaged: {error}.") from error
    if not receiver.is_complete:  # the parser itself takes a form that was cut off for a whole one
        raise InvalidRequest("The multipart form ends too early. Send it again.")
    await to_thread.run_sync(receiver.flush)


def find_earlier(upload_id: str) -> UploadOut:
    try:
        return uploads.find_upload(upload_id)[1]
    except ValueError:
        raise NotFound(f"There is no upload {upload_id!r}. Send the file again.") from None


async def received_body(request: Request, filename: str) -> UploadOut:
    """The raw body as a file kept for a later import."""
    incoming = await to_thread.run_sync(partial(IncomingFile, filename))
    pending = bytearray()
    try:
        async for piece in request.stream():
            pending.extend(piece)
            if len(pending) >= MEGABYTE:
                await to_thread.run_sync(incoming.append, bytes(pending))
                pending.clear()
        await to_thread.run_sync(incoming.append, bytes(pending))
        return await to_thread.run_sync(incoming.finish)
    finally:
        await to_thread.run_sync(incoming.discard)
