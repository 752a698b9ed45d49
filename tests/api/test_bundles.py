"""Bundles over REST: a file out, the same file in, and clear refusals at the door."""

import io
import zipfile
from pathlib import Path
from uuid import uuid4

from starlette.testclient import TestClient

from backend.services import evaluations
from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of
from tests.jobs.test_importing import rewrite

URL = "/api/v1/bundles"


def test_get_bundle_is_a_file_with_both_evaluations(client: TestClient, site: Site) -> None:
    wanted = [site.dense_evaluation, site.pruned_evaluation]
    response = client.get(URL, params={"evaluation": wanted})
    assert response.status_code == 200, response.text
    assert "thin-ice-2-evaluations-" in response.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith("results.parquet")] == [
        "000/results.parquet",
        "001/results.parquet",
    ]
    one = client.get(URL, params={"evaluation": wanted[:1], "adversarials": "none"})
    assert f"dense-net-margin-n{SAMPLES}.thinice" in one.headers["content-disposition"]
    assert len(one.content) < len(response.content)
    assert not list((site.home / "uploads").glob("export-*")), "the exported file stayed on the server"


def test_post_bundle_queues_what_is_new_and_names_what_is_known(client: TestClient, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "one.thinice"
    path.write_bytes(client.get(URL, params={"evaluation": [site.dense_evaluation]}).content)
    known = client.post(URL, files={"file": ("one.thinice", path.read_bytes())})
    assert known.status_code == 202, known.text
    assert [row["outcome"] for row in known.json()["evaluations"]] == ["known"]
    new_id = uuid4()
    other = rewrite(path, tmp_path / "other.thinice", id=new_id)
    queued = client.post(URL, files={"file": ("other.thinice", other.read_bytes())}).json()["evaluations"]
    assert [(row["outcome"], row["evaluation_id"]) for row in queued] == [("queued", str(new_id))]
    shown = client.get(f"/api/v1/evaluations/{new_id}").json()
    assert (shown["state"], shown["n"], shown["selection"]) == ("queued", SAMPLES, "first")
    assert shown["record"]["imported"]["folder"] == "000"
    evaluations.cancel_evaluation(new_id)
    evaluations.delete_evaluation(new_id)


def test_bundles_bad_requests_are_refused_with_a_code(client: TestClient, site: Site, tmp_path: Path) -> None:
    error_of(client.get(URL), 422, "invalid_request")
    error_of(client.get(URL, params={"evaluation": [str(uuid4())]}), 404, "not_found")
    error_of(client.get(URL, params={"evaluation": [site.waiting]}), 409, "conflict")
    error_of(client.get(URL, params={"evaluation": [site.dense_evaluation] * 2}), 422, "invalid_request")
    error_of(client.post(URL, files={"file": ("a.thinice", b"PK no")}), 422, "unreadable_bundle")
    error_of(client.post(URL, data={"name": "x"}, files={"file": ("a.thinice", b"PK")}), 422, "invalid_request")
    path = tmp_path / "one.thinice"
    path.write_bytes(client.get(URL, params={"evaluation": [site.dense_evaluation]}).content)
    stranger = {
        "name": "theirs", "weights_sha256": "0" * 64, "source_sha256": "0" * 64, "architecture": "resnet18",
        "normalization": "none",
    }  # fmt: skip
    foreign = rewrite(path, tmp_path / "foreign.thinice", checkpoint=stranger)
    refused = error_of(client.post(URL, files={"file": ("f.thinice", foreign.read_bytes())}), 422, "invalid_request")
    assert "Upload the checkpoint theirs first (resnet18" in refused["message"]
