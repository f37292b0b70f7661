"""What this project wants of Tekton itself: its version, its settings with what each costs otherwise, a trial run.

The local cluster is made so; of a cluster of the reader's own `modelops cluster check` tells the differences. Figures
were measured with Tekton 1.15 on two cores; the defaults are those of its own manifests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import yaml

from scheduler.model.types import Manifest

API: Final = "/apis/tekton.dev/v1"
NAMESPACE: Final = "tekton-pipelines"
CONTROLLER: Final = "tekton-pipelines-controller"
OLDEST: Final = (1, 15)

DEFAULTS: Final = "config-defaults"
FLAGS: Final = "feature-flags"
RESOURCES: Final = "default-container-resource-requirements"
INIT_CONTAINERS: Final = ("prepare", "place-scripts")
LEAST_CPU: Final = "1"
_INIT: Final = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": LEAST_CPU, "memory": "256Mi"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of one of Tekton's ConfigMaps."""

    config: str
    key: str
    value: str
    default: str
    """What Tekton does while the key is not there."""
    cost: str
    """Of the default."""
    is_needed: bool = False
    """Without it no job runs at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One flag of the controller that takes a number; more than `value` is fine."""

    flag: str
    value: int
    default: int
    cost: str


SETTINGS: Final = (
    Setting(
        config=FLAGS,
        key="set-security-context",
        value="true",
        default="false",
        cost="no task pod is admitted where Pod Security `restricted` is enforced: every job fails, its cleanup too",
        is_needed=True,
    ),
    Setting(
        config=FLAGS,
        key="set-security-context-read-only-root-filesystem",
        value="true",
        default="false",
        cost="Tekton's own containers in task pods can write to their root file systems",
    ),
    Setting(
        config=DEFAULTS,
        key=RESOURCES,
        value=yaml.safe_dump(dict.fromkeys(INIT_CONTAINERS, _INIT)),
        default="",
        cost="`prepare` copies 45 MB with a tenth of a CPU: 7 s and more for each of a job's three tasks",
    ),
    Setting(
        config=FLAGS,
        key="running-in-environment-with-injected-sidecars",
        value="false",
        default="true",
        cost="steps wait until the kubelet has told of all containers, half a second a task; a service mesh needs that",
    ),
    Setting(
        config=FLAGS,
        key="disable-creds-init",
        value="true",
        default="false",
        cost="credentials of the ServiceAccount are looked for and copied into every step, which need none",
    ),
    Setting(
        config="config-leader-election-controller",
        key="lease-duration",
        value="15s",
        default="60s",
        cost="when the controller is killed no job moves for up to a minute",
    ),
    Setting(
        config="config-leader-election-webhook",
        key="lease-duration",
        value="15s",
        default="60s",
        cost="when the webhook is killed its certificates wait for up to a minute",
    ),
)
ARGUMENTS: Final = (
    Argument(
        flag="kube-api-qps",
        value=50,
        default=5,
        cost="the controller asks the API server at most 20 times a second: under one job a second, the others queue",
    ),
    Argument(
        flag="kube-api-burst",
        value=50,
        default=10,
        cost="no more than 20 requests at once: jobs that come together start one after the other",
    ),
    Argument(
        flag="threads-per-controller",
        value=32,
        default=2,
        cost="two runs are looked at at a time: with many jobs each waits for all the others",
    ),
)
BESIDE: Final[Mapping[str, str]] = MappingProxyType({"renew-deadline": "10s", "retry-period": "2s"})
"""What has to go with the shorter leases."""


def probe(namespace: str) -> Manifest:
    """A PipelineRun to create as a dry run: the API server accepts it only if Tekton's webhook really answers."""
    step = {"name": "nothing", "image": "nothing", "command": ["nothing"]}
    task = {"name": "nothing", "taskSpec": {"steps": [step]}}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "modelops-probe", "namespace": namespace},
        "spec": {"pipelineSpec": {"tasks": [task]}},
    }
