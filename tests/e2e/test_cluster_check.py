"""`modelops cluster check` on real API servers: the local cluster, a weak user's view of it, and one without Tekton."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler.cli import app
from scheduler.devcluster import go, images, startup, tekton, toolchain
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.kubectl import Kubectl
from scheduler.tekton import prerequisite
from tests import real_cluster
from tests.e2e import other_api_server

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    real_cluster.LOCAL_ONLY,
]

ACCOUNT: Final = "e2e-weak"
NEEDED: Final = "feature-flags set-security-context"
DIFFERING: Final = {
    *(f"{one.config} {one.key}" for one in prerequisite.SETTINGS),
    *(f"controller -{one.flag}" for one in prerequisite.ARGUMENTS),
}
_SHOWN: Final = "pipelineruns.tekton.dev"

Check = Callable[..., tuple[int, list[dict[str, str]]]]


@pytest.fixture(scope="module")
def machine() -> Machine:
    return startup.machine(os.environ)


@pytest.fixture(scope="module")
def kubectl(machine: Machine) -> Kubectl:
    return startup.kubectl_of(machine.home)


@pytest.fixture(scope="module")
def bare(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """An API server without Tekton, and without anything else."""
    with other_api_server.running(machine.home.bin, tmp_path_factory.mktemp("other")) as administrator:
        yield administrator


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Exit code and findings."""

    def run(kubeconfig: Path | None, *words: str) -> tuple[int, list[dict[str, str]]]:
        code = app.main(["cluster", "check", "--kubeconfig", str(kubeconfig), *words, "-o", "json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert document["isReady"] == (code == 0)
        return code, document["findings"]

    return run


def what(findings: list[dict[str, str]], state: str) -> set[str]:
    return {one["what"] for one in findings if one["state"] == state}


def test_the_local_cluster_has_everything(machine: Machine, kubectl: Kubectl, check: Check) -> None:
    registry = machine.addresses.registry
    tried = ("--registry", registry, "--pull-registry", registry, "--image", f"{registry}/{images.BASE}")
    code, findings = check(machine.home.kubeconfig, *tried)
    assert [one for one in findings if one["state"] != "OK"] == []
    assert code == 0
    assert len(findings) >= len(DIFFERING) + 8
    left = kubectl.get("pods,networkpolicies", "--namespace=default", "--selector=modelops.dev/check")["items"]
    assert [one for one in left if "deletionTimestamp" not in one["metadata"]] == []


def test_a_registry_that_nobody_reaches_is_missing(machine: Machine, check: Check) -> None:
    closed = "127.0.0.1:1"
    code, findings = check(machine.home.kubeconfig, "--registry", closed, "--pull-registry", closed)
    missing = {one["what"]: one["found"] for one in findings if one["state"] == "MISSING"}
    assert (code, set(missing)) == (8, {"from here", "from a node"})
    assert all(words.startswith(closed) and "refused" in words for words in missing.values())


@pytest.fixture
def weak(machine: Machine, kubectl: Kubectl, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a ServiceAccount without any role."""
    kubectl("create", "serviceaccount", ACCOUNT, "--namespace=default")
    try:
        token = kubectl("create", "token", ACCOUNT, "--namespace=default").strip()
        url, authority = machine.addresses.api_server, machine.home.pki / "ca.crt"
        path = tmp_path / "kubeconfig"
        path.write_text(other_api_server.kubeconfig(server=url, token=token, authority=authority))
        yield path
    finally:
        kubectl("delete", "serviceaccount", ACCOUNT, "--namespace=default")


def test_a_weak_user_is_told_of_every_right_at_once(weak: Path, check: Check) -> None:
    code, findings = check(weak, "--environment", "staging", "--environment", "production")
    rights = [one for one in findings if one["area"] == "rights"]
    assert (code, {one["state"] for one in rights}) == (7, {"MISSING"})
    told = {one["found"] for one in rights if one["what"] == "roles.rbac.authorization.k8s.io"}
    assert told == {
        f"you may not bind, create, delete, escalate, get, patch in namespace {place}"
        for place in ("modelops", "modelops-builds", "staging", "production")
    }
    assert what(findings, "UNKNOWN") >= DIFFERING
    # what anybody may see
    assert {"version"} == {one["what"] for one in findings if one["state"] == "OK"}


def test_a_cluster_without_tekton_lacks_it(bare: Kubectl, check: Check) -> None:
    code, findings = check(bare.kubeconfig)
    told = [(one["state"], one["found"]) for one in findings if one["area"] == "Tekton"]
    assert (code, told) == (13, [("MISSING", "this cluster has no Tekton")])
    assert what(findings, "MISSING") == {"version", "default StorageClass"}


def test_each_of_tektons_own_settings_is_told_with_its_cost(bare: Kubectl, machine: Machine, check: Check) -> None:
    bare.apply(_as_shipped(machine))
    bare("wait", "--for=condition=Established", f"crd/{_SHOWN}", "--timeout=20s")
    code, findings = check(bare.kubeconfig)
    differing = {one["what"]: one for one in findings if one["what"] in DIFFERING}
    assert (code, differing[NEEDED]["state"]) == (13, "MISSING")
    assert {one["state"] for name, one in differing.items() if name != NEEDED} == {"COSTS"}
    assert set(differing) == DIFFERING
    assert all(one["cost"] and one["remedy"] for one in differing.values())


def _as_shipped(machine: Machine) -> list[Any]:
    """Of Tekton's own manifests those that a check looks at, without any setting of ours."""
    controller = toolchain.TEKTON[-1]
    folder = toolchain.module_folder(controller, go.find(machine.home, lambda line: None)) / "config"
    wanted = {("Deployment", prerequisite.CONTROLLER), ("CustomResourceDefinition", _SHOWN)}
    return [
        one
        for one in tekton.read(folder)
        if one["kind"] in {"Namespace", "ConfigMap"} or (one["kind"], one["metadata"]["name"]) in wanted
    ]


def test_no_cluster_at_all_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str], weak: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_text(weak.read_text().replace(_port(weak), "1"))
    began = time.monotonic()
    code = app.main(["cluster", "check", "--kubeconfig", str(gone), "-o", "json"])
    seen = capsys.readouterr()
    assert time.monotonic() - began < 30
    assert (code, seen.out) == (8, "")
    lines = [line for line in seen.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "the API server does not answer at https://" in lines[0]


def test_a_token_that_nobody_accepts_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], machine: Machine
) -> None:
    path = tmp_path / "stale"
    url, authority = machine.addresses.api_server, machine.home.pki / "ca.crt"
    path.write_text(other_api_server.kubeconfig(server=url, token="stale", authority=authority))
    assert app.main(["cluster", "check", "--kubeconfig", str(path)]) == 7
    assert "does not accept the credentials of your kubeconfig" in capsys.readouterr().err


def _port(kubeconfig: Path) -> str:
    line = next(line for line in kubeconfig.read_text().splitlines() if "server:" in line)
    return line.rpartition(":")[2].strip()
