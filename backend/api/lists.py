"""What list routes share: the page that is asked for, and text that may stand in a path."""

from typing import Annotated

from fastapi import Path, Query

LARGEST_OFFSET = 2**31 - 1  # beyond what any table holds; a larger number would not fit a database integer

Limit = Annotated[int, Query(ge=1, le=200, description="Items per page")]
MarginLimit = Annotated[int, Query(ge=1, le=100_000, description="Rows per page")]
Offset = Annotated[int, Query(ge=0, le=LARGEST_OFFSET, description="Items to skip")]
SampleIndex = Annotated[int, Path(ge=0, le=LARGEST_OFFSET, description="Row of the sample in its data set")]
DatasetId = Annotated[str, Path(min_length=1, max_length=200, description="UUID or slug of a data set")]
Scale = Annotated[int, Query(ge=1, le=16, description="Screen pixels per image pixel, nearest neighbour")]
