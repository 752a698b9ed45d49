"""Is the server well, and who works?"""

from fastapi import APIRouter

from backend.schemas.health import Health
from backend.services import system

router = APIRouter(tags=["health"])


@router.get("/health", summary="State of the server, its workers and its queue")
def get_health() -> Health:
    return system.health()
