"""Rights that the charts give, each identity by itself; nothing more than its program uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.cluster import kinds
from scheduler.model.types import Manifest
from tests.charts import render

pytestmark = pytest.mark.helm

SERVER: Final = ("modelops-scheduling-server", "modelops")
STORE: Final = ("modelops-modelops-server", "modelops")
RUNNER: Final = (names.RUNNER_ACCOUNT, "staging")
SCORING: Final = (names.SCORING_ACCOUNT, "staging")
CLUSTER: Final = "the whole cluster"
PEOPLE: Final = {"modelops-modelops-viewer", "modelops-modelops-operator"}


@pytest.fixture(name="objects", scope="module")
def rendered() -> tuple[Manifest, ...]:
    return render.platform(render.ci_values(render.PLATFORM, "minimal"))


def rights(objects: tuple[Manifest, ...], account: tuple[str, str]) -> Mapping[tuple[str, str, str], frozenset[str]]:
    """(where, API group, resource) -> verbs of a ServiceAccount."""
    found: dict[tuple[str, str, str], frozenset[str]] = {}
    for where, rule in _rules(objects, account):
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                key = (where, group, resource)
                found[key] = found.get(key, frozenset()) | frozenset(rule["verbs"])
    return found


def _rules(objects: tuple[Manifest, ...], account: tuple[str, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for binding in (*render.of_kind(objects, "RoleBinding"), *render.of_kind(objects, "ClusterRoleBinding")):
        if account not in {(subject["name"], subject.get("namespace")) for subject in binding["subjects"]}:
            continue
        where = binding["metadata"].get("namespace", CLUSTER)
        reference = binding["roleRef"]
        in_ = where if reference["kind"] == "Role" else None
        role = render.one(objects, reference["kind"], reference["name"], namespace=in_)
        yield from ((where, rule) for rule in role["rules"])


def test_no_role_says_everything_or_gives_rights_away() -> None:
    for name, manifest in render.everything():
        for rule in manifest.get("rules", ()) if manifest["kind"] in {"Role", "ClusterRole"} else ():
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}, name
            assert not {"escalate", "bind"} & {*rule["verbs"]}, name
            # of the virtual group it is no right in the cluster
            if "impersonate" in rule["verbs"] and rule["apiGroups"] != [names.DOMAIN]:
                assert (rule["resources"], rule["resourceNames"]) == (["serviceaccounts"], [names.RUNNER_ACCOUNT]), name
            assert not {"pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token", "nodes"} & {
                *rule["resources"]
            }, name


def test_the_scheduling_server_may_do_this_and_no_more(objects: tuple[Manifest, ...]) -> None:
    assert rights(objects, SERVER) == {
        ("staging", "tekton.dev", "pipelineruns"): {"create", "get", "list", "watch", "patch", "delete"},
        ("staging", "tekton.dev", "taskruns"): {"get", "list", "watch"},
        ("staging", "", "configmaps"): {"create", "get", "list", "watch", "patch", "delete"},
        ("staging", "", "pods"): {"get", "list", "watch"},
        ("staging", "", "pods/log"): {"get"},
        ("staging", "", "resourcequotas"): {"get", "list"},
        ("staging", "", "serviceaccounts"): {"impersonate"},
        ("modelops", "coordination.k8s.io", "leases"): {"create", "get", "patch"},
        ("modelops", "modelops.dev", "artifacts"): {"create", "get", "list"},
        ("modelops", "modelops.dev", "pipelines"): {"create", "get", "list"},
        (CLUSTER, "authentication.k8s.io", "tokenreviews"): {"create"},
        (CLUSTER, "authorization.k8s.io", "subjectaccessreviews"): {"create"},
    }


def test_the_modelops_server_may_start_jobs_for_its_callers_and_no_more(objects: tuple[Manifest, ...]) -> None:
    assert rights(objects, STORE) == {
        ("staging", "modelops.dev", "jobs"): {"create", "get", "list", "delete", "impersonate"},
        ("modelops", "modelops.dev", "pipelines"): {"get"},
        (CLUSTER, "authentication.k8s.io", "tokenreviews"): {"create"},
        (CLUSTER, "authorization.k8s.io", "subjectaccessreviews"): {"create"},
    }


def test_nobody_else_may_act_for_others(objects: tuple[Manifest, ...]) -> None:
    roles = [*render.of_kind(objects, "Role"), *render.of_kind(objects, "ClusterRole")]
    found = {role["metadata"]["name"] for role in roles for rule in role["rules"] if "impersonate" in rule["verbs"]}
    assert found == {STORE[0], SERVER[0]}


def test_the_scheduling_server_may_act_as_the_runner_only_where_it_has_a_janitor() -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    without = {**values, "scheduling-server": {**values.get("scheduling-server", {}), "janitor": {"enabled": False}}}
    verbs = {verb for found in rights(render.platform(without), SERVER).values() for verb in found}
    assert "create" in verbs
    assert "impersonate" not in verbs


def test_scoring_pods_may_do_nothing(objects: tuple[Manifest, ...]) -> None:
    assert rights(objects, SCORING) == {}
    account = render.one(objects, "ServiceAccount", names.SCORING_ACCOUNT)
    assert account["automountServiceAccountToken"] is False


def test_the_runner_holds_exactly_the_kinds_of_a_release(objects: tuple[Manifest, ...]) -> None:
    removable = {resource for (_, _, resource), verbs in rights(objects, RUNNER).items() if "delete" in verbs}
    assert removable == {kinds.known(kind).plural for kind in render.job_kinds()}


def test_the_runner_makes_what_the_charts_render_and_helms_secret(objects: tuple[Manifest, ...]) -> None:
    made = {resource for (_, _, resource), verbs in rights(objects, RUNNER).items() if "create" in verbs}
    rendered = {kinds.known(kind).plural for kind in render.job_kinds() - set(render.CONTROLLED)}
    assert made == rendered


def test_what_else_the_runner_may(objects: tuple[Manifest, ...]) -> None:
    found = rights(objects, RUNNER)
    release = {kinds.known(kind).plural for kind in render.job_kinds()}
    assert {where for where, _, _ in found} == {"staging"}
    assert {resource: verbs for (_, _, resource), verbs in found.items() if resource not in release} == {
        "pipelineruns": {"get", "list", "watch"},
        "events": {"get", "list"},
        "resourcequotas": {"get", "list"},
    }
    assert {resource for (_, _, resource), verbs in found.items() if "patch" in verbs} == {"pods"}
    assert {resource for (_, _, resource), verbs in found.items() if "update" in verbs} == {"secrets"}


def test_nobody_but_the_runner_may_touch_secrets(objects: tuple[Manifest, ...]) -> None:
    for account in (SERVER, STORE, SCORING):
        assert not [key for key in rights(objects, account) if key[2].startswith("secrets")], account
    for role in render.of_kind(objects, "ClusterRole"):
        assert not [rule for rule in role["rules"] if "secrets" in rule["resources"]], role["metadata"]["name"]


def test_cluster_roles_are_for_people_and_for_reviews(objects: tuple[Manifest, ...]) -> None:
    for role in render.of_kind(objects, "ClusterRole"):
        groups = {group for rule in role["rules"] for group in rule["apiGroups"]}
        if role["metadata"]["name"] in PEOPLE:
            assert groups == {names.DOMAIN}
        else:
            assert groups == {"authentication.k8s.io", "authorization.k8s.io"}
    bound = {binding["roleRef"]["name"] for binding in render.of_kind(objects, "ClusterRoleBinding")}
    assert not bound & PEOPLE


def test_people_are_bound_in_every_environment_and_on_the_platform() -> None:
    values = render.ci_values(render.PLATFORM, "everything")
    bindings = render.of_kind(render.platform(values), "RoleBinding")
    people = [item for item in bindings if item["roleRef"]["kind"] == "ClusterRole"]
    found = {(item["metadata"]["namespace"], item["roleRef"]["name"], item["subjects"][0]["name"]) for item in people}
    assert found == {
        (namespace, f"modelops-modelops-{role}", who)
        for namespace in ("modelops", "staging", "production")
        for role, who in (("viewer", "data-science"), ("operator", "demo"))
    }
