"""Puts the platform on a cluster as a reader would: container-tools, `helm upgrade --install`, an operator's account.

The local cluster is the default. With `MODELOPS_CLUSTER=current` it is the reader's `KUBECONFIG`, and then
`MODELOPS_REGISTRY` (where this machine pushes to), `MODELOPS_REGISTRY_PULL` (the same registry as the nodes name it)
and `MODELOPS_BASE_IMAGE` are needed too. `MODELOPS_DEMO_NAMESPACE` and `MODELOPS_DEMO_ENVIRONMENT` name other
namespaces, so that two of them live beside each other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets, names
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.home import Home
from scheduler.errors import InvalidInputError, ProgramError, UnavailableError
from scheduler.model.problem import Problem

NAMESPACE: Final = os.environ.get("MODELOPS_DEMO_NAMESPACE", "modelops")
RELEASE: Final = "modelops"
ENVIRONMENT: Final = os.environ.get("MODELOPS_DEMO_ENVIRONMENT", "staging")
OPERATOR: Final = "operator"
"""ServiceAccount in the platform's namespace whose token the demonstration uses."""
BUILD_NAMESPACE: Final = names.build_namespace(NAMESPACE)
SETTINGS: Final = "build-settings"
"""Secret from which builds know how this machine reaches package archives."""
_LIMIT_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where the platform is, or is to be."""

    kubeconfig: Path
    programs: Path
    """Folder with helm, kubectl and bento; looked in before PATH."""
    registry: str
    registry_pull: str
    base_image: str

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> Platform:
        home = Home.from_environ(environ)
        is_local = environ.get("MODELOPS_CLUSTER", "local") != "current"
        registry = Addresses.from_environ(environ).registry if is_local else environ.get("MODELOPS_REGISTRY", "")
        if not registry:
            message = "not set; with MODELOPS_CLUSTER=current it names the registry that images are pushed to"
            raise InvalidInputError([Problem(pointer="MODELOPS_REGISTRY", message=message)])
        kubeconfig = home.kubeconfig if is_local else Path(environ.get("KUBECONFIG", "~/.kube/config")).expanduser()
        return Platform(
            kubeconfig=kubeconfig,
            programs=home.bin,
            registry=registry,
            registry_pull=environ.get("MODELOPS_REGISTRY_PULL", registry),
            base_image=environ.get("MODELOPS_BASE_IMAGE", f"{registry}/modelops/base:trixie"),
        )

    @property
    def environ(self) -> dict[str, str]:
        """Environment for programs that are to find this cluster and our programs."""
        path = f"{self.programs}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def run(self, *command: str, stdin: bytes = b"", limit_seconds: float = _LIMIT_SECONDS) -> bytes:
        """Standard output of a program; ProgramError with its last words when it fails."""
        done = subprocess.run(
            command, input=stdin, capture_output=True, env=self.environ, timeout=limit_seconds, check=False
        )
        if done.returncode != 0:
            words = done.stderr.decode(errors="replace").strip()[-2000:]
            raise ProgramError(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{words}", output=words)
        return done.stdout

    def kubectl(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return self.run("kubectl", *arguments, stdin=stdin)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(manifests).encode())

    def objects(self, kinds: str, *selection: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kinds, *selection, "-o", "json"))["items"]
        return items


def bootstrap(platform: Platform, folder: Path) -> Path:
    """Put the image container-tools into the registry where it lacks it; Helm values that name both."""
    folder.mkdir(parents=True, exist_ok=True)
    values = folder / "tools.yaml"
    command = [sys.executable, "-m", "scheduler", "images", "bootstrap", platform.registry]
    command += ["--pull-registry", platform.registry_pull, "--base", platform.base_image]
    command += ["--binaries", str(platform.programs), "--values", str(values)]
    _follow(platform, command)
    return values


def install(
    platform: Platform, values: Path, *, extra: Sequence[str] = (), has_builds: bool = True
) -> Mapping[str, str]:
    """`helm upgrade --install` of charts/modelops with one environment, and the end of its installation.

    Both servers are up then, and an operator's account is there. Image -> reference by digest, as nodes pull them.
    Without `has_builds`, for values that switch builds off, what builds need is left as it is.
    """
    own = values.with_name("platform.yaml")
    own.write_text(yaml.safe_dump(_values()))
    chart = str(assets.charts() / "modelops")
    command = ["helm", "upgrade", "--install", RELEASE, chart, "--namespace", NAMESPACE, "--create-namespace"]
    platform.run(*command, "--values", str(values), "--values", str(own), *extra)
    if has_builds:
        _tell_builds(platform)
    _follow(platform, [sys.executable, "-m", "scheduler", "install", "wait", "--namespace", NAMESPACE])
    _await_departures(platform)
    platform.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OPERATOR, "namespace": NAMESPACE}}
    )
    return images(platform)


def _tell_builds(platform: Platform) -> None:
    """How this machine reaches package archives, as the Secret that builds wait for."""
    settings = [sys.executable, "-m", "scheduler", "images", "settings", "--name", SETTINGS]
    platform.kubectl("apply", "--server-side", "-f", "-", stdin=platform.run(*settings, "--namespace", BUILD_NAMESPACE))


def images(platform: Platform) -> Mapping[str, str]:
    """What the applications of the platform run, and its jobs: image -> reference by digest."""
    applications = names.applications_release(RELEASE)
    words = ("get", "values", applications, "--namespace", NAMESPACE, "--output", "json")
    found: Mapping[str, str] = json.loads(platform.run("helm", *words))["global"]["images"]
    return found


def _values() -> Mapping[str, Any]:
    account = {"kind": "ServiceAccount", "name": OPERATOR, "namespace": NAMESPACE}
    return {
        "global": {"environments": [ENVIRONMENT], "build": {"settingsSecret": SETTINGS}},
        "access": {"operators": [account]},
        "modelops-server": {"persistence": {"size": "1Gi"}},
    }


def _follow(platform: Platform, command: Sequence[str]) -> None:
    """Run one of our own programs, whose progress the reader sees."""
    done = subprocess.run(command, env=platform.environ, stdout=subprocess.DEVNULL, check=False, timeout=3600)
    if done.returncode != 0:
        raise ProgramError(f"`modelops {' '.join(command[3:5])}` ended with {done.returncode}")


def _await_departures(platform: Platform) -> None:
    """Wait until no pod of an earlier version is left, which would still answer on connections that are open."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while any("deletionTimestamp" in pod["metadata"] for pod in platform.objects("pods", "-n", NAMESPACE)):
        if time.monotonic() > deadline:
            raise UnavailableError(f"pods of an earlier version do not leave namespace {NAMESPACE}")
        time.sleep(0.5)
