"""All routes of the REST interface on an application, in the order that matters."""

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from backend.api import (
    bundles,
    catalogues,
    checkpoints,
    claims,
    comparisons,
    datasets,
    docs,
    evaluations,
    evidence,
    families,
    health,
    layers,
    prunings,
    slices,
    tables,
    uploads,
)
from backend.api.errors import add_error_handlers
from backend.api.files import Responses
from backend.api.unknown import UnknownPath
from backend.schemas.errors import ErrorBody

NOUNS = (
    health,
    datasets,
    catalogues,
    uploads,
    checkpoints,
    evaluations,
    evidence,
    slices,
    layers,
    prunings,
    comparisons,
    claims,
    families,
    bundles,
    tables,
)
ERROR_RESPONSES: Responses = {
    422: {"model": ErrorBody, "description": "A value is missing, malformed or out of range"},
    "default": {"model": ErrorBody, "description": "Any other error"},
}


def add_api(app: FastAPI) -> None:
    """Add the versioned routes, the docs, the error handlers and, last, what responds to unknown paths under /api."""
    version_one = APIRouter(prefix="/api/v1", responses=ERROR_RESPONSES)
    for noun in NOUNS:
        version_one.include_router(noun.router)
    app.include_router(version_one)
    app.include_router(docs.router, prefix="/api")
    unknown = UnknownPath(list(app.routes))
    app.router.routes.append(Route("/api", unknown))  # the mount alone would leave the bare path to the dashboard
    app.mount("/api", unknown)
    add_error_handlers(app)
