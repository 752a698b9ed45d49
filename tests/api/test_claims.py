"""Claims over REST: held against what was made up, and published figures apart from them."""

import pytest
from starlette.testclient import TestClient

from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of

URL = "/api/v1/claims"


def test_claim_is_held_against_the_largest_evaluation(client: TestClient, site: Site) -> None:
    claim = {"claimed_robust_accuracy": 0.75, "claimed_attack": "PGD-10", "claimed_n": 1000}
    assert client.patch(f"/api/v1/checkpoints/{site.pruned}", json=claim).status_code == 200
    body = client.get(URL, params={"checkpoint_id": site.pruned}).json()
    assert body["total"] == 1
    (one,) = body["items"]
    measured = client.get(f"/api/v1/evaluations/{site.pruned_evaluation}").json()["summary"]
    assert (one["reevaluation"]["evaluation_id"], one["reevaluation"]["n"]) == (site.pruned_evaluation, SAMPLES)
    assert one["reevaluation"]["robust_accuracy"] == pytest.approx(measured["robust_accuracy"])
    assert one["gap"]["value"] == pytest.approx(0.75 - measured["robust_accuracy"])
    assert one["gap"]["interval"]["low"] < one["gap"]["value"] < one["gap"]["interval"]["high"]
    assert (one["gap"]["basis"], one["eps_text"], one["norm"]) == ("unpaired", "25.5/255", "Linf")
    assert [(other["relation"], other["excess"]) for other in one["against"]] == [("parent", None)]
    assert one["against"][0]["reason"] == "dense-net has no claim."


def test_claims_of_an_unknown_preset_are_refused(client: TestClient) -> None:
    error_of(client.get(URL, params={"preset": "pgd"}), 422, "unknown_name")


def test_references_stand_apart(client: TestClient) -> None:
    body = client.get(f"{URL}/references", params={"limit": 3}).json()
    assert (len(body["items"]), body["total"]) == (3, 19)
    assert body["items"][0]["source"] == "RobustBench"
    assert all("checkpoint_id" not in one for one in body["items"])
