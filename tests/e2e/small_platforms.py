"""What tests of small platforms beside the shared one need: values, a job, and an end without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from scheduler import names
from scheduler.demo.installation import Platform
from tests.e2e import beside
from tests.e2e.deployed import Deployed


def images(deployed: Deployed) -> dict[str, Any]:
    """Helm values that name the images of the shared platform, so that nothing is built."""
    return {"global": beside.prebuilt(tools=beside.tools_of(deployed.values), images=deployed.images)}


def write(values: dict[str, Any], file: Path) -> Path:
    file.write_text(yaml.safe_dump(values))
    return file


def small_job(folder: Path, *, is_endless: bool = False) -> str:
    """A folder with the job of `helm test`, which needs no model and no file; endless, it is a stream."""
    text = (Path(beside.CHART) / "files" / "test" / "pipeline.yaml").read_text()
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
    return beside.named(platform.objects(kinds, *selection))
