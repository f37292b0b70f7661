"""Rights that the charts give, each identity by itself; nothing more than its program uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from scheduler import names
from scheduler.cluster import kinds
from scheduler.model.types import Manifest
from tests.charts import accounts, render

pytestmark = pytest.mark.helm

SERVER: Final = ("modelops-scheduling-server", "modelops")
STORE: Final = ("modelops-modelops-server", "modelops")
RUNNER: Final = (names.RUNNER_ACCOUNT, "staging")
SCORING: Final = (names.SCORING_ACCOUNT, "staging")
CLUSTER: Final = accounts.CLUSTER
PEOPLE: Final = {"modelops-modelops-viewer", "modelops-modelops-operator", "modelops-modelops-admin"}
DEPLOYER: Final = ("modelops-deployer", "modelops-builds")
BUILDER: Final = ("modelops-builder", "modelops-builds")
INSTALLER: Final = ("modelops-installer", "modelops")


@pytest.fixture(name="objects", scope="module")
def rendered() -> tuple[Manifest, ...]:
    return render.both(render.ci_values(render.PLATFORM, "minimal"))


def rights(objects: tuple[Manifest, ...], account: tuple[str, str]) -> Mapping[tuple[str, str, str], frozenset[str]]:
    """(where, API group, resource) -> verbs of a ServiceAccount."""
    found: dict[tuple[str, str, str], frozenset[str]] = {}
    for where, rule in accounts.rules(objects, account):
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                key = (where, group, resource)
                found[key] = found.get(key, frozenset()) | frozenset(rule["verbs"])
    return found


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


def test_nobody_but_whoever_runs_helm_may_touch_secrets(objects: tuple[Manifest, ...]) -> None:
    for account in (SERVER, STORE, SCORING, BUILDER):
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
        for role, who in (("viewer", "data-science"), ("operator", "demo"), ("admin", "ada"))
    }


def test_builds_may_do_nothing(objects: tuple[Manifest, ...]) -> None:
    assert rights(objects, BUILDER) == {}
    account = render.one(objects, "ServiceAccount", *BUILDER[:1], namespace=BUILDER[1])
    assert account["automountServiceAccountToken"] is False


def test_the_deployer_makes_what_the_face_applications_renders_and_nothing_elsewhere(
    objects: tuple[Manifest, ...],
) -> None:
    found = rights(objects, DEPLOYER)
    made = {resource for (_, _, resource), verbs in found.items() if "create" in verbs}
    rendered = {item["kind"] for item in render.applications(render.ci_values(render.PLATFORM, "everything"))}
    assert {where for where, _, _ in found} == {"modelops"}
    # ConfigMaps: a chart of a third party may have some, as the platform's own may one day
    assert made == {kinds.known(kind).plural for kind in {*rendered, "ConfigMap", "Secret"}}
    assert {resource for (_, _, resource), verbs in found.items() if verbs <= {"get", "list", "watch"}} == {
        "pods",
        "replicasets",
        "resourcequotas",
    }
    # it changes objects by patches, and its own records by updates
    assert found["modelops", "apps", "deployments"] == {"get", "list", "watch", "create", "patch", "delete"}
    assert found["modelops", "", "secrets"] == {"get", "list", "watch", "create", "update", "delete"}


def test_the_installer_starts_runs_and_removes_applications(objects: tuple[Manifest, ...]) -> None:
    found = rights(objects, INSTALLER)
    assert {key: verbs for key, verbs in found.items() if key[0] == "modelops-builds"} == {
        ("modelops-builds", "tekton.dev", "pipelineruns"): {"get", "list", "watch", "create", "patch", "delete"},
        ("modelops-builds", "tekton.dev", "pipelines"): {"get", "list", "watch"},
        ("modelops-builds", "tekton.dev", "tasks"): {"get", "list", "watch"},
        ("modelops-builds", "tekton.dev", "taskruns"): {"get", "list", "watch"},
    }
    deployer = rights(objects, DEPLOYER)
    here = {key: verbs for key, verbs in found.items() if key[0] == "modelops"}
    # other hooks' Jobs, which are no part of the applications
    assert here.pop(("modelops", "batch", "jobs")) == {"list", "delete"}
    (lease,) = (
        rule["resourceNames"]
        for rule in render.one(objects, "Role", "modelops-installer", namespace="modelops")["rules"]
        if rule["resources"] == ["leases"]
    )
    assert lease == [names.janitor_lease("modelops.modelops")]
    assert here.pop(("modelops", "coordination.k8s.io", "leases")) == {"delete"}
    assert here.keys() == deployer.keys() - {("modelops", "", "resourcequotas")}
    assert {key for key, verbs in here.items() if "delete" in verbs} == {
        key for key, verbs in deployer.items() if "delete" in verbs
    }
    # it makes nothing: helm notes in its record that a release is being removed
    assert {verb for verbs in here.values() for verb in verbs} == {"get", "list", "watch", "update", "delete"}
    assert {key for key, verbs in here.items() if "update" in verbs} == {("modelops", "", "secrets")}
    assert {where for where, _, _ in found} == {"modelops", "modelops-builds"}


@pytest.mark.parametrize(("role", "into"), [("viewer", "view"), ("operator", "edit"), ("admin", "admin")])
def test_kubernetes_own_roles_contain_ours(objects: tuple[Manifest, ...], role: str, into: str) -> None:
    values = render.ci_values(render.PLATFORM, "minimal")
    alone = render.platform({**values, "access": {"aggregate": False}})
    label = f"rbac.authorization.k8s.io/aggregate-to-{into}"
    with_, without = (
        render.one(found, "ClusterRole", f"modelops-modelops-{role}")["metadata"]["labels"]
        for found in (objects, alone)
    )
    assert {key: value for key, value in with_.items() if "aggregate" in key} == {label: "true"}
    assert not [key for key in without if "aggregate" in key]


def test_each_role_may_all_that_the_one_below_may(objects: tuple[Manifest, ...]) -> None:
    def granted(role: str) -> set[tuple[str, str]]:
        rules = render.one(objects, "ClusterRole", f"modelops-modelops-{role}")["rules"]
        return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}

    assert granted("viewer") < granted("operator") < granted("admin")
    assert {resource for resource, _ in granted("admin") - granted("operator")} == {"environments", "installations"}


def test_admins_read_the_installation_in_the_build_namespace() -> None:
    values = render.ci_values(render.PLATFORM, "everything")
    role = render.one(render.platform(values), "Role", "modelops-installation", namespace="images")
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {
        "pipelineruns",
        "taskruns",
        "pods",
        "pods/log",
        "events",
    }


def test_all_rights_stand_in_one_text_that_is_read_in_review() -> None:
    assert accounts.FILE.read_text() == accounts.text(), "python -m tests.charts.accounts"
