"""Comparisons over REST: the contract's keys, and the counts of what was made up."""

import csv
import io

import pytest
from starlette.testclient import TestClient

from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of

URL = "/api/v1/comparisons"


def pair(site: Site) -> dict[str, str]:
    return {"dense": site.dense_evaluation, "pruned": site.pruned_evaluation}


def test_comparison_has_the_contract_and_the_right_counts(client: TestClient, site: Site) -> None:
    body = client.get(URL, params=pair(site)).json()
    for counts in (body["clean"], body["robust"]):
        assert set(counts) == {"n11", "n10", "n01", "n00"}
        assert sum(counts.values()) == body["n"] == SAMPLES
    assert body["robust"]["n10"] == site.lost > 0
    assert body["eps_text"] == "25.5/255"
    assert body["auroc"] is None or set(body["auroc"]) >= {"value", "low", "high", "positives"}
    assert body["auroc"] is not None or body["auroc_reason"]
    contract = {"negative_flip_rate", "mcnemar_p", "robust_statistics", "spearman", "bins", "mismatches"}
    assert set(body) >= contract


def test_comparison_at_another_eps_counts_anew(client: TestClient, site: Site) -> None:
    wide = client.get(URL, params=pair(site) | {"eps": "250/255"}).json()
    assert wide["eps_text"] == "250/255"
    assert wide["robust"] != client.get(URL, params=pair(site)).json()["robust"]
    error_of(client.get(URL, params=pair(site) | {"eps": "wide"}), 422, "invalid_request")


def test_comparison_of_nothing_is_refused(client: TestClient, site: Site) -> None:
    error_of(client.get(URL, params={"dense": site.dense_evaluation}), 422, "invalid_request")
    missing = pair(site) | {"pruned": "00000000-0000-7000-8000-000000000000"}
    error_of(client.get(URL, params=missing), 404, "not_found")
    assert client.get(URL, params=pair(site) | {"pruned": site.waiting}).status_code == 409


def test_samples_of_a_set_come_by_dense_margin_in_every_format(client: TestClient, site: Site) -> None:
    body = client.get(f"{URL}/samples", params=pair(site) | {"set": "S10"}).json()
    lost = body["items"]
    assert body["total"] == len(lost) > 0
    assert {row["set"] for row in lost} == {"S10"}
    margins = [float("inf") if row["dense_margin"] is None else row["dense_margin"] for row in lost]
    assert margins == sorted(margins)
    table = client.get(f"{URL}/samples", params=pair(site) | {"set": "S10", "format": "csv"})
    assert [row["sample_id"] for row in csv.DictReader(io.StringIO(table.text))] == [row["sample_id"] for row in lost]
    binary = client.get(f"{URL}/samples", params=pair(site) | {"set": "S10", "format": "parquet"})
    assert binary.content.startswith(b"PAR1")
    held = client.get(f"{URL}/samples", params=pair(site) | {"set": "S10", "view": "robust"}).json()["items"]
    assert len(held) == site.lost and {row["robust_set"] for row in held} == {"S10"}
    few = {"label": str(lost[0]["label"]), "pick": "rows_0-1g", "thin": "200/255"}
    chosen = client.get(f"{URL}/samples", params=pair(site) | few).json()["items"]
    assert {(row["label"], row["index"] <= 52) for row in chosen} == {(lost[0]["label"], True)}
    page = client.get(f"{URL}/samples", params=pair(site) | {"limit": 7, "offset": 55}).json()
    assert (len(page["items"]), page["total"]) == (5, SAMPLES)


@pytest.mark.parametrize(
    "change", [{"set": "S99"}, {"format": "xml"}, {"limit": "0"}, {"pick": "rows_!"}, {"thin": "much"}]
)
def test_samples_with_a_wrong_parameter_are_refused(client: TestClient, site: Site, change: dict[str, str]) -> None:
    error_of(client.get(f"{URL}/samples", params=pair(site) | change), 422, "invalid_request")
