"""Both servers over one imaginary cluster: the modelops server calls the scheduling server under its own account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from scheduler.api import app as scheduling_app
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.fake import Rule
from scheduler.modelops_server import app
from scheduler.modelops_server.configuration import Configuration
from tests.unit import world
from tests.unit.world import ENVIRONMENT, OTHER, World

ACCOUNT = "system:serviceaccount:platform:modelops-modelops-server"
PLATFORM = world.SETTINGS.platform_namespace
JOBS = f"/v1/pipelines/{world.PIPELINE}/jobs"
BODY = {"environment": ENVIRONMENT, "parameters": {"day": "2026-01-31"}}


class Wire(httpx.BaseTransport):
    """From the modelops server to the scheduling server; remembers what went over it, and can be cut."""

    def __init__(self, target: TestClient) -> None:
        self._target = target
        self.sent: list[httpx.Request] = []
        self.answer: httpx.Response | Exception | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        found = self._target.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=dict(request.headers)
        )
        return httpx.Response(found.status_code, content=found.content, headers=dict(found.headers))


@dataclass
class Platform:
    world: World
    scheduling: TestClient
    modelops: TestClient
    wire: Wire
    account: dict[str, str]
    """Headers of the modelops server's own account."""

    def caller(self, name: str, *rights: tuple[str, str, str]) -> dict[str, str]:
        """Headers of somebody who may do each (verb, resource, namespace)."""
        rules = (Rule(name, verb=verb, resource=what, namespace=place) for verb, what, place in rights)
        return {"Authorization": f"Bearer {world.allow(self.world.cluster, name, *rules)}"}

    def operator(self, name: str = "alice", environment: str = ENVIRONMENT) -> dict[str, str]:
        return self.caller(name, ("*", "jobs", environment), ("get", "pipelines", PLATFORM))

    def start(self, headers: dict[str, str], *, key: str = "k", **changes: Any) -> dict[str, Any]:
        answer = self.modelops.post(JOBS, json={**BODY, **changes}, headers={**headers, "Idempotency-Key": key})
        assert answer.status_code in {200, 201}, answer.text
        made: dict[str, Any] = answer.json()
        self.world.settle(lambda: self.world.board.job(made["environment"], made["id"]))
        return made


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    here = world.build()
    verbs = ("create", "get", "list", "delete", "impersonate")
    rules = [
        Rule(ACCOUNT, verb=verb, resource="jobs", namespace=place) for verb in verbs for place in (ENVIRONMENT, OTHER)
    ]
    rules.append(Rule(ACCOUNT, verb="get", resource="pipelines", namespace=PLATFORM))
    token = world.allow(here.cluster, ACCOUNT, *rules)
    configuration = Configuration(data=tmp_path, platform_namespace=PLATFORM, environments=(ENVIRONMENT, OTHER))
    with TestClient(scheduling_app.create(here.ports).app, raise_server_exceptions=False) as scheduling:
        here.settle(lambda: here.board.mirror.is_healthy)
        wire = Wire(scheduling)
        client = SchedulingClient("http://10.0.0.1:8080", token=lambda: token, transport=wire)
        served = app.create(configuration, cluster=here.cluster, scheduling=client)
        with TestClient(served, raise_server_exceptions=False) as modelops:
            account = {"Authorization": f"Bearer {token}"}
            yield Platform(world=here, scheduling=scheduling, modelops=modelops, wire=wire, account=account)
