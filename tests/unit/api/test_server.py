"""The server beside its routes: health, figures, OpenAPI, slow bodies, what it says of its own troubles."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from prometheus_client import generate_latest

from scheduler.api import app
from scheduler.api.middleware import BodyTime
from scheduler.cluster.port import OwnAccessError
from tests.unit import world
from tests.unit.api.conftest import BODY, Served


def test_the_server_is_ready_when_its_watches_are(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = served.client.get("/readyz")
    monkeypatch.setattr("scheduler.cluster.reflector.SILENT_SECONDS", -1.0)
    lost = served.client.get("/readyz")

    assert ready.status_code == 200
    assert (lost.status_code, lost.json()["status"]) == (503, "waiting")
    assert "PipelineRun in staging" in lost.json()["for"]
    assert served.client.get("/healthz").status_code == 200


def test_the_figures_are_those_of_the_cluster(served: Served) -> None:
    served.submit()
    served.client.get("/v1/nothing", headers=served.operator)

    text = generate_latest(served.server.metrics.registry).decode()

    assert 'modelops_jobs{environment="staging",state="QUEUED"} 1.0' in text
    assert 'modelops_jobs{environment="production",state="QUEUED"} 0.0' in text
    assert 'modelops_watch_lists_total{environment="staging",kind="PipelineRun"} 1.0' in text
    assert 'modelops_http_request_seconds_count{method="POST",route="/v1/jobs",status="201"} 1.0' in text
    assert 'route="unknown",status="404"' in text


def test_the_openapi_document_is_whole(served: Served) -> None:
    answer = served.client.get("/openapi.json", headers=served.viewer)

    schema = answer.json()
    text = json.dumps(schema)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(schema["components"]["schemas"])
    assert schema["security"] == [{"token": []}]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            if path.startswith("/v1"):
                assert {"401", "403", "422", "503"} <= set(operation["responses"]), (path, method)
    assert schema["components"]["schemas"]["JobBody"]["examples"]


def test_two_applications_live_in_one_process() -> None:
    first, second = app.create(world.build().ports), app.create(world.build().ports)

    assert first.metrics.registry is not second.metrics.registry


def test_trouble_with_our_own_account_is_not_the_callers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OwnAccessError("could not create ConfigMap: forbidden")

    monkeypatch.setattr(served.world.cluster, "create", refuse)
    answer = served.client.post("/v1/jobs", json=BODY, headers=served.operator)

    assert answer.status_code == 503
    assert "own account" in answer.json()["detail"]


def test_a_fault_of_ours_tells_nothing_of_our_insides(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret insides")

    monkeypatch.setattr(served.world.cluster, "create", fail)
    answer = served.client.post("/v1/jobs", json=BODY, headers=served.operator)

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "insides" not in answer.text


def test_a_body_that_drips_is_cut_off() -> None:
    sent: list[Any] = []

    async def drip() -> Any:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def keep(message: Any) -> None:
        sent.append(message)

    async def reading(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(BodyTime(reading, seconds=0.1)(scope, drip, keep))

    assert sent[0]["status"] == 408
