"""Data sets over REST: real .npz files through the real reader."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of
from tests.datasets.published_archives import draw, write_svhn, write_tar
from tests.services.fabrication import SIDE, make_pixels, write_npz

URL = "/api/v1/datasets"


def test_post_npz_gives_201_and_can_be_looked_at(client: TestClient, tmp_path: Path) -> None:
    images, labels = make_pixels(12, seed=5, channels=3)
    file = write_npz(tmp_path / "mine.npz", images, labels)
    fields = {"name": "Mine", "classes": "a, b, c, d", "default_norm": "L2", "default_eps": "0.5"}
    response = client.post(URL, data=fields, files={"file": ("mine.npz", file.read_bytes())})
    assert response.status_code == 201, response.text
    body = response.json()
    assert (body["size"], body["shape"], body["classes"]) == (12, [SIDE, SIDE, 3], ["a", "b", "c", "d"])
    assert (body["default_norm"], body["default_eps"]) == ("L2", 0.5)
    assert client.get(f"{URL}/{body['slug']}").json() == client.get(f"{URL}/{body['id']}").json() == body
    picture = client.get(f"{URL}/{body['id']}/samples/7.png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.content))), images[7])


@pytest.mark.parametrize("classes", ['["a", 1]', "[", "a,b"], ids=["numbers", "cut", "few"])
def test_post_wrong_classes_are_refused(client: TestClient, tmp_path: Path, classes: str) -> None:
    file = write_npz(tmp_path / "wrong.npz", *make_pixels(12, seed=6))
    response = client.post(
        URL, data={"name": "wrong", "classes": classes}, files={"file": ("w.npz", file.read_bytes())}
    )
    assert response.status_code == 422
    assert response.json()["error"]["code"] in {"invalid_request", "unreadable_dataset"}


def test_post_anything_else_is_refused(client: TestClient, tmp_path: Path) -> None:
    response = client.post(URL, data={"name": "text"}, files={"file": ("text.npz", b"not a zip")})
    error_of(response, 422, "unreadable_dataset")
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object), y=np.zeros(1, np.int64))
    content = (tmp_path / "objects.npz").read_bytes()
    error_of(client.post(URL, data={"name": "objects"}, files={"file": ("o.npz", content)}), 422, "unreadable_dataset")


def test_post_archive_takes_the_split_and_refuses_a_hostile_one(client: TestClient, tmp_path: Path) -> None:
    content = write_svhn(tmp_path / "test_32x32.mat", *draw(6)).read_bytes()
    fields = {"name": "SVHN", "split": "train"}
    response = client.post(URL, data=fields, files={"file": ("test_32x32.mat", content)})
    assert response.status_code == 201, response.text
    assert (response.json()["split"], response.json()["classes"]) == ("train", list("0123456789"))
    error_of(client.post(URL, data=fields | {"split": "extra"}, files={"file": ("a", content)}), 422, "invalid_request")
    hostile = write_tar(tmp_path / "a.tar.gz", {"../../etc/passwd": b"x"}).read_bytes()
    refused = client.post(URL, data={"name": "hostile"}, files={"file": ("a.tar.gz", hostile)})
    error_of(refused, 422, "unreadable_dataset")


def test_sample_png_is_kept_by_the_browser(client: TestClient, site: Site) -> None:
    path = f"{URL}/{site.dataset}/samples/3.png"
    first = client.get(path)
    assert first.headers["content-type"] == "image/png"
    by_slug = client.get(f"{URL}/digits/samples/3.png")
    assert "immutable" in first.headers["cache-control"]
    assert "no-cache" in by_slug.headers["cache-control"], "a slug names another file in another home"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    larger = client.get(path, params={"scale": 4})
    assert Image.open(io.BytesIO(larger.content)).size == (4 * SIDE, 4 * SIDE)


def test_sample_outside_is_404_and_scale_out_of_range_422(client: TestClient, site: Site) -> None:
    error_of(client.get(f"{URL}/{site.dataset}/samples/{SAMPLES}.png"), 404, "not_found")
    error_of(client.get(f"{URL}/{site.dataset}/samples/-1.png"), 422, "invalid_request")
    error_of(client.get(f"{URL}/{site.dataset}/samples/1.png", params={"scale": 99}), 422, "invalid_request")


def test_patch_changes_the_name_and_refuses_an_empty_one(client: TestClient, tmp_path: Path) -> None:
    content = write_npz(tmp_path / "b.npz", *make_pixels(8, seed=10)).read_bytes()
    made = client.post(URL, data={"name": "misspelt"}, files={"file": ("b.npz", content)}).json()
    changed = client.patch(f"{URL}/{made['slug']}", json={"name": "Well spelt"}).json()
    assert changed == made | {"name": "Well spelt"}
    error_of(client.patch(f"{URL}/{made['id']}", json={"name": ""}), 422, "invalid_request")
    error_of(client.patch(f"{URL}/nowhere", json={"name": "x"}), 404, "not_found")
    client.delete(f"{URL}/{made['id']}")


def test_delete_is_refused_while_it_is_needed_and_then_leaves_nothing(client: TestClient, tmp_path: Path) -> None:
    error_of(client.delete(f"{URL}/digits"), 409, "conflict")
    content = write_npz(tmp_path / "a.npz", *make_pixels(8, seed=9)).read_bytes()
    made = client.post(URL, data={"name": "short-lived"}, files={"file": ("a.npz", content)}).json()
    assert client.delete(f"{URL}/{made['id']}").status_code == 204
    error_of(client.get(f"{URL}/{made['id']}"), 404, "not_found")
