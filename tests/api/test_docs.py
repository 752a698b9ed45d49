"""The docs page lists every operation and loads nothing from elsewhere."""

import importlib
import pkgutil
import re

from starlette.testclient import TestClient

from backend import api
from backend.api.docs import docs_page, operations
from backend.api.routes import NOUNS


def test_docs_list_every_operation_with_local_assets_only(client: TestClient) -> None:
    schema = client.get("/api/openapi.json").json()
    page = client.get("/api/docs").text
    for method, path, _ in operations(schema):
        assert f"<b>{method}</b> <code>{path}</code>" in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert "swagger" not in client.get(path).text.lower()


def test_every_noun_with_routes_is_on_the_application() -> None:
    modules = [importlib.import_module(f"backend.api.{row.name}") for row in pkgutil.iter_modules(api.__path__)]
    left_out = [one.__name__ for one in modules if hasattr(one, "router") and one.__name__ != "backend.api.docs"]
    assert set(left_out) - {noun.__name__ for noun in NOUNS} == set(), "add these to NOUNS in backend/api/routes.py"


def test_openapi_describes_errors_and_uploads(client: TestClient) -> None:
    schema = client.get("/api/openapi.json").json()
    assert len(schema["paths"]) >= 20
    for _, path, operation in operations(schema):
        assert path.startswith("/api/v1/")
        shape = operation["responses"]["422"]["content"]["application/json"]["schema"]
        assert shape == {"$ref": "#/components/schemas/ErrorBody"}
    form = schema["paths"]["/api/v1/checkpoints"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) >= {"file", "upload_id", "name", "role", "dataset_id", "keep_rate", "evaluate"}


def test_docs_page_escapes_what_it_shows() -> None:
    operation = {"summary": "<script>", "parameters": [{"name": "<b>", "in": "query", "schema": {"enum": ["<i>"]}}]}
    page = docs_page({"info": {"title": "<t>", "version": "1"}, "paths": {"/<p>": {"get": operation}}})
    assert not any(tag in page for tag in ("<script>", "<t>", "<i>", "/<p>", "<b><b>"))
