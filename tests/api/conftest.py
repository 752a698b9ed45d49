"""One filled home and the real application on it, for all tests of this package."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from backend.server import create_app
from tests.api.site import Site, environment_of, fill_home

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The filled home; uploads are limited to 1 MB so that the limit can be tried."""
    folder = tmp_path_factory.mktemp("site")
    home = folder / "home"
    with environment_of(home, THINICE_MAX_UPLOAD_MB="1"):
        yield fill_home(home, folder)


@pytest.fixture(scope="package")
def app(site: Site) -> FastAPI:
    return create_app()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client on this machine without a browser's headers. The lifespan is not run: its bootstrap loads the zoo."""
    client = TestClient(app, base_url=ADDRESS)
    yield client
    client.close()
