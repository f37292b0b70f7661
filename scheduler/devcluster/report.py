"""What of the local cluster runs and works, as found now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scheduler.devcluster import health, plan, processes, tekton
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.kubectl import Kubectl
from scheduler.errors import ProgramError, UnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One process."""

    name: str
    state: str
    """ready | not ready | stopped"""
    pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    """The whole cluster; of the reader's own one only the last three fields are known."""

    mode: str
    """local | current"""
    components: tuple[Component, ...] = ()
    registry: str = ""
    kubeconfig: str = ""
    api_server_version: str = ""
    """Empty when it does not answer."""
    nodes: Mapping[str, bool]
    """Node -> whether it is Ready."""
    tekton_answers: bool = False
    """Whether Tekton's webhook admits a PipelineRun."""

    @property
    def is_ready(self) -> bool:
        """Everything that is needed runs and answers; of a foreign cluster's nodes a user may see none."""
        if not self.api_server_version or not self.tekton_answers or not all(self.nodes.values()):
            return False
        return self.mode == "current" or bool(self.nodes and all(one.state == "ready" for one in self.components))

    def document(self) -> dict[str, Any]:
        """For programs: plain values, with `isReady`."""
        return {"isReady": self.is_ready, **asdict(self), "nodes": dict(self.nodes)}


def of_machine(machine: Machine) -> ClusterStatus:
    """The local cluster's status; asks every process and changes nothing."""
    components = tuple(_components(machine))
    kubectl = Kubectl(program=machine.home.bin / "kubectl", kubeconfig=machine.home.kubeconfig)
    up = any(one.name == "kube-apiserver" and one.state == "ready" for one in components)
    version, nodes, answers = ask(kubectl) if up else ("", {}, False)
    return ClusterStatus(
        mode="local",
        components=components,
        registry=machine.addresses.registry,
        kubeconfig=str(machine.home.kubeconfig),
        api_server_version=version,
        nodes=nodes,
        tekton_answers=answers,
    )


def ask(kubectl: Kubectl) -> tuple[str, Mapping[str, bool], bool]:
    """Version, nodes and whether Tekton answers, of any cluster; empty answers where it says nothing."""
    try:
        version = json.loads(kubectl("get", "--raw=/version", limit_seconds=10))["gitVersion"]
    except (ProgramError, UnavailableError):
        return "", {}, False
    return str(version), _nodes(kubectl), tekton.answers(kubectl)


def _components(machine: Machine) -> list[Component]:
    if not (machine.home.pki / "admin.crt").exists():
        return [Component(name=process.name, state="stopped") for process in plan.processes(machine)]
    with health.asking(machine.home) as ready:
        found = []
        for process in plan.processes(machine):
            running = processes.find(process.name, machine.home)
            if running is None:
                found.append(Component(name=process.name, state="stopped"))
            else:
                state = "ready" if ready(process) else "not ready"
                found.append(Component(name=process.name, state=state, pid=running.pid))
        return found


def _nodes(kubectl: Kubectl) -> Mapping[str, bool]:
    try:
        items = kubectl.get("nodes", limit_seconds=10)["items"]
    except (ProgramError, UnavailableError):
        return {}  # an ordinary user of a foreign cluster may not list nodes
    return {
        node["metadata"]["name"]: any(
            condition["type"] == "Ready" and condition["status"] == "True" for condition in node["status"]["conditions"]
        )
        for node in items
    }
