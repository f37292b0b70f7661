from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from scheduler.web.limits import BodyLimit, Limits


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()

    @app.post("/{path:path}")
    async def size(path: str, request: Request) -> int:
        return len(await request.body())

    app.add_middleware(BodyLimit, limits=Limits(default=10, by_prefix={"/big": 20, "/big/free": None}))
    return TestClient(app)


def _chunks(count: int) -> Iterator[bytes]:
    yield from (b"x" for _ in range(count))


@pytest.mark.parametrize(("path", "most"), [("/", 10), ("/big", 20)])
def test_the_limit_of_the_longest_prefix_counts(client: TestClient, path: str, most: int) -> None:
    assert client.post(path, content=b"x" * most).json() == most
    assert client.post(path, content=b"x" * (most + 1)).status_code == 413


def test_a_body_of_unknown_length_is_counted_as_it_comes(client: TestClient) -> None:
    assert client.post("/", content=_chunks(10)).json() == 10
    answer = client.post("/", content=_chunks(11))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:modelops:problem:too-large")


def test_none_means_no_limit(client: TestClient) -> None:
    assert client.post("/big/free", content=b"x" * 5000).json() == 5000
