"""A platform beside the one that all tests share: small, with its images, and gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets, names
from scheduler.demo.installation import Platform
from tests.e2e.deployed import Deployed

CHART: Final = str(assets.charts() / "modelops")
KINDS: Final = (
    "deployments,services,configmaps,persistentvolumeclaims,networkpolicies,pods,jobs,secrets,roles,rolebindings"
)
CLUSTER_KINDS: Final = "namespaces,clusterroles,clusterrolebindings,priorityclasses"


def images(deployed: Deployed) -> dict[str, Any]:
    """Helm values that name the images of the shared platform, so that nothing is built."""
    tools = yaml.safe_load(deployed.values.read_text())["global"]["build"]["tools"]
    return {"global": {"build": {"enabled": False, "tools": tools}, "images": dict(deployed.images)}}


def small(*environments: str, keep: bool = False) -> dict[str, Any]:
    """Helm values of a small platform; `keep` is about the namespaces of its environments."""
    return {
        "global": {"size": "small", "environments": list(environments)},
        "environment": {"keep": keep},
        "modelops-server": {"persistence": {"size": "1Gi", "keep": False}},
    }


def write(values: dict[str, Any], file: Path) -> Path:
    file.write_text(yaml.safe_dump(values))
    return file


def small_job(folder: Path, *, is_endless: bool = False) -> str:
    """A folder with the job of `helm test`, which needs no model and no file; endless, it is a stream."""
    text = (Path(CHART) / "files" / "test" / "pipeline.yaml").read_text()
    if is_endless:
        for batch, stream in (("mode: batch", "mode: streaming"), ("count: 100", "rate: 10")):
            assert batch in text
            text = text.replace(batch, stream)
    (folder / "pipeline.yaml").write_text(text)
    return str(folder)


@contextmanager
def cleared(platform: Platform, name: str, *environments: str) -> Iterator[None]:
    """Afterwards the release and the namespace of that name are gone, its builds and environments too."""
    try:
        yield
    finally:
        platform.run("helm", "uninstall", name, "-n", name, "--ignore-not-found", "--wait", "--timeout", "5m")
        namespaces = (name, names.build_namespace(name), *environments)
        platform.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=120s")


def named(platform: Platform, kinds: str, *selection: str) -> list[str]:
    """`Kind/name` of each object."""
    return [f"{item['kind']}/{item['metadata']['name']}" for item in platform.objects(kinds, *selection)]
