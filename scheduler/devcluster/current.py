"""The reader's own cluster instead, with `MODELOPS_CLUSTER=current`: only programs are built and nothing is started."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scheduler.devcluster import go, report, toolchain
from scheduler.devcluster.home import Home
from scheduler.devcluster.kubectl import Kubectl
from scheduler.devcluster.report import ClusterStatus
from scheduler.devcluster.toolchain import Tell
from scheduler.errors import InvalidInputError, UnavailableError
from scheduler.model.problem import Problem

VARIABLE: Final = "MODELOPS_CLUSTER"


def is_meant(environ: Mapping[str, str]) -> bool:
    """Whether the reader's own cluster is to be used; any value but `current` and `local` is refused."""
    mode = environ.get(VARIABLE) or "local"
    if mode not in ("local", "current"):
        problem = Problem(pointer=VARIABLE, message=f"'{mode}' is unknown", candidates=("local", "current"))
        raise InvalidInputError([problem])
    return mode == "current"


def check(home: Home, environ: Mapping[str, str], tell: Tell) -> ClusterStatus:
    """Build what the machine lacks of helm, Bento and kubectl; UnavailableError when the cluster does not answer."""
    kubectl = shutil.which("kubectl")
    wanted = [toolchain.HELM, toolchain.BENTO, *([] if kubectl else [toolchain.KUBECTL])]
    if not all((home.bin / program.name).exists() for program in wanted):
        toolchain.build(wanted, home, go.find(home, tell), tell)
    found = of(home, environ)
    if not found.api_server_version:
        raise UnavailableError(f"no cluster answers; KUBECONFIG says {found.kubeconfig}")
    tell(f"using the cluster of {found.kubeconfig}: Kubernetes {found.api_server_version}")
    if not found.tekton_answers:
        tell("Tekton's webhook admits no PipelineRun there: install Tekton 1.15 or newer before a job is started")
    return found


def of(home: Home, environ: Mapping[str, str]) -> ClusterStatus:
    """What the reader's cluster says of itself."""
    kubeconfig = environ.get("KUBECONFIG") or str(Path(environ.get("HOME") or Path.home()) / ".kube" / "config")
    program = Path(shutil.which("kubectl") or home.bin / "kubectl")
    version, nodes, answers = report.ask(Kubectl(program=program, environ={"KUBECONFIG": kubeconfig}))
    return ClusterStatus(
        mode="current", kubeconfig=kubeconfig, api_server_version=version, nodes=nodes, tekton_answers=answers
    )
