"""Charts rendered by `helm template` into dictionaries, and what a job's release consists of."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets
from scheduler.model.types import Manifest, Values
from tests import programs

KUBERNETES: Final = "1.34.4"
TEKTON: Final = ("--api-versions", "tekton.dev/v1")
"""What a cluster with Tekton serves beside Kubernetes itself."""
DIGEST: Final = "a" * 64
JOB: Final = "jaaaaaaaaaaaaaaaaaaaa"
"""Release name in the `ci` values of charts with a job face; their namespace is `staging`."""
PLATFORM: Final = assets.charts() / "modelops"
PIPELINE: Final = assets.subchart("scoring-pipeline")
CHARTS: Final = (PLATFORM, *sorted(path.parent for path in (assets.charts() / "subcharts").glob("*/Chart.yaml")))
PROGRAMS: Final = (
    "scheduling-server",
    "modelops-server",
    "streaming-runtime",
    "scoring-server-python",
    "scoring-server-pmml",
)
"""Images that the platform's values name."""
CONTROLLED: Final = ("Pod", "ReplicaSet", "Endpoints", "EndpointSlice")
"""What controllers make of the objects that a job's release renders, with the same labels."""


class RefusedError(Exception):
    """helm's words when it renders nothing."""


def helm(*arguments: str, values: Values | None = None) -> str:
    """What helm prints; RefusedError with its complaint if it fails."""
    given = "" if values is None else yaml.safe_dump(dict(values))
    ended = subprocess.run(
        [programs.helm(), *arguments], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    if ended.returncode:
        raise RefusedError(ended.stderr + ended.stdout)
    return ended.stdout


def chart(path: Path, *, values: Values, release: str, namespace: str) -> tuple[Manifest, ...]:
    """The objects that these values render, in the order of installation."""
    place = [release, str(path), "--namespace", namespace, "--kube-version", KUBERNETES, *TEKTON]
    text = helm("template", *place, "--values", "-", values=values)
    return tuple(found for found in yaml.safe_load_all(text) if found)


def platform(
    values: Values, *, release: str = "modelops", namespace: str = "modelops", path: Path = PLATFORM
) -> tuple[Manifest, ...]:
    return chart(path, values=values, release=release, namespace=namespace)


def applications(
    values: Values, *, release: str = "modelops", namespace: str = "modelops", path: Path = PLATFORM
) -> tuple[Manifest, ...]:
    """The release `<release>-apps` that the installation makes from the same values."""
    given = dict(values)
    built = {name: f"registry.example.com/modelops/{name}@sha256:{DIGEST}" for name in PROGRAMS}
    images = given.get("global", {}).get("images") or built
    given["global"] = {
        **given.get("global", {}),
        "render": "applications",
        "platform": {"name": release},
        "images": images,
    }
    return chart(path, values=given, release=f"{release}-apps", namespace=namespace)


def both(
    values: Values, *, release: str = "modelops", namespace: str = "modelops", path: Path = PLATFORM
) -> tuple[Manifest, ...]:
    """Everything that a platform consists of: the objects of its two releases."""
    return (
        *platform(values, release=release, namespace=namespace, path=path),
        *applications(values, release=release, namespace=namespace, path=path),
    )


def job(values: Values) -> tuple[Manifest, ...]:
    """What one job installs; release and namespace as its values say."""
    about = values["global"]["job"]
    return chart(PIPELINE, values=values, release=about["id"], namespace=about["environment"])


def ci_files(path: Path) -> tuple[Path, ...]:
    return tuple(sorted((path / "ci").glob("*-values.yaml")))


def ci_values(path: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((path / "ci" / f"{name}-values.yaml").read_text())
    return found


@functools.cache
def ci_objects(file: Path) -> tuple[Manifest, ...]:
    """What a chart renders from one of its `ci` files."""
    values: dict[str, Any] = yaml.safe_load(file.read_text())
    has_job = bool(values.get("global", {}).get("job"))
    release, namespace = (JOB, "staging") if has_job else ("modelops", "modelops")
    return chart(file.parent.parent, values=values, release=release, namespace=namespace)


def everything() -> Iterator[tuple[str, Manifest]]:
    """Every object that any `ci` file of any chart renders, with the file's name."""
    for path in CHARTS:
        for file in ci_files(path):
            for manifest in ci_objects(file):
                yield f"{path.name}/{file.name}", manifest


def job_kinds() -> frozenset[str]:
    """Kinds that a job's release may consist of: what charts and controllers make, and helm's Secret."""
    rendered = {manifest["kind"] for file in ci_files(PIPELINE) for manifest in ci_objects(file)}
    return frozenset({*rendered, *CONTROLLED, "Secret"})


def of_kind(manifests: Sequence[Manifest], kind: str, *, namespace: str | None = None) -> tuple[Manifest, ...]:
    return tuple(
        found
        for found in manifests
        if found["kind"] == kind and (namespace is None or found["metadata"].get("namespace") == namespace)
    )


def one(manifests: Sequence[Manifest], kind: str, name: str, *, namespace: str | None = None) -> Manifest:
    found = [item for item in of_kind(manifests, kind, namespace=namespace) if item["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {kind} {name} in {[item['metadata']['name'] for item in manifests]}"
    return found[0]


def pod_templates(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and pod template of each workload."""
    for manifest in manifests:
        if manifest["kind"] in {"Deployment", "Job", "StatefulSet", "DaemonSet"}:
            yield f"{manifest['kind']}/{manifest['metadata']['name']}", manifest["spec"]["template"]


def containers(pod: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Init containers first."""
    return (*pod.get("initContainers", ()), *pod["containers"])
