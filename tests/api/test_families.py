"""Families over REST: the table of what was made up, as JSON and as files, and refusals of one shape."""

import csv
import io
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of

URL = "/api/v1/families"


def test_families_are_roots_and_how_much_was_pruned_from_them(client: TestClient, site: Site) -> None:
    body = client.get(URL).json()
    first = body["items"][0]
    assert (first["checkpoint_id"], first["name"], first["pruned"]) == (site.dense, "dense-net", 1)
    assert site.pruned not in {one["checkpoint_id"] for one in body["items"]}
    assert client.get(URL, params={"limit": 1, "offset": body["total"]}).json()["items"] == []


def test_family_has_a_row_a_checkpoint_and_three_answers(client: TestClient, site: Site) -> None:
    body = client.get(f"{URL}/{site.dense}").json()
    assert [(row["name"], row["place"]) for row in body["rows"]] == [("dense-net", "dense"), ("pruned-net", "pruned")]
    assert (body["norm"], body["eps_text"], body["eps"]) == ("Linf", "25.5/255", pytest.approx(0.1))
    row = body["rows"][1]
    assert row["flips"]["evaluation_id"] == site.pruned_evaluation
    assert (row["flips"]["n"], row["flips"]["robust"]["n10"]) == (SAMPLES, site.lost)
    assert row["clean_accuracy"]["evaluation_id"] == site.pruned_evaluation
    empty = next(one for one in row["verdicts"] if one["preset"] == "fast")
    assert (empty["rate"], empty["evaluation_id"]) == (None, None) and "No finished evaluation" in empty["reason"]
    assert [one["question"] for one in body["answers"]] == ["claims", "thin ice", "rivals"]
    assert {one["answer"] for one in body["answers"]} == {"cannot tell"}


def test_family_at_an_eps_and_against_a_method_of_ones_own(client: TestClient, site: Site) -> None:
    wide = client.get(f"{URL}/{site.dense}", params={"eps": "8/255", "method": "lwm"}).json()
    comparison = {"dense": site.dense_evaluation, "pruned": site.pruned_evaluation, "eps": "8/255"}
    assert wide["rows"][1]["flips"]["robust"] == client.get("/api/v1/comparisons", params=comparison).json()["robust"]
    assert wide["answers"][2]["asks"].startswith("Does lwm lose fewer")


@pytest.mark.parametrize(
    ("format", "media", "ending", "piece"),
    [
        ("markdown", "text/markdown; charset=utf-8", "md", "| checkpoint |"),
        ("latex", "application/x-tex; charset=utf-8", "tex", r"\toprule"),
        ("csv", "text/csv; charset=utf-8", "csv", "flips.robust.n10"),
    ],
)
def test_family_as_a_file(client: TestClient, site: Site, format: str, media: str, ending: str, piece: str) -> None:
    response = client.get(f"{URL}/{site.dense}", params={"format": format})
    assert response.status_code == 200 and response.headers["content-type"] == media
    assert response.headers["content-disposition"] == f'attachment; filename="family-dense-net.{ending}"'
    assert piece in response.text and "pruned-net" in response.text
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
        assert [row["flips.robust.n10"] for row in rows] == ["", str(site.lost)]


def test_family_refusals_have_the_shape_of_errors(client: TestClient, site: Site) -> None:
    error = error_of(client.get(f"{URL}/{site.pruned}"), 422, "invalid_request")
    assert error["details"]["parent_id"] == site.dense
    error_of(client.get(f"{URL}/{uuid4()}"), 404, "not_found")
    error_of(client.get(f"{URL}/{site.dense}", params={"format": "html"}), 422, "invalid_request")
    error_of(client.get(f"{URL}/{site.dense}", params={"norm": "L2"}), 422, "invalid_request")
    error_of(client.get(f"{URL}/{site.dense}", params={"eps": "two"}), 422, "invalid_request")
