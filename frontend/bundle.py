"""Our scripts, style sheets and the glossary as one file each: a page asks for these instead of one for each asset."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response

ASSETS = Path(__file__).parent / "assets"
PATH = "/bundle"
MEDIA = {"js": "text/javascript", "css": "text/css", "json": "application/json"}


@dataclass(frozen=True)
class Bundle:
    """One file: all assets with one ending, in the order of their names, in which they take effect; or the glossary."""

    ending: str
    text: str

    @property
    def address(self) -> str:
        """Names the content, so that a browser keeps it for ever."""
        return f"{PATH}/all.{self.ending}?m={hashlib.sha256(self.text.encode()).hexdigest()[:16]}"


def read_bundle(ending: str) -> Bundle:
    """The files of `frontend/assets` with this ending (js or css); each begins with its name, for who debugs."""
    parts = [f"/* {file.name} */\n{file.read_text()}" for file in sorted(ASSETS.glob(f"*.{ending}"))]
    return Bundle(ending, "\n".join(parts))


def bundle_routes(*bundles: Bundle) -> APIRouter:
    """The routes that serve them."""
    router = APIRouter()
    for one in bundles:
        add_bundle(router, one)
    return router


def add_bundle(router: APIRouter, bundle: Bundle) -> None:
    path = re.sub(r"\?.*", "", bundle.address)

    @router.get(path, include_in_schema=False)
    def get_bundle() -> Response:
        return Response(bundle.text, media_type=MEDIA[bundle.ending])
