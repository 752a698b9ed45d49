"""Talking to a running server over REST: what the command line uses, and a script may use as well."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import UUID

import httpx2

from backend.attacks.catalogue import promises_margins
from backend.startup import is_loopback

PAGE = 200
CONNECT_SECONDS = 5.0
RESPONSE_SECONDS = 300.0  # an upload is imported, in a child process, before the response
SAME_EFFORT = ("dataset_id", "preset", "norm", "eps_text", "n", "seed")


class ServerUnreachable(Exception):
    """No server responds at the address."""


class RequestRefused(Exception):
    """The server responded with an error; `body` is its JSON text as it came."""

    def __init__(self, message: str, *, code: str = "", status: int = 0, body: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.body = body


class Client:
    """A session with one server. Every method raises ServerUnreachable or RequestRefused."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.session = httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx2.Timeout(RESPONSE_SECONDS, connect=CONNECT_SECONDS),
            trust_env=not is_loopback(urlsplit(self.url).hostname or ""),  # no proxy on the way to this machine
        )

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One call under /api/v1."""
        try:
            response = self.session.request(method, f"/api/v1/{path}", **options)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise ServerUnreachable(
                f"No Thin Ice server responds at {self.url} ({error or type(error).__name__}). "
                "Start one with `thinice serve`, or name another with --url."
            ) from error
        if not response.is_success:
            raise refusal(response)
        return response

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of a GET; parameters that are None are left out."""
        return self.get_response(path, **parameters).json()

    def get_response(self, path: str, **parameters: Any) -> httpx2.Response:
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.request("GET", path, params=given)

    def each(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page, newest first."""
        offset = 0
        while True:
            page = self.get(path, limit=PAGE, offset=offset, **parameters)
            yield from page["items"]
            offset += PAGE
            if offset >= page["total"]:
                return

    def upload(
        self, file: BinaryIO, filename: str, fields: dict[str, Any], *, to: str = "checkpoints"
    ) -> httpx2.Response:
        """Send a file with its form `to` checkpoints or datasets; fields that are None are left out. It is streamed."""
        form = {name: str(value) for name, value in fields.items() if value is not None}
        return self.request("POST", to, data=form, files={"file": (filename, file)})

    def find_checkpoint(self, name_or_id: str) -> dict[str, Any]:
        """A checkpoint by id or by its exact name; RequestRefused lists what there is."""
        if is_uuid(name_or_id):
            found: dict[str, Any] = self.get(f"checkpoints/{name_or_id}")
            return found
        names = []
        for checkpoint in self.each("checkpoints"):
            if checkpoint["name"] == name_or_id:
                return checkpoint
            names.append(checkpoint["name"])
        raise RequestRefused(f"There is no checkpoint {name_or_id!r}. There are: {', '.join(sorted(names)) or 'none'}.")

    def find_evaluations(self, name_or_id: str) -> list[dict[str, Any]]:
        """The evaluation with this id, or all finished ones of the checkpoint with this name or id, newest first."""
        if is_uuid(name_or_id):
            try:
                return [self.get(f"evaluations/{name_or_id}")]
            except RequestRefused as error:
                if error.status != 404:
                    raise
        checkpoint = self.find_checkpoint(name_or_id)
        found = list(self.each("evaluations", checkpoint_id=checkpoint["id"], state="succeeded"))
        if not found:
            raise RequestRefused(f"{checkpoint['name']} has no finished evaluation yet.")
        return found


def refusal(response: httpx2.Response) -> RequestRefused:
    """An error response as an exception; also for responses that are not ours, such as a proxy's."""
    try:
        error = response.json()["error"]
        message, code = str(error["message"]), str(error["code"])
        if error.get("request_id"):
            message += f" (request {error['request_id']})"
    except (ValueError, KeyError, TypeError):
        message, code = f"The server responded {response.status_code} {response.reason_phrase}.", ""
    return RequestRefused(message, code=code, status=response.status_code, body=response.text)


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def choose_pair(dense: list[dict[str, Any]], pruned: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pair of evaluations to compare: same effort, margins before verdicts, most samples, newest.

    Where no two had the same effort, the first of each; the server says then what differs.
    """
    pairs = [(one, other) for other in pruned for one in dense if all(one[key] == other[key] for key in SAME_EFFORT)]
    if not pairs:
        return dense[0], pruned[0]
    return max(pairs, key=lambda pair: (promises_margins(pair[1]["preset"]), pair[1]["n"]))
