from typing import Any

import pytest

from scheduler.cli import discovery
from scheduler.cli.configuration import Login
from scheduler.cli.discovery import Account
from scheduler.cluster.fake import FakeCluster
from scheduler.errors import ConflictError, NotFoundError
from tests.unit.cli.conftest import Run

ADA = Account(namespace="modelops", name="ada")


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ada", "namespace": "modelops"}})
    for name, address in (("scheduling-server", "10.217.16.9"), ("modelops-server", "10.217.16.8")):
        made.create(_service(f"one-{name}", name, clusterIP=address))
    return made


def _service(name: str, program: str, **spec: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": program, "app.kubernetes.io/part-of": "modelops"}
    ports = [{"name": "metrics", "port": 9090}, {"name": "http", "port": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "modelops", "labels": labels},
        "spec": {"ports": ports, **spec},
    }


def _login(cluster: FakeCluster, **given: str) -> Login:
    return discovery.login(cluster, account=ADA, namespace="modelops", seconds=3600, given=Login(**given))


def test_a_login_has_a_token_for_the_servers_it_found(cluster: FakeCluster) -> None:
    found = _login(cluster, environment="staging")
    assert (found.url, found.server_url) == ("http://10.217.16.9:8080", "http://10.217.16.8:8080")
    assert (found.account, found.environment) == ("modelops/ada", "staging")
    caller = cluster.review_token(found.token, audiences=["modelops"])
    assert caller is not None
    assert caller.name == "system:serviceaccount:modelops:ada"
    assert found.expires


def test_given_addresses_are_not_looked_for(cluster: FakeCluster) -> None:
    found = _login(cluster, url="http://127.0.0.1:1", server_url="http://127.0.0.1:2")
    assert (found.url, found.server_url) == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert ("list", "Service") not in cluster.calls


def test_a_namespace_without_the_platform_is_told(cluster: FakeCluster) -> None:
    with pytest.raises(NotFoundError, match="no scheduling-server in namespace 'other'"):
        discovery.address(cluster, "scheduling-server", "other")


def test_two_platforms_are_told_apart_by_the_reader(cluster: FakeCluster) -> None:
    cluster.create(_service("two-scheduling-server", "scheduling-server", clusterIP="10.217.16.7"))
    with pytest.raises(ConflictError, match="one-scheduling-server, two-scheduling-server"):
        _login(cluster)


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ({"clusterIP": "fd00::1"}, "http://[fd00::1]:8080"),
        ({"clusterIP": "None"}, "http://six.modelops.svc:8080"),
        ({}, "http://six.modelops.svc:8080"),
    ],
)
def test_any_service_has_an_address(spec: dict[str, str], url: str) -> None:
    cluster = FakeCluster()
    cluster.create(_service("six", "scheduling-server", **spec))
    assert discovery.address(cluster, "scheduling-server", "modelops") == url


def test_a_kubeconfig_that_is_not_there_is_told(run: Run) -> None:
    result = run("login", "--account", "ada", "--kubeconfig", "/does/not/exist")
    assert result.code == 4
    assert "kubeconfig" in result.err


@pytest.mark.parametrize("text", ["soon", "5m"])
def test_a_login_that_kubernetes_does_not_make_is_refused(run: Run, text: str, tmp_path: Any) -> None:
    (tmp_path / "kubeconfig").write_text(_KUBECONFIG)
    result = run("login", "--account", "ada", "--kubeconfig", str(tmp_path / "kubeconfig"), "--for", text)
    assert (result.code, "--for" in result.err) == (3, True)


_KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: a, user: {token: t}}]
"""
