"""A served world, and people who may do things in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from scheduler.api import app
from scheduler.api.app import Server
from scheduler.cluster.fake import Rule
from tests.unit import world
from tests.unit.world import ENVIRONMENT, World

BODY = {"environment": ENVIRONMENT, "pipeline": world.PIPELINE, "parameters": {"day": "2026-01-31"}}


@dataclass
class Served:
    world: World
    server: Server
    client: TestClient
    operator: dict[str, str]
    """Headers of somebody who may do everything in one environment, and read what is deployed."""
    viewer: dict[str, str]
    """May get and list there."""
    stranger: dict[str, str]
    """Has an accepted token and no right."""

    def submit(self, *, key: str = "k", **changes: object) -> dict[str, Any]:
        headers = {**self.operator, "Idempotency-Key": key}
        answer = self.client.post("/v1/jobs", json={**BODY, **changes}, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        made: dict[str, Any] = answer.json()
        self.world.settle(lambda: self.world.board.job(made["environment"], made["id"]))
        return made


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def served() -> Iterator[Served]:
    here = world.build()
    server = app.create(here.ports)
    operator = world.allow(
        here.cluster,
        "operator",
        Rule("operator", namespace=ENVIRONMENT),
        Rule("operator", verb="get", namespace=world.SETTINGS.platform_namespace),
    )
    viewer = world.allow(
        here.cluster,
        "viewer",
        *(Rule("viewer", verb=verb, namespace=ENVIRONMENT) for verb in ("get", "list")),
    )
    stranger = world.allow(here.cluster, "stranger")
    with TestClient(server.app, raise_server_exceptions=False) as client:
        here.settle(lambda: here.board.mirror.is_healthy)
        yield Served(
            world=here,
            server=server,
            client=client,
            operator=headers(operator),
            viewer=headers(viewer),
            stranger=headers(stranger),
        )
