"""From a recorded API server to a report, and what a server that fails makes of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scheduler.cluster.port import OwnAccessError
from scheduler.errors import UnavailableError
from scheduler.inspection import judgement, looking, rights
from scheduler.inspection.facts import Registry, Unknown
from scheduler.inspection.findings import Area, Finding, Report, State
from scheduler.inspection.looking import Trials, Wanted
from scheduler.tekton import prerequisite
from tests.unit.inspection import recorded
from tests.unit.inspection.recorded import Recorded

TRIED = Trials(
    registry=lambda: Registry(host="registry.example.com", failure=""),
    pull_registry=lambda: Registry(host="registry.example.com", failure=""),
    network=lambda: True,
)
SETTINGS = [f"{one.config} {one.key}" for one in prerequisite.SETTINGS]
KUBELETS = "seccompDefault of kubelets"
ARGUMENTS = [f"controller -{one.flag}" for one in prerequisite.ARGUMENTS]


def report(api: Recorded, trials: Trials = TRIED) -> Report:
    return judgement.judge(looking.look(api, Wanted(), trials))


def of(found: Report, *states: State) -> dict[str, Finding]:
    return {one.what: one for one in found.findings if one.state in states}


def test_the_local_cluster_has_everything() -> None:
    found = report(recorded.load("local"))
    assert [one for one in found.findings if one.state is not State.OK] == []
    assert (found.user, found.cluster, found.lacking) == ("modelops-admin", "https://192.0.2.10:6443", frozenset())
    assert {one.area for one in found.findings} == set(Area)


def test_what_nobody_tried_is_unknown_and_not_missing() -> None:
    found = report(recorded.load("local"), Trials())
    assert set(of(found, State.UNKNOWN)) == {"enforcement", "from here", "from a node"}
    assert found.lacking == frozenset()


def test_each_of_tektons_defaults_is_told_with_its_cost_and_remedy() -> None:
    found = report(recorded.load("defaults"))
    differing = of(found, State.COSTS)
    assert set(differing) == {*SETTINGS, *ARGUMENTS} - {"feature-flags set-security-context"}
    assert all(one.cost and one.remedy for one in differing.values())
    throttle = differing["config-defaults default-container-resource-requirements"]
    assert "7 s" in throttle.cost
    needed = of(found, State.MISSING)["feature-flags set-security-context"]
    assert "restricted" in needed.cost
    assert needed.remedy == 'set set-security-context: "true" in ConfigMap feature-flags in Tekton\'s namespace'
    assert of(found, State.UNKNOWN)["version"].found == "it calls itself 'devel'"


def test_nodes_on_which_no_image_can_be_built_are_told() -> None:
    api = recorded.load("local")
    names = ["a", "b", "c", "d", "modelops"]
    api.answers["GET /api/v1/nodes"] = {"items": [{"metadata": {"name": name}} for name in names]}
    for name in names[:-1]:
        api.answers[f"GET /api/v1/nodes/{name}/proxy/configz"] = {"kubeletconfig": {"seccompDefault": True}}
    told = of(report(api), State.COSTS)[KUBELETS]
    assert told.found == "true on a, b, c and 1 more"
    assert "global.build.enabled=false" in told.remedy


def test_one_node_that_answers_is_enough_to_tell_of_kubelets() -> None:
    api = recorded.load("local")
    api.answers["GET /api/v1/nodes"] = {"items": [{"metadata": {"name": name}} for name in ("down", "modelops")]}
    assert KUBELETS in of(report(api), State.OK)
    del api.answers["GET /api/v1/nodes/modelops/proxy/configz"]
    assert "configz" in of(report(api), State.UNKNOWN)[KUBELETS].found


def test_a_cluster_without_tekton_says_so_once() -> None:
    found = report(recorded.load("bare"))
    assert [(one.what, one.found) for one in found.findings if one.area is Area.TEKTON] == [
        ("version", "this cluster has no Tekton")
    ]
    assert "1.15" in of(found, State.MISSING)["version"].remedy
    assert found.lacking == {Area.TEKTON, Area.STORAGE}


def test_a_weak_user_is_told_of_every_right_at_once() -> None:
    found = report(recorded.load("weak", denied=frozenset("*")))
    told = {(one.what, one.found) for one in found.findings if one.area is Area.RIGHTS}
    assert ("secrets", "you may not create, delete, get, list, update in namespace modelops") in told
    roles = "clusterroles.rbac.authorization.k8s.io"
    assert (roles, "you may not bind, create, delete, escalate, get, patch in the whole cluster") in told
    assert ("pipelines.tekton.dev", "you may not create, delete, get, patch in namespace staging") in told
    needed = rights.needed(platform="modelops", environments=["staging"])
    assert len(told) == len({(right.namespace, right.kind) for right in needed})
    # what this user may not look at is unknown, what anybody may see is told
    unknown = of(found, State.UNKNOWN)
    assert set(unknown) == {*SETTINGS, *ARGUMENTS, "webhook", "admission", KUBELETS, "default StorageClass"}
    assert {one.found for one in unknown.values()} == {"you may not look at it; an administrator may"}
    assert found.lacking == {Area.RIGHTS}


def test_a_single_missing_right_is_told_alone() -> None:
    denied = frozenset({"escalate roles.rbac.authorization.k8s.io in staging"})
    found = of(report(recorded.load("local", denied=denied)), State.MISSING)
    assert {one.found for one in found.values()} == {"you may not escalate in namespace staging"}


def test_nothing_is_made_in_the_cluster_by_looking() -> None:
    api = recorded.load("local")
    looking.look(api, Wanted())
    made = [(call, query) for call, query, _ in api.asked if call.startswith("POST") and "review" not in call]
    assert made
    assert all(query == {"dryRun": "All"} for _, query in made)
    assert {call.split()[0] for call, _, _ in api.asked} == {"GET", "POST"}


def test_a_webhook_that_does_not_answer_is_missing() -> None:
    api = recorded.load("local")
    path = "POST /apis/tekton.dev/v1/namespaces/default/pipelineruns"
    api.answers[path] = {"code": 500, "message": "failed calling webhook: no endpoints available"}
    webhook = of(report(api), State.MISSING)["webhook"]
    assert "no endpoints available" in webhook.found
    assert "tekton-pipelines-webhook" in webhook.remedy


@pytest.mark.parametrize(
    ("version", "state"), [("v1.14.2", State.MISSING), ("v1.15.3", State.OK), ("v2.0.0", State.OK)]
)
def test_an_old_tekton_is_told(version: str, state: State) -> None:
    api = recorded.load("local")
    api.answers["GET /api/v1/namespaces/tekton-pipelines/configmaps/pipelines-info"] = {"data": {"version": version}}
    found = next(one for one in report(api).findings if (one.area, one.what) == (Area.TEKTON, "version"))
    assert (found.state, found.found) == (state, version)


@pytest.mark.parametrize(("version", "state"), [("v1.32.9", State.MISSING), ("v1.33.0+k3s1", State.OK)])
def test_an_old_kubernetes_is_told(version: str, state: State) -> None:
    api = recorded.load("local")
    api.answers["GET /version"] = {"gitVersion": version}
    assert report(api).findings[0].state is state


def test_without_pod_security_jobs_run_all_the_same() -> None:
    api = recorded.load("local")
    api.answers["POST /api/v1/namespaces"] = {"kind": "Namespace"}
    assert of(report(api), State.COSTS)["admission"].cost
    assert report(api).lacking == frozenset()


def test_classes_without_a_default_are_named() -> None:
    api = recorded.load("local")
    classes = [{"metadata": {"name": name}} for name in ("slow", "fast")]
    api.answers["GET /apis/storage.k8s.io/v1/storageclasses"] = {"items": classes}
    assert "fast, slow" in of(report(api), State.MISSING)["default StorageClass"].found


def test_policies_that_nobody_enforces_cost() -> None:
    found = report(recorded.load("local"), Trials(network=lambda: False))
    assert of(found, State.COSTS)["enforcement"].remedy


def test_a_registry_that_does_not_answer_is_missing() -> None:
    gone = Registry(host="registry.example.com", failure="https: Connection refused")
    found = report(recorded.load("local"), Trials(registry=lambda: gone))
    assert of(found, State.MISSING)["from here"].found == "registry.example.com: https: Connection refused"
    assert found.lacking == {Area.REGISTRY}


def test_tekton_in_another_namespace_is_looked_for_where_it_is() -> None:
    api = recorded.load("local")
    moved = {call.replace("/tekton-pipelines/", "/elsewhere/"): answer for call, answer in api.answers.items()}
    here = judgement.judge(looking.look(Recorded(answers=moved), Wanted(), TRIED))
    assert "--tekton-namespace" in of(here, State.UNKNOWN)["version"].found
    there = looking.look(Recorded(answers=moved), Wanted(tekton_namespace="elsewhere"), TRIED)
    assert judgement.judge(there).lacking == frozenset()


def test_a_check_that_takes_too_long_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LIMIT_SECONDS", 0.1)

    def slow() -> bool:
        time.sleep(0.5)
        return True

    facts = looking.look(recorded.load("local"), Wanted(), Trials(network=slow))
    assert facts.enforces_network_policies == Unknown(reason="not answered within 0.1 seconds")


def test_a_trial_that_fails_is_unknown() -> None:
    def fail() -> bool:
        raise UnavailableError("the image cannot be pulled")

    found = report(recorded.load("local"), Trials(network=fail))
    assert of(found, State.UNKNOWN)["enforcement"].found == "the image cannot be pulled"


@pytest.mark.parametrize(
    ("call", "error", "kind", "words"),
    [
        (
            "GET /version",
            UnavailableError("no cluster answers"),
            UnavailableError,
            "^no cluster answers$",
        ),
        ("GET /version", OwnAccessError("401"), OwnAccessError, "does not accept the credentials"),
        (
            "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
            OwnAccessError("401"),
            OwnAccessError,
            "does not accept the credentials",
        ),
    ],
)
def test_no_cluster_is_one_clear_error(call: str, error: Exception, kind: type[Exception], words: str) -> None:
    api = recorded.load("local")
    api.answers[call] = error
    with pytest.raises(kind, match=words):
        looking.look(api, Wanted())


def test_a_report_is_plain_for_programs() -> None:
    document: dict[str, Any] = dict(report(recorded.load("bare")).document())
    assert document["isReady"] is False
    assert document["findings"][0] == {
        "area": "Kubernetes",
        "what": "version",
        "state": "OK",
        "found": "v1.34.4",
        "cost": "",
        "remedy": "",
    }
