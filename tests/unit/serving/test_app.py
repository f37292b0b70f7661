"""Conformance to the Open Inference Protocol V2, route by route, over ASGI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from starlette.testclient import TestClient

from scheduler import __version__
from scheduler.serving import app
from scheduler.serving.app import Limits
from scheduler.serving.repository import Repository
from scheduler.serving.runners import fake
from tests.unit.serving import serve

INFER = "/v2/models/delay/infer"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    loaded = serve.repository(serve.model(tmp_path))
    loaded.load("delay")
    return loaded


@pytest.fixture
def client(repository: Repository) -> Iterator[TestClient]:
    with TestClient(app.build(repository, limits=Limits(request_bytes=10_000))) as client:
        yield client


def test_the_server_is_live_and_ready(client: TestClient) -> None:
    live, ready = client.get("/v2/health/live"), client.get("/v2/health/ready")
    assert (live.status_code, live.json()) == (200, {"live": True})
    assert (ready.status_code, ready.json()) == (200, {"live": True, "ready": True})


def test_the_server_says_what_it_is(client: TestClient) -> None:
    metadata = client.get("/v2").json()
    assert (metadata["name"], metadata["version"]) == ("modelops-scoring-server", __version__)
    assert set(metadata["extensions"]) == {"binary_tensor_data", "model_repository", "modelops_nulls", "modelops_rows"}


@pytest.mark.parametrize("versioned", [False, True])
def test_a_model_says_what_it_takes_and_gives(client: TestClient, repository: Repository, versioned: bool) -> None:
    version = repository.entry("delay").config.version
    path = f"/v2/models/delay/versions/{version}" if versioned else "/v2/models/delay"

    assert client.get(f"{path}/ready").json() == {"name": "delay", "ready": True}
    assert client.get(path).json() == {
        "name": "delay",
        "versions": [version],
        "platform": "fake",
        "inputs": [
            {"name": "a", "datatype": "FP64", "shape": [-1]},
            {"name": "b", "datatype": "FP64", "shape": [-1]},
            {"name": "b.null", "datatype": "BOOL", "shape": [-1]},
        ],
        "outputs": [
            {"name": "total", "datatype": "FP64", "shape": [-1]},
            {"name": "maybe", "datatype": "FP64", "shape": [-1]},
            {"name": "maybe.null", "datatype": "BOOL", "shape": [-1]},
        ],
    }
    assert client.post(f"{path}/infer", content=serve.request([1.0])).status_code == 200


def test_inference_answers_with_the_id_and_the_outputs_asked_for(client: TestClient, repository: Repository) -> None:
    response = client.post(INFER, content=serve.request([1.0, 2.0], [10.0, 20.0], outputs=[{"name": "total"}]))

    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "model_name": "delay",
        "model_version": repository.entry("delay").config.version,
        "id": "42",
        "outputs": [{"name": "total", "datatype": "FP64", "shape": [2], "data": [11.0, 22.0]}],
    }


def test_inference_takes_and_gives_binary_tensors(client: TestClient) -> None:
    inputs = [
        {"name": name, "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": 16}} for name in ("a", "b")
    ]
    header = orjson.dumps({"inputs": inputs, "outputs": [{"name": "total", "parameters": {"binary_data": True}}]})
    tensors = np.array([1.0, 2.0, 10.0, 20.0], "<f8").tobytes()

    response = client.post(
        INFER, content=header + tensors, headers={"Inference-Header-Content-Length": str(len(header))}
    )

    length = int(response.headers["Inference-Header-Content-Length"])
    assert response.headers["content-type"] == "application/octet-stream"
    assert orjson.loads(response.content[:length])["outputs"][0]["parameters"] == {"binary_data_size": 16}
    assert np.frombuffer(response.content[length:], "<f8").tolist() == [11.0, 22.0]


@pytest.mark.parametrize("length", ["x", "-1", "99999"])
def test_a_wrong_header_length_is_refused(client: TestClient, length: str) -> None:
    response = client.post(INFER, content=b"{}", headers={"Inference-Header-Content-Length": length})
    assert response.status_code == 400
    assert "Inference-Header-Content-Length" in response.json()["error"]


def test_missing_values_travel_as_companions(client: TestClient) -> None:
    inputs = [
        *orjson.loads(serve.request([1.0, 2.0], [None, 5.0]))["inputs"],
        serve.tensor("b.null", [True, False], "BOOL"),
    ]

    given = client.post(INFER, content=orjson.dumps({"inputs": inputs, "outputs": [{"name": "maybe"}]}))
    refused = client.post(INFER, content=orjson.dumps({"inputs": inputs, "outputs": [{"name": "total"}]}))

    assert [(item["name"], item["data"]) for item in given.json()["outputs"]] == [
        ("maybe", [0.0, 7.0]),
        ("maybe.null", [True, False]),
    ]
    assert refused.status_code == 400
    assert [row["index"] for row in refused.json()["rows"]] == [0]


def test_bad_rows_are_named_and_the_others_are_not(client: TestClient) -> None:
    response = client.post(INFER, content=serve.request([1.0, fake.POISON, 3.0, fake.POISON]))

    assert response.status_code == 400
    assert response.json() == {
        "error": "2 of 4 rows cannot be scored; row 1: ValueError: 666.0 is poison",
        "rows": [{"index": index, "message": "ValueError: 666.0 is poison"} for index in (1, 3)],
    }


ERRORS = [
    ("POST", INFER, b"{", 400, "the request is not JSON"),
    ("POST", INFER, serve.request([1.0], outputs=[{"name": "p"}]), 400, "no output 'p'"),
    ("POST", "/v2/models/other/infer", b"{}", 404, "no model is named 'other' (there are 'delay')"),
    ("POST", "/v2/models/delay/versions/7/infer", b"{}", 404, "model 'delay' has no version '7'"),
    ("GET", "/v2/models/other", None, 404, "no model is named 'other'"),
    ("GET", "/v2/models/other/ready", None, 404, "no model is named 'other'"),
    ("GET", INFER, None, 405, "GET is not for this path"),
    ("GET", "/v3", None, 404, "no such path: /v3"),
    ("POST", "/v2/repository/models/other/load", None, 404, "no model is named 'other'"),
    ("POST", "/v2/repository/index", b"[]", 400, "must be a JSON object"),
    ("POST", "/v2/repository/index", b"{", 400, "not JSON"),
    (
        "POST",
        "/v2/repository/models/delay/load",
        b'{"parameters": {"config": "{}"}}',
        400,
        "'parameters' are not taken",
    ),
]


@pytest.mark.parametrize(("method", "path", "content", "status", "message"), ERRORS)
def test_every_error_is_the_protocols(
    client: TestClient, *, method: str, path: str, content: bytes | None, status: int, message: str
) -> None:
    response = client.request(method, path, content=content)
    assert response.status_code == status
    assert message in response.json()["error"]


def test_a_request_that_announces_too_much_is_refused_before_it_is_read(client: TestClient) -> None:
    response = client.post(INFER, content=b"x" * 10_001)
    assert response.status_code == 413
    assert "at most 10000" in response.json()["error"]


def test_a_request_that_grows_too_large_is_refused_while_it_streams(client: TestClient) -> None:
    taken: list[int] = []

    def parts() -> Iterator[bytes]:
        for part in range(100):
            taken.append(part)
            yield b"x" * 1000

    response = client.post(INFER, content=parts())
    assert response.status_code == 413


def test_a_fault_of_ours_is_500_and_does_not_show_its_words(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake.FakeRunner, "predict", lambda *_, **__: 1 / 0)
    with TestClient(app.build(repository)) as client:
        response = client.post(INFER, content=serve.request([1.0]))
    assert (response.status_code, response.json()) == (500, {"error": "the server failed: ZeroDivisionError"})


def test_models_are_unloaded_loaded_and_listed(client: TestClient, repository: Repository) -> None:
    version = repository.entry("delay").config.version

    def index(**body: Any) -> Any:
        return client.post("/v2/repository/index", json=body).json()

    assert index() == [{"name": "delay", "version": version, "state": "READY", "reason": ""}]

    assert client.post("/v2/repository/models/delay/unload").status_code == 200
    assert index() == [{"name": "delay", "version": version, "state": "UNAVAILABLE", "reason": "unloaded"}]
    assert index(ready=True) == []
    assert client.get("/v2/health/ready").status_code == 400
    assert client.get("/v2/health/live").status_code == 200
    not_ready = client.get("/v2/models/delay/ready")
    assert (not_ready.status_code, not_ready.json()) == (400, {"name": "delay", "ready": False})
    refused = client.post(INFER, content=serve.request([1.0]))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json() == {"error": "model 'delay' is UNAVAILABLE: unloaded"}

    assert client.post("/v2/repository/models/delay/load").json() == {}
    assert client.post(INFER, content=serve.request([1.0])).status_code == 200


def test_a_model_whose_file_changed_is_refused_when_it_is_loaded_again(
    client: TestClient, repository: Repository
) -> None:
    config = repository.entry("delay").config
    config.path.write_bytes(b"changed")

    response = client.post("/v2/repository/models/delay/load")

    assert response.status_code == 400
    assert f"the pipeline says {config.sha256}" in response.json()["error"]
    assert client.get("/v2/health/ready").status_code == 400


def test_metrics_count_requests_rows_and_bad_rows(client: TestClient) -> None:
    client.post(INFER, content=serve.request([1.0, 2.0]))
    client.post(INFER, content=serve.request([1.0, fake.POISON]))
    client.post("/v2/models/other/infer", content=b"{}")

    lines = client.get("/metrics").text.splitlines()

    assert 'modelops_inference_requests_total{code="200",model="delay"} 1.0' in lines
    assert 'modelops_inference_requests_total{code="400",model="delay"} 1.0' in lines
    assert 'modelops_inference_rows_total{model="delay"} 2.0' in lines
    assert 'modelops_inference_bad_rows_total{model="delay"} 1.0' in lines
    assert 'modelops_inference_seconds_count{model="delay"} 1.0' in lines
    assert 'modelops_model_ready{model="delay"} 1.0' in lines
    assert not any("other" in line for line in lines)


def test_health_answers_while_a_model_runs(tmp_path: Path) -> None:
    slow = serve.repository(serve.model(tmp_path), seconds=0.5)
    slow.load("delay")

    async def both() -> tuple[float, httpx.Response]:
        transport = httpx.ASGITransport(app.build(slow))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            scoring = asyncio.create_task(client.post(INFER, content=serve.request([1.0])))
            await asyncio.sleep(0.05)
            began = time.perf_counter()
            assert (await client.get("/v2/health/live")).status_code == 200
            return time.perf_counter() - began, await scoring

    seconds, scored = asyncio.run(both())
    assert seconds < 0.3
    assert scored.status_code == 200


def test_more_requests_than_may_wait_are_sent_away(tmp_path: Path) -> None:
    slow = serve.repository(serve.model(tmp_path), seconds=0.1)
    slow.load("delay")

    async def four() -> list[int]:
        transport = httpx.ASGITransport(app.build(slow, limits=Limits(waiting_requests=2)))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            sent = [client.post(INFER, content=serve.request([1.0])) for _ in range(4)]
            return [response.status_code for response in await asyncio.gather(*sent)]

    assert sorted(asyncio.run(four())) == [200, 200, 503, 503]


@pytest.mark.parametrize(("rows_alone", "calls"), [(True, [1, 4]), (False, [1, 1, 1, 1, 1])])
def test_requests_share_a_call_only_where_rows_know_nothing_of_each_other(
    tmp_path: Path, rows_alone: bool, calls: list[int]
) -> None:
    runner = fake.FakeRunner(signature=serve.SIGNATURE, seconds=0.2, rows_alone=rows_alone)
    served = serve.repository(serve.model(tmp_path), loaders={"fake": lambda _, *, signature: runner})
    served.load("delay")

    async def five() -> list[int]:
        transport = httpx.ASGITransport(app.build(served))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            first = asyncio.create_task(client.post(INFER, content=serve.request([1.0])))
            await asyncio.sleep(0.05)
            others = [client.post(INFER, content=serve.request([1.0])) for _ in range(4)]
            return [response.status_code for response in await asyncio.gather(first, *others)]

    assert asyncio.run(five()) == [200] * 5
    assert runner.calls == calls


def test_a_client_that_goes_away_is_let_go(repository: Repository) -> None:
    sent: list[Any] = []

    async def gone() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": INFER, "headers": [], "query_string": b"", "root_path": ""}
        await app.build(repository)(scope, receive, send)

    asyncio.run(gone())
    assert sent == []
