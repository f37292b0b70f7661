"""The cluster's status."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler.devcluster import plan, report
from scheduler.devcluster.__main__ import shown
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.home import Home
from scheduler.devcluster.report import ClusterStatus, Component
from tests.unit.devcluster import kubectls

READY = ClusterStatus(
    mode="local",
    components=(Component(name="etcd", state="ready", pid=7),),
    registry="10.217.0.1:5000",
    kubeconfig="/home/of/cluster/kubeconfig",
    api_server_version="v1.34.4",
    nodes={"modelops": True},
    tekton_answers=True,
)
ANSWERS = """case "$*" in
*version*) echo '{"gitVersion": "v1.30.1"}';;
*nodes*) echo 'nodes is forbidden' >&2; exit 1;;
*dry-run*) cat > /dev/null;;
esac"""


def test_ready_is_when_everything_is() -> None:
    assert READY.is_ready


@pytest.mark.parametrize(
    "change",
    [
        {"components": (Component(name="etcd", state="stopped"),)},
        {"components": (Component(name="etcd", state="not ready", pid=7),)},
        {"nodes": {"modelops": False}},
        {"nodes": {}},
        {"tekton_answers": False},
        {"api_server_version": ""},
    ],
)
def test_one_thing_that_is_not_makes_it_not_ready(change: dict[str, Any]) -> None:
    assert not replace(READY, **change).is_ready


def test_programs_read_it_as_json() -> None:
    document = json.loads(json.dumps(READY.document()))
    assert document["isReady"] is True
    assert document["components"] == [{"name": "etcd", "state": "ready", "pid": 7}]


def test_people_read_it_line_by_line() -> None:
    lines = shown(READY).splitlines()
    assert lines[0].split() == ["etcd", "ready", "7"]
    assert lines[-1].split() == ["KUBECONFIG", "/home/of/cluster/kubeconfig"]


def test_a_cluster_that_was_never_up_is_stopped(tmp_path: Path) -> None:
    machine = Machine(home=Home(root=tmp_path, run=tmp_path / "run"), addresses=Addresses())
    found = report.of_machine(machine)
    assert {component.state for component in found.components} == {"stopped"}
    assert len(found.components) == len(plan.ORDER)
    assert not found.is_ready


def test_a_user_who_may_not_list_nodes_still_learns_the_rest(tmp_path: Path) -> None:
    kubectl, _ = kubectls.scripted(tmp_path, ANSWERS)
    assert report.ask(kubectl) == ("v1.30.1", {}, True)
    assert replace(READY, mode="current", components=(), nodes={}).is_ready


def test_a_silent_cluster_has_no_version(tmp_path: Path) -> None:
    kubectl, _ = kubectls.scripted(tmp_path, "exit 1")
    assert report.ask(kubectl) == ("", {}, False)
