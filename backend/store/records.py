"""The column that holds the record of a job: a typed model in Python, JSON in the database."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import JSON, Dialect
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from backend.schemas.records import VERSION, JobRecord

R = TypeVar("R", bound=JobRecord)

logger = logging.getLogger("thinice.store")


class RecordColumn(TypeDecorator[R], Generic[R]):
    """Stores a record as JSON of the fields that were written, and reads it back, upgraded.

    Paths into the JSON work in questions: `Evaluation.record[("transfer", "evaluation_id")].as_string()`.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, model: type[R]) -> None:
        super().__init__()
        self.model = model

    def process_bind_param(self, value: R | None, dialect: Dialect) -> Any:
        return None if value is None else value.to_json()

    def process_result_value(self, value: Any, dialect: Dialect) -> R | None:
        return None if value is None else self.model.model_validate(upgrade(value))

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """A path into the JSON is compared as the path into any JSON."""
        return self.impl_instance.coerce_compared_value(op, value)

    def compare_values(self, x: R | None, y: R | None) -> bool:
        """Whether there is nothing to write: a field written as null differs from one that nobody wrote."""
        return (None if x is None else x.to_json()) == (None if y is None else y.to_json())


def upgrade(stored: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of a record of any version in today's shape.

    Records without a version are from before there were any, in the shape of version 1. Of a newer version, which a
    newer Thin Ice wrote, every field is kept as it is; a warning says so once.
    """
    version = stored.get("version", 1)
    if version > VERSION:
        warn_of_newer(version)
    return {**stored, "version": version}


@lru_cache
def warn_of_newer(version: int) -> None:
    """Say once per process that newer records are in the database."""
    logger.warning("There are records of version %d, written by a newer Thin Ice; this one knows %d.", version, VERSION)
