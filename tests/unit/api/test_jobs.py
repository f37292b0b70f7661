"""Jobs over HTTP: bodies in, bodies out, and what each refusal looks like."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from scheduler import names
from scheduler.api.views import PlanView
from scheduler.web import views
from tests.unit import world
from tests.unit.api.conftest import BODY, Served
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT


def play(served: Served, job_id: str, tasks: list[Any], *, status: str = "Unknown", reason: str = "Running") -> None:
    """What Tekton and the task programs would have written."""
    cluster = served.world.cluster
    condition = {"type": "Succeeded", "status": status, "reason": reason}
    cluster.set_status("PipelineRun", job_id, ENVIRONMENT, {"conditions": [condition]})
    for manifest in tasks:
        labels = {**manifest["metadata"]["labels"], names.JOB_ID: job_id}
        cluster.put({**manifest, "metadata": {**manifest["metadata"], "namespace": ENVIRONMENT, "labels": labels}})
    stamp = cluster.get("PipelineRun", job_id, ENVIRONMENT)["metadata"]["resourceVersion"]
    served.world.settle(lambda: (job := served.world.board.job(ENVIRONMENT, job_id)) and job.resource_version >= stamp)


SCORING = [
    runs.task("install", "True", outcome=runs.INSTALLED),
    runs.task("wait"),
    runs.wait_pod({"phase": "running", "ledger": {"read": 3}, "recordsPerSecond": 1.5}),
]


def test_a_submitted_job_can_be_seen(served: Served) -> None:
    answer = served.client.post("/v1/jobs", json=BODY, headers={**served.operator, "Idempotency-Key": "k"})

    job = answer.json()
    views.JobView.model_validate(job)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["submittedBy"], job["revision"]) == ("QUEUED", "operator", 1)
    shown = served.client.get(f"/v1/jobs/{job['id']}", headers=served.operator)
    assert shown.status_code == 200
    assert shown.json()["id"] == job["id"]


def test_a_key_that_was_used(served: Served) -> None:
    first = served.submit(key="k")
    head = {**served.operator, "Idempotency-Key": "k"}

    again = served.client.post("/v1/jobs", json=BODY, headers=head)
    other = served.client.post("/v1/jobs", json={**BODY, "labels": {"a": "b"}}, headers=head)

    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert (other.status_code, other.json()["type"]) == (409, "urn:modelops:problem:conflict")


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"enviroment": "x"}, "/enviroment", "Extra inputs"),
        ({"revision": "3"}, "/revision", "valid integer"),
        ({"revision": 0}, "/revision", "greater than or equal to 1"),
        ({"deadlines": {"run": "2 h"}}, "/deadlines/run", "such as '30s'"),
        ({"deadlines": {"rnu": "2h"}}, "/deadlines/rnu", "Extra inputs"),
        ({"labels": {"a": "b c"}}, "/labels/a", "no label"),
        ({"pipeline": "nothing"}, "/pipeline", "there is no pipeline"),
        ({"parameters": {"day": "2026-01-31", "x": 1}}, "/parameters/x", ""),
        ({"git": {"path": "a", "ref": "b"}}, "", "exactly one"),
    ],
)
def test_a_faulty_body_is_refused_with_its_place(
    served: Served, change: dict[str, object], pointer: str, words: str
) -> None:
    answer = served.client.post("/v1/jobs", json={**BODY, **change}, headers=served.operator)

    body = answer.json()
    views.ProblemView.model_validate(body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert any(item.get("pointer", "") == pointer and words in item["message"] for item in body["problems"]), body
    assert served.world.runs() == []


@pytest.mark.parametrize(
    "text",
    [
        '{"environment": "staging", "pipeline": "x", "trigger": {"a": NaN}}',
        '{"environment": "staging", "pipeline": "x", "parameters": {"a": Infinity}}',
        '{"environment": "staging", "pipeline": "x", "trigger": {"a": "\\ud800"}}',
        '{"environment": "staging", "pipeline": "x", "trigger": ' + '{"a":' * 3000 + "1" + "}" * 3000 + "}",
        "[]",
        "{",
        "",
        "null",
        "\xff",
    ],
)
def test_a_body_that_is_no_json_object_is_no_fault_of_the_server(served: Served, text: str) -> None:
    answer = served.client.post(
        "/v1/jobs", content=text.encode("latin-1"), headers={**served.operator, "Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_body_may_not_be_endless(served: Served) -> None:
    sent = 0

    def chunks() -> Any:
        nonlocal sent
        for _ in range(20):
            sent += 2**20
            yield b" " * 2**20

    headers = {**served.operator, "Content-Type": "application/json"}
    answer = served.client.post("/v1/jobs", content=chunks(), headers=headers)

    assert answer.status_code == 413


def test_jobs_are_listed_newest_first_page_by_page(served: Served) -> None:
    made = [served.submit(key=str(number), labels={"n": str(number % 2)})["id"] for number in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        params: dict[str, str | int] = {"limit": 2, "cursor": cursor}
        page = served.client.get("/v1/jobs", params=params, headers=served.operator).json()
        views.JobPage.model_validate(page)
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["nextCursor"]
        if not cursor:
            break

    assert sorted(seen) == sorted(made)
    ones = served.client.get("/v1/jobs", params={"label": "n=1"}, headers=served.operator).json()["jobs"]
    assert sorted(job["id"] for job in ones) == sorted(made[1::2])
    states: dict[str, list[str]] = {"state": ["RUNNING", "FAILED"]}
    assert served.client.get("/v1/jobs", params=states, headers=served.operator).json()["jobs"] == []
    params2 = {"pipeline": world.PIPELINE, "state": "QUEUED", "since": "2020-01-01T00:00:00Z"}
    assert len(served.client.get("/v1/jobs", params=params2, headers=served.operator).json()["jobs"]) == 5
    assert served.client.get("/v1/jobs", params={"until": "2020-01-01"}, headers=served.operator).json()["jobs"] == []


@pytest.mark.parametrize(
    "params",
    [{"cursor": "x"}, {"cursor": "WyJhIl0"}, {"label": "a"}, {"since": "yesterday"}, {"limit": 501}, {"state": "DONE"}],
)
def test_a_faulty_query_is_refused(served: Served, params: dict[str, str]) -> None:
    answer = served.client.get("/v1/jobs", params=params, headers=served.operator)

    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_a_running_job_shows_its_counts(served: Served) -> None:
    job_id = served.submit()["id"]
    play(served, job_id, SCORING)

    job = served.client.get(f"/v1/jobs/{job_id}", headers=served.operator).json()

    views.JobView.model_validate(job)
    assert (job["state"], job["task"], job["cleanup"]) == ("RUNNING", "wait", "PENDING")
    assert (job["records"]["read"], job["records"]["perSecond"]) == (3, 1.5)


def test_a_job_is_cancelled_once(served: Served) -> None:
    job_id = served.submit()["id"]
    play(served, job_id, SCORING)
    url = f"/v1/jobs/{job_id}/cancel"

    first = served.client.post(url, headers=served.operator)
    second = served.client.post(url, json={"mode": "cancel"}, headers=served.operator)

    assert (first.status_code, first.json()["state"]) == (200, "CANCELLING")
    assert (second.status_code, second.json()["resourceVersion"]) == (200, first.json()["resourceVersion"])
    run = served.world.runs()[0]
    assert run["spec"]["status"] == "CancelledRunFinally"
    assert json.loads(run["metadata"]["annotations"][names.CANCELLED_BY])["by"] == "operator"


def test_what_is_over_cannot_be_cancelled(served: Served) -> None:
    job_id = served.submit()["id"]
    tasks = [
        runs.task("install", "True", outcome=runs.INSTALLED),
        runs.task("wait", "True", outcome=runs.SCORED),
        runs.task("uninstall", "True", outcome=runs.CLEAN),
    ]
    play(served, job_id, tasks, status="True", reason="Succeeded")

    answer = served.client.post(f"/v1/jobs/{job_id}/cancel", headers=served.operator)

    assert answer.status_code == 409
    assert "SUCCEEDED" in answer.json()["detail"]


def test_force_is_refused_where_nobody_would_clean_up(served: Served) -> None:
    job_id = served.submit()["id"]

    answer = served.client.post(f"/v1/jobs/{job_id}/cancel", json={"mode": "force"}, headers=served.operator)
    cleanup = served.client.post("/v1/cleanups", json={}, headers=served.operator)

    assert (answer.status_code, cleanup.status_code) == (409, 409)
    assert "scheduling-server.janitor.enabled" in answer.json()["detail"]
    assert "status" not in served.world.runs()[0]["spec"]


def test_a_mode_that_is_not_built_is_refused(served: Served) -> None:
    job_id = served.submit()["id"]

    answer = served.client.post(f"/v1/jobs/{job_id}/cancel", json={"mode": "kill"}, headers=served.operator)

    assert answer.status_code == 422
    assert "'cancel', 'drain' or 'force'" in answer.json()["problems"][0]["message"]


def test_a_scoring_job_is_drained_by_a_note(served: Served) -> None:
    job_id = served.submit()["id"]
    play(served, job_id, SCORING)

    answer = served.client.post(f"/v1/jobs/{job_id}/cancel", json={"mode": "drain"}, headers=served.operator)

    assert answer.json()["state"] == "DRAINING"
    run = served.world.runs()[0]
    assert "status" not in run["spec"]
    assert json.loads(run["metadata"]["annotations"][names.DRAIN])["by"] == "operator"
    again = served.client.post(f"/v1/jobs/{job_id}/cancel", json={"mode": "drain"}, headers=served.operator)
    assert (again.status_code, again.json()["state"]) == (200, "DRAINING")
    assert served.world.runs()[0]["metadata"]["resourceVersion"] == run["metadata"]["resourceVersion"]


def test_a_drained_job_can_still_be_cancelled(served: Served) -> None:
    job_id = served.submit()["id"]
    play(served, job_id, SCORING)
    served.client.post(f"/v1/jobs/{job_id}/cancel", json={"mode": "drain"}, headers=served.operator)

    answer = served.client.post(f"/v1/jobs/{job_id}/cancel", headers=served.operator)

    assert answer.json()["state"] == "CANCELLING"
    assert served.world.runs()[0]["spec"]["status"] == "CancelledRunFinally"


def test_a_job_that_does_not_score_yet_is_cancelled_by_a_drain(served: Served) -> None:
    job_id = served.submit()["id"]

    answer = served.client.post(f"/v1/jobs/{job_id}/cancel", json={"mode": "drain"}, headers=served.operator)

    assert answer.json()["state"] == "CANCELLING"
    run = served.world.runs()[0]
    assert json.loads(run["metadata"]["annotations"][names.CANCELLED_BY])["mode"] == "drain"
    assert names.DRAIN not in run["metadata"]["annotations"]


def test_a_job_is_completed_from_outside(served: Served) -> None:
    job_id = served.submit()["id"]
    url, body = f"/v1/jobs/{job_id}/completion", {"outcome": "Succeeded", "message": "enough"}
    early = served.client.put(url, json=body, headers=served.operator)
    play(served, job_id, SCORING)

    first = served.client.put(url, json=body, headers=served.operator)
    again = served.client.put(url, json=body, headers=served.operator)
    other = served.client.put(url, json={"outcome": "Failed"}, headers=served.operator)

    assert [answer.status_code for answer in (early, first, again, other)] == [409, 200, 200, 409]
    note = json.loads(served.world.runs()[0]["metadata"]["annotations"][names.COMPLETION])
    assert (note["outcome"], note["message"], note["by"]) == ("Succeeded", "enough", "operator")


def test_a_log_is_read(served: Served) -> None:
    job_id = served.submit()["id"]
    cluster = served.world.cluster
    for name in ("a", "b"):
        labels = {"modelops.dev/release": job_id, "modelops.dev/component": "scoring-server-python"}
        cluster.put(
            {
                "kind": "Pod",
                "metadata": {"name": name, "namespace": ENVIRONMENT, "labels": labels},
                "spec": {"containers": [{"name": "server"}]},
            }
        )
        cluster.logs[ENVIRONMENT, name, "server"] = [f"one {name}", f"two {name}"]
    play(served, job_id, SCORING)
    cluster.logs[ENVIRONMENT, f"{runs.JOB}-wait-pod", "step-wait"] = ["waiting"]
    url = f"/v1/jobs/{job_id}/logs"

    def text(**params: str | int) -> tuple[int, str]:
        answer = served.client.get(url, params=params, headers=served.operator)
        return answer.status_code, answer.text

    assert text(source="wait") == (200, "waiting\n")
    assert text(source="services") == (200, "[a] one a\n[a] two a\n[b] one b\n[b] two b\n")
    assert text(source="services", tail=1) == (200, "[a] two a\n[b] two b\n")
    assert text(source="flow")[0] == 404
    assert text(source="services", follow=True)[0] == 422
    assert text(source="kitchen")[0] == 422


def test_events_tell_each_change_until_the_end(served: Served) -> None:
    job_id = served.submit()["id"]
    tasks = [
        runs.task("install", "True", outcome=runs.INSTALLED),
        runs.task("wait", "True", outcome=runs.SCORED),
        runs.task("uninstall", "True", outcome=runs.CLEAN),
    ]
    play(served, job_id, tasks, status="True", reason="Succeeded")
    url = f"/v1/jobs/{job_id}/events"

    first = served.client.get(url, headers=served.operator).text
    lines = dict(line.split(": ", 1) for line in first.strip().splitlines())
    again = served.client.get(url, headers={**served.operator, "Last-Event-ID": lines["id"]}).text

    assert lines["event"] == "job"
    assert json.loads(lines["data"])["state"] == "SUCCEEDED"
    assert again == ""


def test_every_change_is_on_record(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="modelops.audit"):
        job_id = served.submit(key="secretless")["id"]
        served.client.post(
            "/v1/jobs", json={**BODY, "pipeline": "x"}, headers={**served.operator, "X-Request-Id": "r-1"}
        )
        served.client.post(f"/v1/jobs/{job_id}/cancel", headers=served.operator)

    lines = [vars(record)["audit"] for record in caplog.records if record.name == "modelops.audit"]
    assert [(line["phase"], line["verb"], line.get("status")) for line in lines] == [
        ("begin", "create", None),
        ("done", "create", 201),
        ("begin", "create", None),
        ("refused", "create", 422),
        ("begin", "cancel", None),
        ("done", "cancel", 200),
    ]
    assert lines[1]["name"] == lines[4]["name"] == job_id
    assert lines[2]["requestId"] == lines[3]["requestId"] == "r-1"
    assert lines[3]["error"] == "InvalidInputError"
    assert lines[0]["idempotencyKey"] == "secretless"
    assert lines[5]["before"]["state"] == "QUEUED"
    assert {(line["caller"], line["decision"], line["namespace"]) for line in lines} == {
        ("operator", "allowed", ENVIRONMENT)
    }


def test_every_answer_has_a_request_id(served: Served) -> None:
    assert served.client.get("/healthz").headers["X-Request-Id"]
    assert served.client.get("/v1/jobs", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"
    assert served.client.get("/healthz", headers={"X-Request-Id": "not mine!"}).headers["X-Request-Id"] != "not mine!"


def test_a_plan_shows_everything_and_makes_nothing(served: Served) -> None:
    answer = served.client.post("/v1/plans", json=BODY, headers=served.operator)

    body = answer.json()
    assert answer.status_code == 200, answer.text
    PlanView.model_validate(body)
    assert body["values"]["global"]["job"]["environment"] == ENVIRONMENT
    assert body["totals"]["pods"] == len(body["objects"]) == 2
    assert body["flows"][0]["engine"]
    assert served.client.post("/v1/plans", json=BODY, headers=served.operator).json() == body
    assert served.world.runs() == []
    assert served.world.store.grants == set()
