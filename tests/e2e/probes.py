"""Pods that stand where a program of ours would, to try what the network lets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scheduler.demo.installation import Platform
from scheduler.errors import ProgramError

_CONNECT: Final = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A pod that bears the labels of a pod of ours, listens on a port and can be asked to connect."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    port: int = 9999

    def manifest(self, image: str) -> Mapping[str, Any]:
        context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        container = {
            "name": "probe",
            "image": image,
            "command": ["python3", "-m", "http.server", "--directory", "/tmp", str(self.port)],
            "securityContext": context,
            # the Service of a model finds its port by this name
            "ports": [{"name": "http", "containerPort": self.port}],
            "readinessProbe": {"tcpSocket": {"port": self.port}, "periodSeconds": 1},
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": dict(self.labels)},
            "spec": {
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [container],
            },
        }


def address(platform: Platform, probe: Probe) -> str:
    found = platform.kubectl("-n", probe.namespace, "get", "pod", probe.name, "-o", "jsonpath={.status.podIP}")
    return found.decode()


def connects(platform: Platform, probe: Probe, host: str, port: int) -> bool:
    try:
        platform.kubectl(
            "-n", probe.namespace, "exec", probe.name, "--", "timeout", "8", "python3", "-c", _CONNECT, host, str(port)
        )
    except ProgramError:
        return False
    return True
