"""What a page shows in a table, as a file that a browser cannot write itself."""

from fastapi import APIRouter, Response

from backend.api.files import TABLES, describe_content, download
from backend.schemas.tables import TableIn
from backend.services import exports

router = APIRouter(tags=["tables"])


@router.post(
    "/tables",
    summary="Rows of text as Parquet; a column of numbers becomes one of numbers",
    response_class=Response,
    responses={200: {"content": describe_content([TABLES["parquet"]])}},
)
def post_table(table: TableIn) -> Response:
    return download(exports.texts_parquet(table.headings, table.rows), "parquet", "table")
