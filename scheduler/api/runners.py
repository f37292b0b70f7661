"""The environments' runner accounts, which the server impersonates to remove releases. Only the janitor has them."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from scheduler import names
from scheduler.cluster import impersonation
from scheduler.cluster.connection import Manner
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.helm.pyhelm import HelmProgram
from scheduler.jobs.ports import Runner

_HELM_SECONDS: Final = 30.0
"""An uninstall asks for deletions and waits for none."""


@cache
def of(environment: str) -> Runner:
    """The account at work from this pod. Its lists are blind: no Secret's content ever comes here."""
    user = names.runner_user(environment)
    agent = f"{user_agent()} (janitor)"
    folder = Path(tempfile.mkdtemp(prefix="janitor-"))
    config = folder / "config"
    config.write_text(json.dumps(impersonation.kubeconfig(user, environ=os.environ)), encoding="utf-8")
    environ = {"PATH": os.environ.get("PATH", ""), "KUBECONFIG": str(config), "HOME": str(folder)}
    return Runner(
        cluster=KubernetesCluster.in_pod(manner=Manner(user_agent=agent, as_user=user, is_blind=True)),
        helm=HelmProgram(environ=environ, timeout_seconds=_HELM_SECONDS),
    )


def user_agent() -> str:
    """This replica's name at the API server, whose audit and metrics tell programs apart by it."""
    return f"modelops-scheduling-server/{os.environ.get('HOSTNAME', 'unknown')}"
