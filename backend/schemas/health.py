"""The state of the whole product."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.schemas import Schema


class WorkerOut(Schema):
    id: str
    host: str
    pid: int
    device: str
    last_seen: datetime


class Health(Schema):
    status: Literal["ok", "degraded"]
    version: str
    database: str = Field(description="sqlite or postgresql")
    workers: list[WorkerOut] = Field(description="Workers that are alive")
    queue_depth: int = Field(description="Evaluations, evidence and prunings queued or running")
    open_access: bool = Field(description="true while no token is set (loopback only)")
