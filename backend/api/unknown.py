"""What responds under /api where no route does: a JSON 404, or 405 with the methods that exist.

It must stand behind every route and before Dash, whose catch-all would serve an unknown path with 200 and a page.
"""

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class UnknownPath:
    """ASGI application mounted at /api; `routes` are those that stand before it."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self.routes = routes

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        outer = {**scope, "root_path": scope.get("app_root_path", "")}
        allowed = [method for method in METHODS if self.has(outer, method)]
        if allowed:
            detail = f"this path takes {', '.join(allowed)}"
            raise HTTPException(405, detail, headers={"Allow": ", ".join(allowed)})
        raise HTTPException(404, "there is no such path; /api/docs lists them all")

    def has(self, scope: Scope, method: str) -> bool:
        tried = {**scope, "method": method, "path_params": {}}
        return any(route.matches(tried)[0] == Match.FULL for route in self.routes)
