"""Starting a job over HTTP while the API server is busy or refuses: what the caller is told, and has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from scheduler import names
from scheduler.api import app
from scheduler.cluster import faults
from scheduler.cluster.fake import Rule
from scheduler.cluster.faults import Gap
from scheduler.cluster.port import OwnAccessError
from scheduler.errors import ConflictError, SchedulerError, UnavailableError
from tests import gaps
from tests.unit import world
from tests.unit.world import ENVIRONMENT, World

BODY: Final[dict[str, Any]] = {
    "environment": ENVIRONMENT,
    "ir": list(world.DOCUMENTS),
    "parameters": {"day": "2026-01-31"},
}


def client(here: World, tap: Callable[[Gap], None] = lambda gap: None) -> TestClient:
    """A server that tells every gap to `tap`, and somebody who may start jobs everywhere."""
    token = world.allow(here.cluster, "operator", Rule("operator"))
    server = app.create(here.on(faults.tapped(here.cluster, tap)))
    return TestClient(server.app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False)


def post(client: TestClient, *, key: str | bytes = "k", **changes: object) -> Any:
    headers = [(b"Idempotency-Key", key if isinstance(key, bytes) else key.encode())] if key else []
    return client.post("/v1/jobs", json={**BODY, **changes}, headers=headers)


def failing(chosen: Gap, error: SchedulerError) -> Callable[[Gap], None]:
    def tap(gap: Gap) -> None:
        if gap == chosen:
            raise error

    return tap


@pytest.mark.parametrize("gap", gaps.of_submit(), ids=str)
def test_a_throttled_server_says_when_to_come_again(gap: Gap) -> None:
    """429, 5xx and silence are one class at the port; it carries what the API server asked for."""
    here = world.build()

    refused = post(client(here, failing(gap, UnavailableError("too many requests", retry_after_seconds=7))))
    again = post(client(here))

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert again.status_code == (200 if gap in gaps.after_commit() else 201)
    (run,) = here.runs()
    assert run["metadata"]["name"] == again.json()["id"] == names.job_id(namespace=ENVIRONMENT, key="k")


@pytest.mark.parametrize("gap", [gap for gap in gaps.of_submit() if gap.verb == "create"], ids=str)
def test_a_right_that_the_server_lacks_is_not_blamed_on_the_caller(gap: Gap) -> None:
    here = world.build()

    answer = post(client(here, failing(gap, OwnAccessError("quota exceeded"))))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "own account was refused" in answer.json()["detail"]


def test_a_conflict_of_the_input_is_solved_without_the_caller() -> None:
    """Somebody else has made the same input a moment before."""
    here, told = world.build(), list[Gap]()

    def tap(gap: Gap) -> None:
        told.append(gap)
        if str(gap) == "before:create:ConfigMap:1":
            raise ConflictError("configmaps already exists")

    answer = post(client(here, tap))

    assert answer.status_code == 201, answer.text
    assert "before:create:ConfigMap:2" in map(str, told), "there was none after all, so it was made"
    assert len(here.runs()) == 1


def test_an_input_that_comes_and_goes_is_told_with_a_time() -> None:
    here = world.build()

    def tap(gap: Gap) -> None:
        if str(gap).startswith("before:create:ConfigMap"):
            raise ConflictError("configmaps already exists")

    answer = post(client(here, tap))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert here.runs() == []


def test_a_key_belongs_to_its_body_and_its_environment() -> None:
    here = world.build()
    at = client(here)
    first = post(at)

    other_body = post(at, labels={"a": "b"})
    elsewhere = post(at, environment=world.OTHER)
    same = post(at)

    assert (first.status_code, same.status_code) == (201, 200)
    assert (other_body.status_code, other_body.json()["type"]) == (409, "urn:modelops:problem:conflict")
    assert "a new job needs a new key" in other_body.json()["detail"]
    assert elsewhere.status_code == 201
    assert len({first.json()["id"], elsewhere.json()["id"]}) == 2
    assert first.json()["id"] == same.json()["id"]
    assert (len(here.runs()), len(here.runs(world.OTHER))) == (1, 1)


def test_one_body_written_in_two_ways_is_one_body() -> None:
    here = world.build()
    at = client(here)
    first = post(at, deadlines={"run": "1h", "queue": "60s"})

    again = post(at, deadlines={"queue": "1m", "run": "60m"})

    assert (first.status_code, again.status_code) == (201, 200)


def test_without_a_key_every_request_is_a_job() -> None:
    here = world.build()
    at = client(here)

    assert [post(at, key="").status_code for _ in range(2)] == [201, 201]
    assert len(here.runs()) == 2


@pytest.mark.parametrize("key", ["x" * 256, b"\xe9\x01"], ids=["long", "unprintable"])
def test_a_key_that_is_none_is_refused(key: str | bytes) -> None:
    here = world.build()

    answer = post(client(here), key=key)

    assert answer.status_code == 422
    assert answer.json()["problems"][0]["pointer"].lower() == "header:idempotency-key"
    assert here.runs() == []
