"""How responses travel: compressed where that pays, and kept by browsers where the address names the content."""

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.files import FOREVER, TABLES

SMALLEST_BYTES = 1000  # below that the headers of a compressed response outweigh what it saves
LEVEL = 5  # of 9: nearly as small, three times as fast
COMPRESSED_ALREADY = (*DEFAULT_EXCLUDED_CONTENT_TYPES, TABLES["parquet"])
ASSETS = "/assets/"
PACKAGES = "/_dash-component-suites/"


class Delivery:
    """Pure ASGI: gzip for text from 1 kB on (never for images and event streams), and a lasting cache for assets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(
            self.mark, minimum_size=SMALLEST_BYTES, compresslevel=LEVEL, exclude_content_types=COMPRESSED_ALREADY
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.compressed(scope, receive, send)

    async def mark(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an asset whose address holds its time of change never changes under that address."""
        if not is_lasting(scope):
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = FOREVER
            await send(message)

        await self.app(scope, receive, send_marked)


def is_lasting(scope: Scope) -> bool:
    """Whether the address names one content for ever: Dash writes the time of change, or a version, into it."""
    if scope["type"] != "http":
        return False
    path, query = scope["path"], scope["query_string"].decode("latin-1")
    is_asset = path.startswith(ASSETS) and query.startswith("m=")
    return is_asset or (path.startswith(PACKAGES) and ".v" in path.rsplit("/", 1)[-1])
