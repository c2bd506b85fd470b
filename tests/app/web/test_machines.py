"""What machines ask for: health, metrics, static files."""

import gzip

import httpx
import pytest
from fastapi import FastAPI

from app.web.deps import Metric
from app.web.health import exposition
from app.web.statics import product_files
from tests.app.web.client import Client
from tests.app.web.double import World


def local(app: FastAPI) -> Client:
    client = Client(app)
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 40_000))
    client.use(transport)
    return client


def test_the_process_is_there(stranger: Client) -> None:
    assert stranger.get("/healthz").text == "ok\n"
    assert stranger.send("HEAD", "/healthz").status_code == 200


def test_it_is_ready_when_every_part_is(world: World, stranger: Client) -> None:
    assert stranger.get("/readyz").json() == {
        "ready": True,
        "parts": {"database": True, "keys": True},
    }
    world.health.parts["keys"] = False
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False


def test_numbers_are_for_this_machine(app: FastAPI, stranger: Client, vlad: Client) -> None:
    assert stranger.get("/metrics").status_code == 404
    assert vlad.get("/metrics").status_code == 404
    answer = local(app).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'livearchive_queue_items{state="queued"} 212\n' in answer.text


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_a_proxy_on_this_machine_is_not_this_machine(app: FastAPI, header: str) -> None:
    assert local(app).get("/metrics", headers={header: "198.51.100.1"}).status_code == 404


def test_labels_are_escaped() -> None:
    metric = Metric(name="a", help="b\nc", kind="gauge", samples=(({"l": 'x"\\\n'}, 1.5),))
    assert exposition([metric]) == ('# HELP a b\\nc\n# TYPE a gauge\na{l="x\\"\\\\\\n"} 1.5\n')


def test_no_digit_of_a_count_is_lost() -> None:
    metric = Metric(name="a", help="b", kind="counter", samples=(({}, 12_345_678_901.0),))
    assert exposition([metric]).endswith("\na 12345678901\n")


def test_static_files_are_kept_for_ever_under_their_hash(stranger: Client) -> None:
    path = product_files().path("css/tokens.css")
    answer = stranger.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    plain = stranger.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_what_is_packed_is_the_file() -> None:
    found = product_files().find(product_files().digest, "icons.svg")
    assert found is not None
    assert gzip.decompress(found.packed) == found.octets


@pytest.mark.parametrize("name", ["css/nothing.css", "../pyproject.toml", "", "css/", "%2e%2e/x"])
def test_no_other_file_is_there(stranger: Client, name: str) -> None:
    digest = product_files().digest
    assert stranger.get(f"/static/{digest}/{name}").status_code == 404


def test_an_old_hash_is_not_here(stranger: Client) -> None:
    assert stranger.get("/static/aaaaaaaaaaaaaaaa/css/tokens.css").status_code == 404


def test_every_icon_has_its_licence() -> None:
    found = product_files().find(product_files().digest, "icons-LICENSE.txt")
    assert found is not None
    assert b"ISC License" in found.octets
