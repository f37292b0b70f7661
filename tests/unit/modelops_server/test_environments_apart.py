"""What is in one environment is not there for those of another, on either server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit import world
from tests.unit.modelops_server.conftest import BODY, JOBS, PLATFORM, Platform
from tests.unit.world import ENVIRONMENT, OTHER

CHANNEL = dict(zip(("channel", "schema"), world.channel_documents("private-flights"), strict=True))
NOWHERE = "j" + "a" * 20


@dataclass
class Neighbours:
    platform: Platform
    alice: dict[str, str]
    """Headers of an operator of `staging`, where a job and a channel are."""
    bob: dict[str, str]
    """Of `production`, where he has a job too."""
    hers: str
    his: str


@pytest.fixture
def neighbours(platform: Platform) -> Neighbours:
    def operator(name: str, place: str) -> dict[str, str]:
        kinds = ("jobs", "plans", "datachannels")
        return platform.caller(name, *(("*", kind, place) for kind in kinds), ("get", "pipelines", PLATFORM))

    alice, bob = operator("alice", ENVIRONMENT), operator("bob", OTHER)
    path = "/v1/data-channels/private-flights"
    made = platform.scheduling.put(path, params={"environment": ENVIRONMENT}, json=CHANNEL, headers=alice)
    assert made.status_code == 201
    return Neighbours(
        platform=platform,
        alice=alice,
        bob=bob,
        hers=platform.start(alice, key="the same key")["id"],
        his=platform.start(bob, key="the same key", environment=OTHER)["id"],
    )


def test_the_same_key_in_another_environment_is_another_job(neighbours: Neighbours) -> None:
    assert neighbours.hers != neighbours.his


@pytest.mark.parametrize(("server", "path"), [("scheduling", "/v1/jobs"), ("modelops", JOBS)])
def test_lists_hold_ones_own_jobs_only(neighbours: Neighbours, server: str, path: str) -> None:
    client = getattr(neighbours.platform, server)
    seen = {
        who: [job["id"] for job in client.get(path, headers=headers).json()["jobs"]]
        for who, headers in (("alice", neighbours.alice), ("bob", neighbours.bob))
    }
    assert seen == {"alice": [neighbours.hers], "bob": [neighbours.his]}
    refused = client.get(path, params={"environment": ENVIRONMENT}, headers=neighbours.bob)
    assert refused.status_code == 403


@pytest.mark.parametrize("asked", [{}, {"environment": ENVIRONMENT}])
@pytest.mark.parametrize(
    ("server", "method", "path", "body"),
    [
        ("scheduling", "GET", "/v1/jobs/{}", None),
        ("scheduling", "GET", "/v1/jobs/{}/logs", None),
        ("scheduling", "GET", "/v1/jobs/{}/events", None),
        ("scheduling", "POST", "/v1/jobs/{}/cancel", None),
        ("scheduling", "POST", "/v1/jobs/{}/cancel", {"mode": "force"}),
        ("scheduling", "PUT", "/v1/jobs/{}/completion", {"outcome": "Failed"}),
        ("modelops", "GET", "/v1/jobs/{}", None),
        ("modelops", "POST", "/v1/jobs/{}/cancel", None),
    ],
)
def test_a_neighbours_job_answers_like_one_that_does_not_exist(
    neighbours: Neighbours, *, server: str, method: str, path: str, body: Any, asked: dict[str, str]
) -> None:
    def ask(job_id: str) -> tuple[int, str]:
        answer = getattr(neighbours.platform, server).request(
            method, path.format(job_id), params=asked, json=body, headers=neighbours.bob
        )
        return answer.status_code, answer.text.replace(job_id, "<id>")

    assert ask(neighbours.hers) == ask(NOWHERE)
    assert ask(neighbours.hers)[0] == 404
    found = neighbours.platform.scheduling.get(f"/v1/jobs/{neighbours.hers}", headers=neighbours.alice).json()
    assert found["state"] == "QUEUED"


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", CHANNEL), ("DELETE", None)])
def test_a_neighbours_channel_answers_like_one_that_does_not_exist(
    neighbours: Neighbours, method: str, body: Any
) -> None:
    def ask(name: str) -> tuple[int, str]:
        answer = neighbours.platform.scheduling.request(
            method,
            f"/v1/data-channels/{name}",
            params={"environment": ENVIRONMENT},
            json=body,
            headers=neighbours.bob,
        )
        return answer.status_code, answer.text

    assert ask("private-flights") == ask("nothing")
    assert ask("private-flights")[0] == 403


def test_a_neighbours_channels_are_listed_for_nobody_else(neighbours: Neighbours) -> None:
    def listed(headers: dict[str, str], place: str) -> Any:
        answer = neighbours.platform.scheduling.get("/v1/data-channels", params={"environment": place}, headers=headers)
        return [channel["name"] for channel in answer.json().get("channels", ())] or answer.status_code

    assert listed(neighbours.alice, ENVIRONMENT) == ["private-flights"]
    assert listed(neighbours.bob, ENVIRONMENT) == 403
    assert listed(neighbours.bob, OTHER) == 200


def test_a_plan_is_made_of_what_is_in_its_own_environment(neighbours: Neighbours) -> None:
    def plan(place: str, **more: Any) -> Any:
        order = {**BODY, "pipeline": world.PIPELINE, "environment": place, **more}
        return neighbours.platform.scheduling.post("/v1/plans", json=order, headers=neighbours.bob)

    assert plan(ENVIRONMENT).status_code == 403
    assert plan(OTHER).status_code == 200
    misspelt = plan(OTHER, dataVersions={"private-flight": "1"})
    assert misspelt.status_code == 422
    assert "private-flights" not in misspelt.text, "a neighbour's name is not what would have been right"
