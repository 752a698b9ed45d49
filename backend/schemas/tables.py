"""A table as a page shows it."""

from typing import Annotated

from pydantic import Field

from backend.schemas import Schema

Text = Annotated[str, Field(max_length=1000)]
Cells = Annotated[list[Text], Field(min_length=1, max_length=100)]


class TableIn(Schema):
    """Rows of text under headings; every row has a cell for each heading."""

    headings: Cells
    rows: list[Cells] = Field(
        max_length=20_000,
        description="Cells as a page shows them: numbers with a true minus and commas are read, a dash is no value.",
    )
