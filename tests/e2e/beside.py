"""A platform beside the first, with namespaces of its own: made, changed, looked at, and gone without a trace."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets, names
from scheduler.demo.installation import Platform
from scheduler.errors import ProgramError

CHART: Final = str(assets.charts() / "modelops")
_KINDS: Final = (
    "deployments,services,configmaps,persistentvolumeclaims,networkpolicies,pods,jobs,secrets,roles,rolebindings"
)
_CLUSTER_KINDS: Final = "namespaces,clusterroles,clusterrolebindings,priorityclasses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    platform: Platform
    name: str
    """Of its release, and of its namespace."""

    @property
    def environment(self) -> str:
        return f"{self.name}-jobs"

    def values(self, *, tools: str, images: Mapping[str, str]) -> dict[str, Any]:
        """Small, of images that there are, and with nothing that is kept."""
        own = small(self.environment)
        own["global"] |= prebuilt(tools=tools, images=images)
        return own

    def helm(self, verb: str, *words: str, values: Mapping[str, Any] | None = None) -> str:
        """A verb of helm on its release."""
        given = ("--values", "-") if values is not None else ()
        text = yaml.safe_dump(dict(values)).encode() if values is not None else b""
        return self.platform.run("helm", verb, self.name, *words, "-n", self.name, *given, stdin=text).decode()

    def installed(self) -> None:
        """Wait for the newest installation to succeed."""
        words = ("-m", "scheduler", "install", "wait", "-n", self.name, "--release", self.name)
        self.platform.run(sys.executable, *words)

    def objects(self, kinds: str, *selection: str) -> list[dict[str, Any]]:
        return self.platform.objects(kinds, "-n", self.name, *selection)

    def images(self) -> dict[str, str]:
        """What its servers run: name of the program -> reference by digest."""
        return {
            item["metadata"]["labels"]["app.kubernetes.io/name"]: container["image"]
            for item in self.objects("deployments")
            for container in item["spec"]["template"]["spec"]["containers"]
        }

    def assert_nothing_left(self) -> None:
        """Neither in its namespace nor in the cluster; namespaces take a while to go."""
        marks = ("-l", f"app.kubernetes.io/instance={self.name}")
        assert named(self.objects(_KINDS, *marks)) == []
        assert named(self.objects("secrets", "-l", "owner=helm")) == []
        assert named(self.objects("leases.coordination.k8s.io")) == []
        deadline = time.monotonic() + 120
        while left := named(self.platform.objects(_CLUSTER_KINDS, *marks)):
            assert time.monotonic() < deadline, left
            time.sleep(1)

    def clear(self) -> None:
        """Take away whatever a test, or one that was cut off, made of it, with jobs that are under way."""
        self.platform.kubectl("delete", "pipelineruns.tekton.dev,jobs.batch", "--all", "-n", self.environment)
        with suppress(ProgramError):  # what it could not remove goes with the namespaces
            self.helm("uninstall", "--ignore-not-found", "--wait", "--timeout", "4m")
        namespaces = (self.name, self.environment, names.build_namespace(self.name))
        self.platform.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=120s")


def small(*environments: str, keep: bool = False) -> dict[str, Any]:
    """Helm values of a small platform; `keep` is about the namespaces of its environments."""
    return {
        "global": {"size": "small", "environments": list(environments)},
        "environment": {"keep": keep},
        "modelops-server": {"persistence": {"size": "1Gi", "keep": False}},
    }


def prebuilt(*, tools: str, images: Mapping[str, str]) -> dict[str, Any]:
    """Values below `global` that name images, so that nothing is built."""
    return {"build": {"enabled": False, "tools": tools}, "images": dict(images)}


def named(items: list[dict[str, Any]]) -> list[str]:
    """`Kind/name` of each object."""
    return [f"{item['kind']}/{item['metadata']['name']}" for item in items]


def tools_of(values: Path) -> str:
    """The image container-tools in the values that the demonstration's bootstrap wrote."""
    found: str = yaml.safe_load(values.read_text())["global"]["build"]["tools"]
    return found
