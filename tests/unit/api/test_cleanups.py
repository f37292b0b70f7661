"""What is left over, over HTTP, and the janitor's life with the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from scheduler import names
from scheduler.api import app
from scheduler.api.app import Server
from scheduler.cluster.fake import Rule
from scheduler.jobs.ports import Runner
from scheduler.release import remains
from scheduler.settings import JanitorSettings
from tests.unit import world
from tests.unit.tasks.releases import JOB, LABELS, SERVICE, VALUES, HelmOnCluster
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT, World

SLEEPING = JanitorSettings(is_enabled=True, period_seconds=3600, holder="one")
"""It wakes when the test is long over."""


@dataclass
class Served:
    world: World
    server: Server
    client: TestClient
    operator: dict[str, str]
    viewer: dict[str, str]

    def left(self) -> list[str]:
        found = remains.find(JOB, namespace=ENVIRONMENT, cluster=self.world.cluster)
        return [remains.named(item) for item in found]


def made(tmp_path: Path, settings: JanitorSettings) -> tuple[World, Server]:
    here = world.build()
    helm = HelmOnCluster(here.cluster)
    (tmp_path / "Chart.yaml").touch()
    helm.install(JOB, chart=tmp_path, values=VALUES, namespace=ENVIRONMENT, labels=LABELS)
    ports = replace(
        here.ports,
        runner=lambda _: Runner(cluster=here.cluster, helm=helm),
        settings=replace(here.ports.settings, janitor=settings),
    )
    return here, app.create(ports)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    here, server = made(tmp_path, SLEEPING)
    operator = world.allow(here.cluster, "operator", Rule("operator", namespace=ENVIRONMENT))
    rules = (Rule("viewer", verb=verb, namespace=ENVIRONMENT) for verb in ("get", "list"))
    viewer = world.allow(here.cluster, "viewer", *rules)
    with TestClient(server.app, raise_server_exceptions=False) as client:
        here.settle(lambda: here.board.mirror.is_healthy)
        headers = [{"Authorization": f"Bearer {token}"} for token in (operator, viewer)]
        yield Served(world=here, server=server, client=client, operator=headers[0], viewer=headers[1])


def test_a_dry_run_tells_what_would_go_and_why(served: Served) -> None:
    before = served.left()

    answer = served.client.post("/v1/cleanups", json={"dryRun": True}, headers=served.operator)

    assert answer.status_code == 200
    assert answer.json() == {
        "dryRun": True,
        "releases": [
            {
                "release": JOB,
                "environment": ENVIRONMENT,
                "action": "would remove",
                "why": "its PipelineRun is gone",
                "objects": before,
                "message": "",
            }
        ],
    }
    assert served.left() == before


def test_a_cleanup_removes_and_tells_what(served: Served) -> None:
    answer = served.client.post("/v1/cleanups", json={"environment": ENVIRONMENT}, headers=served.operator)

    (release,) = answer.json()["releases"]
    assert release["action"] == "removed"
    assert f"Service/{SERVICE}" in release["message"]
    assert served.left() == []


def test_a_job_that_is_alive_is_not_told_of(served: Served) -> None:
    served.world.cluster.put(runs.run())

    answer = served.client.post("/v1/cleanups", json={}, headers=served.operator)

    assert answer.json() == {"dryRun": False, "releases": []}
    assert served.left()


@pytest.mark.parametrize("body", [{"dryRun": True}, {}, {"environment": ENVIRONMENT}, {"environment": "elsewhere"}])
def test_looking_needs_the_right_to_cancel(served: Served, body: dict[str, object]) -> None:
    assert served.client.post("/v1/cleanups", json=body, headers=served.viewer).status_code == 403


@pytest.mark.parametrize("body", [{"dryRun": "yes"}, {"namespace": "staging"}, {"environment": 5}])
def test_what_is_no_body_is_refused(served: Served, body: dict[str, object]) -> None:
    assert served.client.post("/v1/cleanups", json=body, headers=served.operator).status_code == 422


def test_the_janitor_works_as_long_as_the_server_does_and_then_gives_its_lease_back(tmp_path: Path) -> None:
    here, server = made(tmp_path, JanitorSettings(is_enabled=True, period_seconds=0.05, holder="one"))
    labels = {"environment": ENVIRONMENT, "outcome": "removed"}
    lease = names.janitor_lease(world.SETTINGS.platform)

    with TestClient(server.app):
        registry = server.metrics.registry
        here.settle(lambda: registry.get_sample_value("modelops_janitor_releases_total", labels), seconds=15)
        assert registry.get_sample_value("modelops_janitor_holds_lease") == 1
        held = here.cluster.get("Lease", lease, world.SETTINGS.platform_namespace)["spec"]["holderIdentity"]

    given_back = here.cluster.get("Lease", lease, world.SETTINGS.platform_namespace)["spec"]["holderIdentity"]
    assert (held, given_back) == ("one", "")
    assert remains.find(JOB, namespace=ENVIRONMENT, cluster=here.cluster) == []
