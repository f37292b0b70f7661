"""`modelops cluster check` on the running cluster while its Tekton is set as its makers ship it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scheduler.cli import app
from scheduler.devcluster import go, startup, tekton, toolchain
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.kubectl import Manifest
from scheduler.tekton import prerequisite
from tests import real_cluster
from tests.prove import record

pytestmark = [
    pytest.mark.timeout(600),
    real_cluster.LOCAL_ONLY,
]


@pytest.fixture
def machine() -> Machine:
    return startup.machine(os.environ)


@pytest.fixture
def as_shipped(machine: Machine) -> Iterator[None]:
    """The running cluster with Tekton's own settings, until the test ends."""
    program = go.find(machine.home, lambda line: None)
    ours = [one for one in startup.tekton_manifests(machine, program) if _is_set_by_us(one)]
    folder = toolchain.module_folder(toolchain.TEKTON[-1], program) / "config"
    theirs = {one["metadata"]["name"]: one for one in tekton.read(folder) if _is_set_by_us(one)}
    try:
        _apply(machine, [_with_settings_of(theirs[one["metadata"]["name"]], one) for one in ours])
        yield
    finally:
        _apply(machine, ours)


def _is_set_by_us(manifest: Manifest) -> bool:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    return (kind == "ConfigMap" and name in tekton.SETTINGS) or (kind, name) == ("Deployment", prerequisite.CONTROLLER)


def _with_settings_of(theirs: Manifest, ours: Manifest) -> Manifest:
    """Our manifest, with our images, and with their data or arguments."""
    if ours["kind"] == "ConfigMap":
        return {**ours, "data": theirs["data"]}
    changed: dict[str, Any] = json.loads(json.dumps(ours))
    container = changed["spec"]["template"]["spec"]["containers"][0]
    container["args"] = container["args"][: -2 * len(prerequisite.ARGUMENTS)]
    return changed


def _apply(machine: Machine, manifests: list[Manifest]) -> None:
    kubectl = startup.kubectl_of(machine.home)
    kubectl.apply(manifests)
    place = (f"--namespace={prerequisite.NAMESPACE}", f"deployment/{prerequisite.CONTROLLER}")
    kubectl("rollout", "status", *place, "--timeout=120s", limit_seconds=130)


def _check(machine: Machine, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str], float]:
    """Exit code, state by what it is about, and the seconds that it took."""
    began = time.monotonic()
    code = app.main(["cluster", "check", "--kubeconfig", str(machine.home.kubeconfig), "-o", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return code, {one["what"]: one["state"] for one in found if one["area"] == "Tekton"}, time.monotonic() - began


@pytest.mark.usefixtures("as_shipped")
def test_every_default_is_told(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    code, states, seconds = _check(machine, capsys)
    differing = {
        *(f"{one.config} {one.key}" for one in prerequisite.SETTINGS),
        *(f"controller -{one.flag}" for one in prerequisite.ARGUMENTS),
    }
    assert code == 13
    assert {what for what, state in states.items() if state in {"COSTS", "MISSING"}} == differing
    record.write(
        "`modelops cluster check` on the running cluster with Tekton set as it is shipped",
        f"all {len(differing)} differing settings told at once in {seconds:.1f} s, one as MISSING; exit code {code}",
    )


def test_put_back_nothing_differs(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    code, states, _ = _check(machine, capsys)
    assert (code, set(states.values())) == (0, {"OK"})
