"""A platform that a cluster administrator only prepares: the role `admin` in its namespaces installs the rest.

Its images come from the registry of a site without network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.cli import exit_codes
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import ForbiddenError, ProgramError
from tests import real_cluster
from tests.e2e import beside, small_platforms, support
from tests.e2e.deployed import Deployed
from tests.e2e.offline.loaded import Site, digest_of
from tests.e2e.program import Modelops

# the node is this machine, and so may pull from a registry on loopback
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last, real_cluster.LOCAL_ONLY]

NAME: Final = "offline"
"""Namespace and release of the platform."""
JOBS: Final = "offline-jobs"
NAMESPACES: Final = (NAME, names.build_namespace(NAME), JOBS)
PREREQUISITES: Final = f"{NAME}-prerequisites"
OURS: Final = ("--namespace", NAME, "--release", NAME)
USER: Final = "somebody"
"""ServiceAccount of whoever installs; may what Kubernetes' role `admin` may, in those three namespaces."""
QUOTA: Final = "tight"


@pytest.fixture(scope="module")
def administrator(deployed: Deployed, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Who has prepared the platform, and has bound the user to the role `admin` where it is to be."""
    platform = deployed.platform
    own = small_platforms.write(beside.small(JOBS), tmp_path_factory.mktemp("prepared") / "site.yaml")
    split = ("--set", "global.prerequisites=only", "--set", f"global.platform.name={NAME}")
    values = ("--values", str(site.values), "--values", str(own))
    account = {"kind": "ServiceAccount", "name": USER, "namespace": NAME}
    with small_platforms.cleared(platform, NAME, JOBS):
        try:
            words = (str(site.chart), "-n", NAME, "--create-namespace", *values, *split)
            platform.run("helm", "install", PREREQUISITES, *words)
            platform.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(USER, NAME)})
            platform.apply(*(_binding(account, namespace) for namespace in NAMESPACES))
            yield platform
        finally:
            platform.run("helm", "uninstall", NAME, "-n", NAME, "--ignore-not-found", "--wait", "--timeout", "5m")
            platform.run("helm", "uninstall", PREREQUISITES, "-n", NAME, "--ignore-not-found", "--wait")


def _named(name: str, namespace: str) -> dict[str, str]:
    return {"name": name, "namespace": namespace}


def _binding(account: Mapping[str, str], namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _named(USER, namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        "subjects": [account],
    }


@pytest.fixture(scope="module")
def user(administrator: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The cluster with a token of the user's in place of the administrator's credentials."""
    words = ("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
    config = json.loads(administrator.kubectl(*words))
    token = administrator.kubectl("create", "token", USER, "-n", NAME, "--duration=1h").decode().strip()
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    file = tmp_path_factory.mktemp("user") / "kubeconfig"
    file.write_text(json.dumps(config))
    return replace(administrator, kubeconfig=file)


@pytest.fixture(scope="module")
def theirs(user: Platform, tmp_path_factory: pytest.TempPathFactory) -> Modelops:
    """`modelops` as the user."""
    return Modelops.of(user, config=tmp_path_factory.mktemp("theirs") / "config.json")


@pytest.fixture(scope="module")
def given(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Chart and values of the user's release."""
    own = small_platforms.write(beside.small(JOBS), tmp_path_factory.mktemp("own") / "site.yaml")
    values = ("--values", str(site.values), "--values", str(own))
    return (str(site.chart), "-n", NAME, *values, "--set", "global.prerequisites=exclude")


def _may(user: Platform, verb: str, kind: str, namespace: str) -> bool:
    try:
        return user.kubectl("auth", "can-i", verb, kind, "-n", namespace).decode().strip() == "yes"
    except ProgramError:
        return False


def test_whoever_installs_has_tektons_objects_and_no_right_that_takes_an_administrator(user: Platform) -> None:
    """Tekton's own roles add its objects to Kubernetes' role `admin`."""
    for namespace in NAMESPACES:
        assert _may(user, "create", "pipelines.tekton.dev", namespace)
        assert not _may(user, "patch", "resourcequotas", namespace)
        assert not _may(user, "patch", "namespaces", namespace)
    assert not _may(user, "create", "clusterroles", NAME)
    assert not _may(user, "get", "pods", ENVIRONMENT)


@pytest.mark.parametrize("environment", [ENVIRONMENT, "nowhere"])
def test_an_environment_of_others_is_one_clear_reason_and_nothing_is_made(
    user: Platform, administrator: Platform, given: tuple[str, ...], environment: str
) -> None:
    wrong = ("--set", f"global.environments={{{JOBS},{environment}}}")
    for who, reason in ((user, "forbidden"), (administrator, f"{environment} is not prepared for the platform")):
        with pytest.raises(ProgramError) as caught:
            who.run("helm", "install", NAME, *given, *wrong)
        assert reason in caught.value.output
        assert environment in caught.value.output
    assert "nothing is prepared" not in caught.value.output
    marks = ("-l", "app.kubernetes.io/managed-by=Helm")
    for namespace in NAMESPACES:
        kinds = "configmaps,networkpolicies,jobs,pipelines.tekton.dev"
        assert small_platforms.named(administrator, kinds, "-n", namespace, *marks) == []
    assert _releases(user) == {PREREQUISITES}


def _releases(platform: Platform) -> set[str]:
    return {one["name"] for one in json.loads(platform.run("helm", "list", "-n", NAME, "--all", "-o", "json"))}


@pytest.fixture(scope="module")
def refused(user: Platform, administrator: Platform, theirs: Modelops, given: tuple[str, ...]) -> Mapping[str, Any]:
    """How an installation ended whose servers no quota of the namespace could hold; the quota is gone."""
    hard = {"limits.memory": "600Mi"}
    metadata = _named(QUOTA, NAME)
    administrator.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}})
    user.run("helm", "install", NAME, *given)
    ended = theirs("install", "wait", *OURS, "-o", "json")
    assert ended.returncode == exit_codes.OF_INSTALLATION["failed"], ended.stderr
    assert _releases(user) == {NAME, PREREQUISITES}
    assert small_platforms.named(user, "deployments,services,persistentvolumeclaims", "-n", NAME) == []
    administrator.kubectl("delete", "resourcequota", QUOTA, "-n", NAME)
    found: Mapping[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture(scope="module")
def installed(user: Platform, refused: Mapping[str, Any], theirs: Modelops, given: tuple[str, ...]) -> Platform:
    """The user's platform, installed again now that there is room."""
    assert refused["state"] == "failed"
    user.run("helm", "upgrade", NAME, *given)
    theirs.good("install", "wait", *OURS)
    return user


def test_too_small_a_quota_for_the_servers_is_one_clear_reason(refused: Mapping[str, Any]) -> None:
    (step,) = refused["steps"]
    needed = f"quota '{QUOTA}' of namespace '{NAME}': the servers need limits.memory 896Mi, and it allows 600Mi"
    assert (step["name"], step["state"]) == ("deploy", "failed")
    assert needed in step["reason"]
    assert "raise the quota" in step["reason"]
    assert refused["reason"] == f"deploy: {step['reason']}"


def test_the_user_runs_a_job_on_images_from_the_bundle(
    installed: Platform, theirs: Modelops, site: Site, tmp_path: Path
) -> None:
    account = ("--account", f"{NAME}/{USER}", "--namespace", NAME)
    theirs.good("login", *account, "--environment", JOBS, "--for", "1h")

    job = theirs.json("job", "start", "--ir", small_platforms.small_job(tmp_path), "--watch")

    assert (job["state"], job["environment"], job["cleanup"]) == ("SUCCEEDED", JOBS, "CLEAN")
    assert support.ledger(job)["read"] == 100
    pods = [*installed.objects("pods", "-n", NAME), *installed.objects("pods", "-n", JOBS)]
    found = {container["image"] for pod in pods for container in pod["spec"]["containers"]}
    platforms = {image for image in found if "/modelops/" in image}
    assert {digest_of(image) for image in platforms} <= set(site.digests.values())
    assert {image.partition("/")[0] for image in platforms} == {site.registry}
    assert {f"{site.registry}/modelops/{name}" for name in ("scheduling-server", "modelops-server")} <= {
        image.partition("@")[0] for image in platforms
    }


def test_the_user_tries_the_platform_by_helm(installed: Platform) -> None:
    assert "Succeeded" in installed.run("helm", "test", NAME, "-n", NAME, "--timeout", "4m").decode()


@pytest.mark.usefixtures("installed")
def test_the_user_cannot_take_an_environment_that_is_not_theirs(theirs: Modelops) -> None:
    done = theirs("environment", "add", ENVIRONMENT, *OURS)

    assert done.returncode == exit_codes.OF_ERROR[ForbiddenError], done.stderr
    assert f'namespaces "{ENVIRONMENT}" is forbidden' in done.stderr


def test_the_user_uninstalls_it_and_what_was_prepared_stays(installed: Platform, administrator: Platform) -> None:
    installed.run("helm", "uninstall", NAME, "-n", NAME, "--wait", "--timeout", "5m")

    assert _releases(installed) == {PREREQUISITES}
    marks = ("-l", f"app.kubernetes.io/instance={NAME}")
    for namespace in NAMESPACES:
        assert (
            small_platforms.named(administrator, "deployments,services,configmaps,jobs", "-n", namespace, *marks) == []
        )
        assert small_platforms.named(administrator, "serviceaccounts,roles", "-n", namespace, *marks) != []
