"""A table of a page over REST: Parquet comes back, and what is no table is refused."""

import io

import pyarrow.parquet as pq
from starlette.testclient import TestClient

from tests.api.test_errors import error_of

URL = "/api/v1/tables"


def test_post_table_gives_a_parquet_file(client: TestClient) -> None:
    response = client.post(URL, json={"headings": ["Name", "n"], "rows": [["a", "2,000"]]})
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == 'attachment; filename="table.parquet"'
    assert pq.read_table(io.BytesIO(response.content)).to_pylist() == [{"Name": "a", "n": 2000}]


def test_post_table_bad_requests_are_refused_with_a_code(client: TestClient) -> None:
    error_of(client.post(URL, json={"headings": [], "rows": []}), 422, "invalid_request")
    error_of(client.post(URL, json={"headings": ["a"], "rows": [["1", "2"]]}), 422, "invalid_request")
    error_of(client.post(URL, json={"headings": ["a"]}), 422, "invalid_request")
