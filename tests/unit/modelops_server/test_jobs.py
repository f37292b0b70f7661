"""Jobs through the modelops server: what goes through, for whom, and what becomes of refusals and outages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from scheduler import names
from scheduler.client.scheduling import SchedulingClient
from scheduler.errors import UnavailableError
from scheduler.modelops_server.scheduling import Scheduling
from scheduler.web import own_token, views
from tests.unit import world
from tests.unit.modelops_server.conftest import ACCOUNT, BODY, JOBS, PLATFORM, Platform
from tests.unit.world import ENVIRONMENT, OTHER


def test_a_job_starts_for_its_caller_under_the_servers_own_account(platform: Platform) -> None:
    alice = platform.operator()

    answer = platform.modelops.post(JOBS, json=BODY, headers={**alice, "Idempotency-Key": "k"})

    job = answer.json()
    views.JobView.model_validate(job)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/jobs/{job['id']}")
    assert (job["pipeline"], job["revision"], job["environment"]) == (world.PIPELINE, 1, ENVIRONMENT)
    assert job["submittedBy"] == f"alice via {ACCOUNT}"
    assert [request.headers["Authorization"] for request in platform.wire.sent] == [platform.account["Authorization"]]
    assert alice["Authorization"] not in str([request.headers for request in platform.wire.sent])


def test_the_same_key_is_the_same_job_by_either_way(platform: Platform) -> None:
    alice = platform.operator()
    made = platform.start(alice)
    again = platform.modelops.post(JOBS, json=BODY, headers={**alice, "Idempotency-Key": "k"})
    direct = platform.scheduling.post(
        "/v1/jobs", json={**BODY, "pipeline": world.PIPELINE}, headers={**alice, "Idempotency-Key": "k"}
    )
    other = platform.modelops.post(JOBS, json={**BODY, "labels": {"a": "b"}}, headers={**alice, "Idempotency-Key": "k"})

    assert [(one.status_code, one.json()["id"]) for one in (again, direct)] == [(200, made["id"])] * 2
    assert (other.status_code, other.json()["type"]) == (409, "urn:modelops:problem:conflict")
    assert len(platform.world.runs()) == 1


def test_everything_that_an_order_says_arrives(platform: Platform) -> None:
    order: dict[str, Any] = {
        "revision": 1,
        "labels": {"team": "ops"},
        "deadlines": {"run": "30m"},
        "trigger": {"kind": "schedule", "at": None},
        "dataVersions": {"readings": "v7"},
    }
    job = platform.start(platform.operator(), **order)
    shown = {key: job[key] for key in ("labels", "trigger", "dataVersions", "parameters")}
    wanted = {key: order[key] for key in ("labels", "trigger", "dataVersions")}
    assert shown == {**wanted, "parameters": BODY["parameters"]}
    assert job["deadlines"]["run"] == 1800


@pytest.mark.parametrize(
    ("missing", "detail"),
    [
        ("create", f"bob may not create jobs.modelops.dev in '{ENVIRONMENT}'"),
        ("pipelines", f"bob may not get pipelines.modelops.dev in '{PLATFORM}'"),
    ],
)
def test_who_may_not_start_is_refused_before_anybody_is_asked(platform: Platform, missing: str, detail: str) -> None:
    rights = {"create": ("create", "jobs", ENVIRONMENT), "pipelines": ("get", "pipelines", PLATFORM)}
    bob = platform.caller("bob", *(right for name, right in rights.items() if name != missing))

    answer = platform.modelops.post(JOBS, json=BODY, headers=bob)

    assert (answer.status_code, answer.json()["detail"]) == (403, detail)
    assert platform.wire.sent == []
    assert platform.world.runs() == []


def test_an_environment_that_is_none_is_refused_whatever_the_callers_rights(platform: Platform) -> None:
    admin = platform.caller("admin", ("*", "*", "*"))
    answer = platform.modelops.post(JOBS, json={**BODY, "environment": "kube-system"}, headers=admin)
    assert (answer.status_code, platform.wire.sent) == (403, [])


def _without_instance(answer: Any) -> tuple[int, Any, str | None]:
    return answer.status_code, answer.json(), answer.headers.get("Retry-After")


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": 9},
        {"parameters": {"dya": "2026-01-31", "more": 1}, "labels": {"no label!": "x"}},
        {"deadlines": {"run": "long", "queue": "longer"}},
        {"parameters": {}},
    ],
)
def test_refusals_of_the_scheduling_server_come_through_as_they_are(
    platform: Platform, changes: dict[str, object]
) -> None:
    alice = platform.operator()
    through = platform.modelops.post(JOBS, json={**BODY, **changes}, headers=alice)
    direct = platform.scheduling.post("/v1/jobs", json={**BODY, "pipeline": world.PIPELINE, **changes}, headers=alice)
    assert through.status_code in {404, 422}
    assert _without_instance(through) == _without_instance(direct)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**BODY, "pipeline": "another"},
        {**BODY, "ir": []},
        {**BODY, "revision": "1"},
        {**BODY, "environment": ""},
    ],
)
def test_a_body_that_is_none_is_refused_here(platform: Platform, body: dict[str, object]) -> None:
    answer = platform.modelops.post(JOBS, json=body, headers=platform.operator())
    assert (answer.status_code, platform.wire.sent) == (422, [])


def test_text_that_is_no_json_reaches_nobody(platform: Platform) -> None:
    text = json.dumps({**BODY, "trigger": {"x": float("nan")}})
    headers = {**platform.operator(), "Content-Type": "application/json"}
    assert platform.modelops.post(JOBS, content=text, headers=headers).status_code == 422
    assert platform.wire.sent == []


def test_jobs_are_listed_where_the_caller_may_and_nowhere_else(platform: Platform) -> None:
    here, there = platform.operator("alice"), platform.operator("carol", OTHER)
    both = platform.caller("root", ("list", "jobs", ENVIRONMENT), ("list", "jobs", OTHER))
    first, second = platform.start(here), platform.start(there, environment=OTHER)

    def listed(headers: dict[str, str], **query: object) -> list[str]:
        answer = platform.modelops.get(JOBS, headers=headers, params=query)  # type: ignore[arg-type]
        views.JobPage.model_validate(answer.json())
        return sorted(job["id"] for job in answer.json()["jobs"])

    assert listed(here) == [first["id"]]
    assert listed(there) == [second["id"]]
    assert listed(both) == sorted([first["id"], second["id"]])
    assert listed(both, environment=OTHER) == [second["id"]]
    assert listed(both, environment="") == sorted([first["id"], second["id"]])
    assert listed(both, environment=[OTHER, ENVIRONMENT]) == sorted([first["id"], second["id"]])
    assert listed(both, state="SUCCEEDED") == []
    assert platform.modelops.get("/v1/pipelines/another/jobs", headers=both).json()["jobs"] == []
    assert platform.modelops.get(JOBS, headers=here, params={"environment": OTHER}).status_code == 403
    assert platform.modelops.get(JOBS, headers=platform.caller("bob")).status_code == 403


def test_pages_go_on_where_the_last_one_ended(platform: Platform) -> None:
    alice = platform.operator()
    made = {platform.start(alice, key=str(number), labels={"n": str(number)})["id"] for number in range(3)}
    seen, cursor = list[str](), ""
    while True:
        page = platform.modelops.get(JOBS, headers=alice, params={"limit": 2, "cursor": cursor}).json()
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["nextCursor"]
        if not cursor:
            break
    assert (sorted(seen), len(seen)) == (sorted(made), 3)
    labelled = platform.modelops.get(JOBS, headers=alice, params={"label": "n=1"}).json()["jobs"]
    assert [job["labels"] for job in labelled] == [{"n": "1"}]
    assert platform.modelops.get(JOBS, headers=alice, params={"label": "n"}).status_code == 422


def test_a_foreign_job_answers_like_one_that_does_not_exist(platform: Platform) -> None:
    job = platform.start(platform.operator())
    neighbour, stranger = platform.operator("carol", OTHER), platform.caller("bob")

    def words(who: dict[str, str], job_id: str, suffix: str, method: str) -> tuple[int, str]:
        answer = platform.modelops.request(method, f"/v1/jobs/{job_id}{suffix}", headers=who)
        return answer.status_code, answer.text.replace(job_id, "X")

    for who in (neighbour, stranger):
        for suffix, method in (("", "GET"), ("/cancel", "POST")):
            found = words(who, job["id"], suffix, method)
            assert found == words(who, "j" + "b" * 20, suffix, method)
            assert found[0] == 404
    assert platform.world.runs()[0]["spec"].get("status") is None


def test_a_job_is_shown_and_cancelled_for_whoever_may(platform: Platform) -> None:
    alice = platform.operator()
    job = platform.start(alice)
    url = f"/v1/jobs/{job['id']}"
    viewer = platform.caller("bob", ("get", "jobs", ENVIRONMENT))

    assert platform.modelops.get(url, headers=viewer).json()["id"] == job["id"]
    refused = platform.modelops.post(f"{url}/cancel", headers=viewer)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        f"bob may not delete jobs.modelops.dev in '{ENVIRONMENT}'",
    )
    cancelled = platform.modelops.post(f"{url}/cancel", headers=alice, json={"mode": "cancel"})

    assert cancelled.json()["state"] in {"CANCELLING", "CANCELLED"}
    by = json.loads(platform.world.runs()[0]["metadata"]["annotations"][names.CANCELLED_BY])["by"]
    assert by == f"alice via {ACCOUNT}"


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]
)
def test_an_outage_of_the_scheduling_server_is_told_as_such(platform: Platform, failure: Exception) -> None:
    alice = platform.operator()
    platform.wire.answer = failure
    for method, path, body in (("POST", JOBS, BODY), ("GET", JOBS, None), ("GET", f"/v1/jobs/j{'a' * 20}", None)):
        answer = platform.modelops.request(method, path, json=body, headers=alice)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "the scheduling server" in answer.json()["detail"]


def test_the_time_to_wait_comes_through(platform: Platform) -> None:
    document = {"type": "urn:modelops:problem:unavailable", "status": 503, "detail": "the store is away"}
    platform.wire.answer = httpx.Response(503, json=document, headers={"Retry-After": "17"})
    answer = platform.modelops.post(JOBS, json=BODY, headers=platform.operator())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "17")
    assert answer.json()["detail"] == "the store is away"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_our_own_account_is_no_fault_of_the_caller(platform: Platform, status: int) -> None:
    platform.wire.answer = httpx.Response(status, json={"status": status, "detail": "not you"})
    answer = platform.modelops.post(JOBS, json=BODY, headers=platform.operator())
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "the scheduling server refuses this server's own account: not you",
    )


def test_a_scheduling_server_that_hangs_takes_no_more_than_its_share() -> None:
    hanging, let_go = threading.Barrier(3), threading.Event()

    def respond(_: httpx.Request) -> httpx.Response:
        hanging.wait(10)
        let_go.wait(10)
        return httpx.Response(200, json={})

    client = SchedulingClient("http://10.0.0.1", transport=httpx.MockTransport(respond))
    scheduling = Scheduling(client, at_once=2)

    def ask() -> None:
        with scheduling.asked() as asked:
            asked.job("j")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    hanging.wait(10)
    with pytest.raises(UnavailableError, match="too many") as refused:
        ask()
    let_go.set()
    for thread in threads:
        thread.join(10)
    assert refused.value.retry_after_seconds == 2
    with scheduling.asked():
        pass


# To act for somebody, at the scheduling server ---------------------------------------------------------------------


def _acting(headers: dict[str, str], name: str) -> dict[str, str]:
    return {**headers, names.ON_BEHALF_OF: quote(name, safe="")}


Call = Callable[[Platform, dict[str, str], str], Any]
CALLS: dict[str, Call] = {
    "start": lambda platform, headers, _: platform.scheduling.post(
        "/v1/jobs", json={**BODY, "pipeline": world.PIPELINE}, headers=headers
    ),
    "cancel": lambda platform, headers, job: platform.scheduling.post(f"/v1/jobs/{job}/cancel", headers=headers),
    "complete": lambda platform, headers, job: platform.scheduling.put(
        f"/v1/jobs/{job}/completion", json={"outcome": "Succeeded"}, headers=headers
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_nobody_speaks_for_others_without_the_right(platform: Platform, call: str) -> None:
    verbs = ("create", "get", "list", "delete", "update")
    mallory = platform.caller(
        "mallory", *((verb, "jobs", ENVIRONMENT) for verb in verbs), ("get", "pipelines", PLATFORM)
    )
    job = platform.start(platform.operator())
    before = platform.world.runs()

    answer = CALLS[call](platform, _acting(mallory, "alice"), job["id"])

    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        f"mallory may not impersonate jobs.modelops.dev in '{ENVIRONMENT}'",
    )
    assert platform.world.runs() == before


def test_to_speak_for_others_is_no_right_to_do_more(platform: Platform) -> None:
    speaker = platform.caller("speaker", ("impersonate", "jobs", ENVIRONMENT))
    answer = CALLS["start"](platform, _acting(speaker, "alice"), "")
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        f"speaker may not create jobs.modelops.dev in '{ENVIRONMENT}'",
    )


@pytest.mark.parametrize("name", ["Zoë Ångström", "system:serviceaccount:a:b", "alice@example.com"])
def test_any_name_arrives_as_it_is(platform: Platform, name: str) -> None:
    answer = CALLS["start"](platform, _acting(platform.account, name), "")
    assert answer.json()["submittedBy"] == f"{name} via {ACCOUNT}"


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 513])
def test_a_name_that_is_none_is_refused(platform: Platform, name: str) -> None:
    answer = CALLS["start"](platform, _acting(platform.account, name), "")
    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (422, f"header:{names.ON_BEHALF_OF}")


def test_the_own_token_is_read_anew_each_time(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    monkeypatch.setenv(own_token.VARIABLE, str(file))
    with pytest.raises(UnavailableError, match="own token cannot be read"):
        own_token.read()
    found = []
    for value in ("first\n", "second"):
        file.write_text(value)
        found.append(own_token.read())
    assert found == ["first", "second"]
