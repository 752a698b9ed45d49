"""The web process: REST interface, dashboard, and the guard in front of both. The one place where they meet.

Never imports torch: checkpoints are opened in child processes, attacks run in workers.
"""

import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread
from types import FrameType

import uvicorn
from anyio import to_thread
from fastapi import FastAPI

from backend.api import stopping
from backend.api.body_limit import BodyLimit
from backend.api.delivery import Delivery
from backend.api.guard import Guard
from backend.api.login import login_routes
from backend.api.request_log import RequestIdFilter, RequestLog
from backend.api.routes import add_api
from backend.errors import StartupFailed
from backend.services import system, uploads
from backend.settings import Settings, get_settings
from backend.startup import check_start, find_address, read_settings
from frontend.app import create_dashboard

log = logging.getLogger("thinice.server")

STOP_SECONDS = 5.0  # what the shipped results get to finish the evaluation in hand
GRACE_SECONDS = 2  # what open requests get when the server is asked to stop
STARTUP_EXIT_CODE = 2
DESCRIPTION = (
    "Which samples flip after pruning? Shares are 0..1; margins are for pixels in [0, 1]; a null margin means that no "
    "adversarial was found."
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole web application: REST under /api, the dashboard everywhere else."""
    settings = settings or get_settings()
    app = FastAPI(
        title="Thin Ice",
        version=system.find_version(),
        description=DESCRIPTION,
        openapi_url=None,  # /api/openapi.json is a route of ours
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    stopping.prepare(app)
    add_api(app)
    app.include_router(login_routes(settings))
    create_dashboard(app)
    # The last one added is the outermost: every request gets an id, then passes the guard, then the limit.
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Delivery)
    app.add_middleware(RequestLog)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Database, built-in data sets and shipped checkpoints are there before the first request."""
    await to_thread.run_sync(system.bootstrap)
    await to_thread.run_sync(uploads.sweep_uploads)
    loading = Thread(target=system.load_shipped, args=(app.state.stopping.is_set,), daemon=True)
    loading.start()
    yield
    app.state.stopping.set()
    await to_thread.run_sync(loading.join, STOP_SECONDS)


class Server(uvicorn.Server):
    """uvicorn that tells open streams when it is asked to stop, instead of waiting for them."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.on_exit()
        super().handle_exit(sig, frame)


def prepare_logging(level: str) -> None:
    """One line per record on stderr, with the request id."""
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def serve(settings: Settings) -> None:
    """Check what can be checked, then serve until a signal; raises StartupFailed with one sentence."""
    check_start(settings)
    system.bootstrap()  # here too, because an error inside the lifespan would reach the user as a traceback
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    access = "open to this machine only" if settings.token is None else "with an access token"
    log.info("Serving %s, %s", find_address(settings), access)
    Server(config, app.state.stopping.set).run()


def main() -> None:
    """Serve; exit code 2 and one sentence on stderr when the server cannot start."""
    try:
        settings = read_settings()
        prepare_logging(settings.log_level)
        serve(settings)
    except StartupFailed as error:
        print(f"Thin Ice cannot start. {error.message}", file=sys.stderr)
        sys.exit(STARTUP_EXIT_CODE)
    except KeyboardInterrupt:
        pass  # Ctrl-C after an orderly stop; a traceback would look like a failure


if __name__ == "__main__":
    main()
