"""Every route of both servers, as their OpenAPI documents list them, for everybody who must not get in."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from scheduler.api import app as scheduling_app
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.fake import Rule
from scheduler.cluster.port import Caller
from scheduler.modelops_server import app as modelops_app
from scheduler.modelops_server.configuration import Configuration
from scheduler.web import audit
from tests import routes
from tests.routes import Target
from tests.unit import world
from tests.unit.modelops_server.conftest import PLATFORM, Platform
from tests.unit.world import DOCUMENTS, ENVIRONMENT, OTHER

CANARY = "canary-5f1c"
"""In every body that is sent: no line of the audit may hold it."""
CONTENT = f"a model, {CANARY}".encode()


def documents() -> dict[str, dict[str, Any]]:
    """Of both servers, without serving anything."""
    here = world.build()
    nobody = SchedulingClient("http://127.0.0.1:1")
    with tempfile.TemporaryDirectory() as folder:
        modelops = modelops_app.create(Configuration(data=Path(folder)), cluster=here.cluster, scheduling=nobody)
        found = {"scheduling": scheduling_app.create(here.ports).app.openapi(), "modelops": modelops.openapi()}
    nobody.close()
    return found


DOCUMENTS_OF = documents()
ALL = [(server, route) for server, document in DOCUMENTS_OF.items() for route in routes.of(document)]
ENDING = [(server, route) for server, route in ALL if not route.endswith(("/events", "/logs"))]
"""Without those whose answer goes on for as long as the job does."""
IN_CONFLICT = {"PUT /v1/jobs/{job_id}/completion", "POST /v1/cleanups"}
"""The job has not begun; the janitor is switched off."""
CHANGES = [(server, route) for server, document in DOCUMENTS_OF.items() for route in routes.changes(document)]


def test_the_documents_list_what_there_is() -> None:
    assert (len(ALL), len(CHANGES)) >= (24, 11)
    assert {path for document in DOCUMENTS_OF.values() for path in document["paths"]} >= routes.OPEN


@pytest.mark.parametrize("server", ["scheduling", "modelops"])
def test_no_route_escapes_its_document(platform: Platform, server: str) -> None:
    """A mounted application would be anything below its path."""
    served = iter_route_contexts(getattr(platform, server).app.routes)
    there = {(route.path, method) for route in served for method in route.methods or {"anything"}}
    paths = DOCUMENTS_OF[server]["paths"]
    listed = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    assert there == listed | {("/openapi.json", "GET"), ("/openapi.json", "HEAD")}


@pytest.fixture
def filled(platform: Platform) -> tuple[Platform, Target]:
    """With a job, a channel, an artifact and a pipeline, so that nothing is refused for want of them."""
    everything = {"Authorization": f"Bearer {world.allow(platform.world.cluster, 'root', Rule('root'))}"}
    channel, schema = world.channel_documents()
    channel["metadata"]["description"] = CANARY
    target = Target(
        environment=ENVIRONMENT,
        job_id=platform.start(everything, key="first")["id"],
        pipeline=world.PIPELINE,
        channel="flights",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        content=CONTENT,
        documents=tuple(DOCUMENTS),
        channel_documents=(channel, schema),
        parameters={"day": "2026-01-31"},
    )
    for model in world.MODELS:
        content = model.read_bytes()
        path = f"/v1/artifacts/{hashlib.sha256(content).hexdigest()}"
        assert platform.modelops.put(path, content=content, headers=everything).status_code == 201
    for server, route in (
        ("scheduling", "PUT /v1/data-channels/{name}"),
        ("modelops", "PUT /v1/artifacts/{sha256}"),
        ("modelops", "POST /v1/pipelines/{name}/revisions"),
    ):
        assert _ask(platform, server, route, target, everything).status_code == 201
    return platform, target


def _ask(platform: Platform, server: str, route: str, target: Target, headers: dict[str, str]) -> Any:
    client: TestClient = getattr(platform, server)
    asked = routes.request(route, DOCUMENTS_OF[server], target).arguments
    return client.request(**{**asked, "headers": {**asked.get("headers", {}), **headers}})


@pytest.fixture
def outsiders(filled: tuple[Platform, Target]) -> dict[str, dict[str, str]]:
    """Headers of nobody, of a token that is none, of one for another audience, and of an operator of elsewhere."""
    cluster = filled[0].world.cluster
    cluster.tokens["for-the-api-server"] = (Caller(name="root"), ("https://kubernetes.default.svc",))
    elsewhere = world.allow(cluster, "elsewhere", Rule("elsewhere", namespace=OTHER))
    tokens = {"garbage": "e30.e30.garbage", "other audience": "for-the-api-server", "elsewhere": elsewhere}
    return {"nobody": {}, **{who: {"Authorization": f"Bearer {token}"} for who, token in tokens.items()}}


@pytest.mark.parametrize(("server", "route"), ALL)
def test_nobody_gets_in_who_must_not(
    filled: tuple[Platform, Target], outsiders: dict[str, dict[str, str]], server: str, route: str
) -> None:
    platform, target = filled
    before = platform.world.runs()
    found = {who: _ask(platform, server, route, target, headers).status_code for who, headers in outsiders.items()}
    foreign = found.pop("elsewhere")
    assert found == dict.fromkeys(found, 401)
    assert foreign in {403, 404}
    assert platform.world.runs() == before


@pytest.mark.parametrize(("server", "route"), ENDING)
def test_whoever_may_gets_in(filled: tuple[Platform, Target], server: str, route: str) -> None:
    """The other side: the requests of this matrix are good ones, and are refused for nothing but who sends them."""
    platform, target = filled
    answer = _ask(platform, server, route, target, {"Authorization": "Bearer token-of-root"})
    assert answer.status_code in ({409} if route in IN_CONFLICT else {200, 201, 204}), answer.text


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """What the audit has written since the test began."""
    found: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(vars(record)["audit"])  # type: ignore[method-assign]
    logger = logging.getLogger(audit.LOGGER)
    logger.addHandler(handler)
    with caplog.at_level(logging.INFO, logger=audit.LOGGER):
        yield found
    logger.removeHandler(handler)


@pytest.mark.parametrize(("server", "route"), CHANGES)
def test_a_change_leaves_two_lines_with_the_status_of_its_answer(
    filled: tuple[Platform, Target], lines: list[dict[str, Any]], server: str, route: str
) -> None:
    platform, target = filled
    lines.clear()
    answer = _ask(
        platform, server, route, target, {"Authorization": "Bearer token-of-root", "X-Request-Id": "request-7"}
    )
    mine = [line for line in lines if line["caller"] == "root"]
    assert [line["phase"] for line in mine] == ["begin", "done" if answer.status_code < 400 else "refused"]
    for line in mine:
        assert (line["decision"], line["requestId"]) == ("allowed", "request-7")
        assert line["reason"]
        assert line["groups"] == ["system:authenticated"]
        assert line["namespace"] in {ENVIRONMENT, PLATFORM}
        assert line["verb"]
        assert line["resource"] in {"jobs", "datachannels", "artifacts", "pipelines"}
    assert mine[1]["status"] == answer.status_code
    assert CANARY not in str(lines)
    assert "token-of" not in str(lines)


@pytest.mark.parametrize(("server", "route"), CHANGES)
def test_a_denied_change_leaves_two_lines_with_the_reason(
    filled: tuple[Platform, Target],
    outsiders: dict[str, dict[str, str]],
    lines: list[dict[str, Any]],
    server: str,
    route: str,
) -> None:
    platform, target = filled
    lines.clear()
    answer = _ask(platform, server, route, target, outsiders["elsewhere"])
    assert [(line["phase"], line["decision"], line["caller"]) for line in lines] == [
        ("begin", "denied", "elsewhere"),
        ("refused", "denied", "elsewhere"),
    ]
    assert lines[1]["status"] == answer.status_code
    assert "may not" in lines[0]["reason"] or "no job" in lines[0]["reason"]
    assert CANARY not in str(lines)


def test_who_is_acted_for_stands_in_both_servers_lines_under_one_request(
    platform: Platform, lines: list[dict[str, Any]]
) -> None:
    alice = platform.operator("alice")
    platform.start({**alice, "X-Request-Id": "one-request"})
    assert [(line["phase"], line["caller"].split(":")[-1], line["onBehalfOf"]) for line in lines] == [
        ("begin", "alice", ""),
        ("begin", "modelops-modelops-server", "alice"),
        ("done", "modelops-modelops-server", "alice"),
        ("done", "alice", ""),
    ]
    assert {line["requestId"] for line in lines} == {"one-request"}


def test_a_change_that_fails_by_a_fault_of_ours_is_told_too(
    filled: tuple[Platform, Target], lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, target = filled
    lines.clear()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(platform.world.cluster, "patch", broken)
    answer = _ask(
        platform, "scheduling", "POST /v1/jobs/{job_id}/cancel", target, {"Authorization": "Bearer token-of-root"}
    )
    assert answer.status_code == 500
    assert [(line["phase"], line.get("status"), line.get("error")) for line in lines] == [
        ("begin", None, None),
        ("failed", 500, "RuntimeError"),
    ]
    assert CANARY not in str(lines)
