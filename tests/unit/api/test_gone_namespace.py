"""One environment whose namespace is deleted, and the others, which are served as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from scheduler.api import app
from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.port import Event, Listing, OwnAccessError
from scheduler.model.types import Manifest
from tests.unit import world
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT, OTHER, World


class Going(FakeCluster):
    """Refuses whatever is asked about a namespace that is gone, as RBAC does when the roles went with it."""

    gone = ""

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        self._check(namespace)
        return super().get(kind, name, namespace)

    def list(self, kind: str, namespace: str = "", **given: Any) -> Listing:
        self._check(namespace)
        return super().list(kind, namespace, **given)

    def watch(self, kind: str, namespace: str = "", **given: Any) -> Iterator[Event]:
        self._check(namespace)
        yield from super().watch(kind, namespace, **given)

    def _check(self, namespace: str) -> None:
        if namespace and namespace == self.gone:
            raise OwnAccessError(f"forbidden in {namespace}")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("scheduler.cluster.reflector.REFUSED_SECONDS", 0.2)
    made = world.build()
    made.cluster.__class__ = Going
    made.cluster.put(runs.run())
    return made


def test_it_is_known_to_be_gone_and_nothing_else_suffers(here: World) -> None:
    rules = (Rule("ada", namespace=ENVIRONMENT), Rule("ada", namespace=OTHER))
    headers = {"Authorization": f"Bearer {world.allow(here.cluster, 'ada', *rules)}"}
    job = f"/v1/jobs/{runs.JOB}"
    with TestClient(app.create(here.ports).app, raise_server_exceptions=False) as client:
        here.settle(lambda: here.board.job(ENVIRONMENT, runs.JOB))
        assert client.get("/readyz").json() == {"status": "ok"}

        Going.gone = OTHER
        here.settle(lambda: here.board.mirror.is_refused(OTHER))

        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        assert f"PipelineRun in {OTHER}" in ready.json()["refused"]
        assert client.get(job, headers=headers).status_code == 200
        assert client.get("/v1/jobs", headers=headers).json()["jobs"][0]["id"] == runs.JOB
        missing = client.get(f"/v1/jobs/j{'b' * 20}", headers=headers)
        assert missing.status_code == 404
        assert "whose PipelineRun was deleted" in missing.json()["detail"]
        Going.gone = ""
        here.settle(lambda: not here.board.mirror.is_refused(OTHER))
        assert client.get("/readyz").json() == {"status": "ok"}
