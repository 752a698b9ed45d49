"""The bundle: every script and style sheet is in it, and its address names its content."""

import re

from fastapi import FastAPI
from fastapi.testclient import TestClient

from frontend.bundle import ASSETS, Bundle, bundle_routes, read_bundle


def test_bundle_holds_every_asset_whole_in_the_order_of_names() -> None:
    for ending in ("js", "css"):
        text = read_bundle(ending).text
        places = [text.index(file.read_text()) for file in sorted(ASSETS.glob(f"*.{ending}"))]
        assert len(places) > 10 and places == sorted(places)


def test_bundle_address_changes_with_the_content() -> None:
    first, second = Bundle("js", "let a = 1;"), Bundle("js", "let a = 2;")
    assert first.address != second.address
    assert re.fullmatch(r"/bundle/all\.js\?m=[0-9a-f]{16}", first.address)


def test_bundle_is_served_with_the_type_of_its_content() -> None:
    app = FastAPI()
    app.include_router(bundle_routes(Bundle("js", "let a = 1;"), Bundle("css", "a { color: red }")))
    client = TestClient(app)
    for ending, kind in (("js", "text/javascript"), ("css", "text/css")):
        found = client.get(f"/bundle/all.{ending}?m=1")
        assert found.headers["content-type"].startswith(kind) and found.text
