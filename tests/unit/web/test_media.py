from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from scheduler.web.media import JsonOnly


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()

    @app.post("/{path:path}")
    async def size(path: str, request: Request) -> int:
        return len(await request.body())

    app.add_middleware(JsonOnly, raw=["/raw/"])
    return TestClient(app)


def _chunks() -> Iterator[bytes]:
    yield b"{}"


@pytest.mark.parametrize("given", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_goes_through(client: TestClient, given: str) -> None:
    assert client.post("/", content=b"{}", headers={"Content-Type": given}).json() == 2


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Content-Type": "text/plain"}, "the body must be application/json, not text/plain"),
        ({}, "the body must be application/json; there is no Content-Type"),
    ],
)
def test_anything_else_is_refused(client: TestClient, headers: dict[str, str], detail: str) -> None:
    for content in (b"{}", _chunks()):
        answer = client.post("/", content=content, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (415, detail)
        assert answer.headers["content-type"] == "application/problem+json"


def test_no_body_needs_no_type(client: TestClient) -> None:
    assert client.post("/").json() == 0


def test_raw_paths_take_anything(client: TestClient) -> None:
    assert client.post("/raw/file", content=b"abc").json() == 3
