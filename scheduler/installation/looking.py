"""Looking at a platform's installation from outside, with the rights of whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import NotFoundError
from scheduler.installation import runs, view
from scheduler.installation.view import Installation, Step
from scheduler.tekton import view as reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Which installation is looked at."""

    name: str
    namespace: str
    builds: str
    """Namespace of the builds."""


def newest(platform: Platform, *, cluster: Cluster, now: datetime) -> Installation:
    """The newest run; NotFoundError with where to look on when there is none."""
    found = runs.in_order(cluster.list("PipelineRun", platform.builds, labels={names.INSTALLATION: platform.name}))
    if not found:
        raise NotFoundError(
            f"the platform '{platform.name}' has no installation in namespace '{platform.builds}'; the hook that "
            f"starts it tells why: kubectl -n {platform.namespace} logs job/{platform.name}-start (another "
            "namespace of builds is named by --build-namespace)"
        )
    name = found[-1]["metadata"]["name"]
    task_runs = cluster.list("TaskRun", platform.builds, labels={names.TEKTON_PIPELINE_RUN: name})
    return view.project(found[-1], task_runs, now=now)


def selected(installation: Installation, step: str) -> tuple[Step, ...]:
    """The step of that name, or without a name those that have a pod; NotFoundError when there is none."""
    if step:
        found = [one for one in installation.steps if one.name == step]
        if not found:
            there = ", ".join(one.name for one in installation.steps)
            raise NotFoundError(f"the installation {installation.run} has no step '{step}' (there are {there})")
        if not found[0].pod:
            raise NotFoundError(f"the step '{step}' has no pod: it is {found[0].state}")
        return tuple(found)
    return tuple(one for one in installation.steps if one.pod)


def lines(step: Step, *, namespace: str, cluster: Cluster, follow: bool, tail_lines: int | None) -> Iterator[str]:
    """What the programs of a step wrote; nothing when its pod is gone."""
    try:
        pod = cluster.get("Pod", step.pod, namespace)
    except NotFoundError:
        return
    containers = [reading.text(one, "name") for one in reading.items(pod, "spec", "containers")]
    for container in [name for name in containers if name.startswith("step-")] or containers[:1]:
        yield from cluster.pod_logs(step.pod, namespace, container=container, follow=follow, tail_lines=tail_lines)
