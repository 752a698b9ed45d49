"""/api/openapi.json, and /api/docs: its operations as one page, made here, because FastAPI's own loads a public CDN."""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse

router = APIRouter(include_in_schema=False)

STYLE = """
:root { color-scheme: light dark; --line: #8884; --accent: #0b6fb8 }
@media (prefers-color-scheme: dark) { :root { --accent: #5cb2ee } }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 960px; margin: 24px auto; padding: 0 16px }
details { border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; margin: 8px 0 }
summary { cursor: pointer } summary b { display: inline-block; min-width: 64px; color: var(--accent) }
code, pre { font: 12px/1.5 ui-monospace, monospace } pre { overflow-x: auto }
table { border-collapse: collapse; margin: 8px 0 }
td { text-align: left; padding: 2px 16px 2px 0; vertical-align: top }
"""


ERROR_RESPONSES = ("422", "default")
ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}


@router.get("/openapi.json")
def get_openapi(request: Request) -> JSONResponse:
    return JSONResponse(openapi_document(request.app))


@router.get("/docs")
def get_docs(request: Request) -> HTMLResponse:
    return HTMLResponse(docs_page(openapi_document(request.app)))


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, corrected: errors are JSON also where the response itself is an image or a stream."""
    document = app.openapi()
    for methods in document["paths"].values():
        for operation in methods.values():
            for status in ERROR_RESPONSES:
                operation["responses"][status]["content"] = ERROR_CONTENT
    return document


def docs_page(schema: dict[str, Any]) -> str:
    """The page for an OpenAPI document; everything from the document is escaped."""
    info = schema["info"]
    sections = "".join(operation_section(schema, *operation) for operation in operations(schema))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body><main>'
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info.get('description', ''))}</p>"
        f'<p>For programs: <a href="/api/openapi.json">openapi.json</a>.</p>{sections}</main></body></html>'
    )


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation, in the document's order."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def operation_section(schema: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (parameter["name"], parameter["in"], parameter.get("required", False), parameter)
        for parameter in operation.get("parameters", [])
    ]
    for name, is_required, field in body_fields(schema, operation):
        rows.append((name, "body", is_required, field))
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{place}</td><td>{'required' if is_required else ''}</td>"
        f"<td>{escape(type_of(field.get('schema', field)))}</td><td>{escape(field.get('description', ''))}</td></tr>"
        for name, place, is_required, field in rows
    )
    table = f"<table>{cells}</table>" if cells else ""
    return (
        f"<details><summary><b>{method}</b> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>"
        f"{table}<pre>{escape(example(method, path, operation))}</pre></details>"
    )


def body_fields(schema: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Name, whether required, and schema of each field of a request body."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        body = resolve(schema, media["schema"])
        for name, field in body.get("properties", {}).items():
            yield name, name in body.get("required", []), field


def resolve(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in field:
        named: dict[str, Any] = schema["components"]["schemas"][field["$ref"].rsplit("/", 1)[-1]]
        return named
    return field


def type_of(field: dict[str, Any]) -> str:
    """A field's type in a few words: `integer or list of integer`, `dense | pruned`."""
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(type_of(option) for option in field["anyOf"] if option.get("type") != "null")
    if field.get("type") == "array":
        return f"list of {type_of(field.get('items', {}))}"
    return str(field.get("format") or field.get("type") or field.get("$ref", "").rsplit("/", 1)[-1])


def example(method: str, path: str, operation: dict[str, Any]) -> str:
    """A curl line to start from."""
    content = operation.get("requestBody", {}).get("content", {})
    options = ""
    if "multipart/form-data" in content:
        required = content["multipart/form-data"]["schema"]["required"]
        options = "".join(f" -F {name}=..." for name in required if name != "file") + " -F file=@FILE"
    elif "application/json" in content:
        options = " --json '{...}'"
    elif content:
        options = " --data-binary @FILE"
    verb = "" if method == "GET" else f" -X {method}"
    return f'curl -H "Authorization: Bearer $THINICE_TOKEN"{verb}{options} "$THINICE_URL{path}"'
