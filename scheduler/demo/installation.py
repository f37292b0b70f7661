"""Puts the platform on a cluster as a reader would: images, `helm upgrade --install`, an operator's account.

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

from scheduler import assets
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.home import Home
from scheduler.errors import InvalidInputError, ProgramError, UnavailableError
from scheduler.model.problem import Problem

NAMESPACE: Final = os.environ.get("MODELOPS_DEMO_NAMESPACE", "modelops")
RELEASE: Final = "modelops"
ENVIRONMENT: Final = os.environ.get("MODELOPS_DEMO_ENVIRONMENT", "staging")
OPERATOR: Final = "operator"
"""ServiceAccount in the platform's namespace whose token the demonstration uses."""
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


def build_images(platform: Platform, folder: Path) -> Path:
    """Build what the registry lacks; the Helm values file with every image's digest."""
    folder.mkdir(parents=True, exist_ok=True)
    values = folder / "images.yaml"
    command = [sys.executable, "-m", "scheduler.images", "build", "--registry", platform.registry]
    command += ["--pull-registry", platform.registry_pull, "--base", platform.base_image]
    command += ["--binaries", str(platform.programs), "--values", str(values), "--output", str(folder / "images.json")]
    done = subprocess.run(command, env=platform.environ, check=False, timeout=3600)
    if done.returncode != 0:
        raise ProgramError(f"`modelops images build` ended with {done.returncode}")
    return values


def install(platform: Platform, images: Path, *, extra: Sequence[str] = ()) -> None:
    """`helm upgrade --install` of charts/modelops with one environment, and wait until both servers are up."""
    account = {"kind": "ServiceAccount", "name": OPERATOR, "namespace": NAMESPACE}
    values = {
        "global": {
            "registry": {"push": platform.registry, "pull": platform.registry_pull},
            "environments": [ENVIRONMENT],
        },
        "access": {"operators": [account]},
        "modelops-server": {"persistence": {"size": "1Gi"}},
    }
    own = images.with_name("platform.yaml")
    own.write_text(yaml.safe_dump(values))
    chart = str(assets.charts() / "modelops")
    command = ["helm", "upgrade", "--install", RELEASE, chart, "--namespace", NAMESPACE, "--create-namespace"]
    platform.run(*command, "--values", str(images), "--values", str(own), *extra)
    for deployment in platform.objects("deployments", "-n", NAMESPACE):
        name = deployment["metadata"]["name"]
        platform.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=180s")
    _await_departures(platform)
    platform.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OPERATOR, "namespace": NAMESPACE}}
    )


def _await_departures(platform: Platform) -> None:
    """Wait until no pod of an earlier version is left, which would still answer on connections that are open."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while any("deletionTimestamp" in pod["metadata"] for pod in platform.objects("pods", "-n", NAMESPACE)):
        if time.monotonic() > deadline:
            raise UnavailableError(f"pods of an earlier version do not leave namespace {NAMESPACE}")
        time.sleep(0.5)
