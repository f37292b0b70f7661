"""A site without network: a bundle of the shared platform in a registry that was empty."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.demo.installation import NAMESPACE, RELEASE
from scheduler.devcluster.home import Home
from tests.contract import own_registry
from tests.e2e.deployed import Deployed
from tests.e2e.offline.loaded import Site
from tests.e2e.program import Modelops


@pytest.fixture(scope="session")
def modelops(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Modelops:
    """As the administrator."""
    return Modelops.of(deployed.platform, config=tmp_path_factory.mktemp("administrator") / "config.json")


@pytest.fixture(scope="session")
def archive(modelops: Modelops, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bundle of the shared platform."""
    file = tmp_path_factory.mktemp("bundle") / "modelops.tar"
    modelops.good("bundle", "create", str(file), "--release", RELEASE, "--namespace", NAMESPACE)
    yield file
    file.unlink()


@pytest.fixture(scope="session")
def site(archive: Path, modelops: Modelops, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The bundle in a registry that was empty, and what `load` has written."""
    folder = tmp_path_factory.mktemp("site")
    values, charts = folder / "images.yaml", folder / "charts"
    with own_registry.running(folder) as registry:
        loaded = modelops.json(
            "bundle", "load", str(archive), registry, "--values", str(values), "--charts", str(charts)
        )
        (chart,) = charts.iterdir()
        yield Site(registry=registry, values=values, chart=chart, digests=loaded["images"])
        _forget(registry)


def _forget(registry: str) -> None:
    """The node remembers images by the registry that they came from."""
    home = Home.from_environ(os.environ)
    ctr = [str(home.bin / "ctr"), "--address", str(home.containerd_socket), "--namespace", "k8s.io", "images"]
    known = subprocess.run([*ctr, "ls", "-q"], capture_output=True, text=True, check=True, timeout=30).stdout.split()
    if ours := [name for name in known if name.startswith(f"{registry}/")]:
        subprocess.run([*ctr, "rm", *ours], capture_output=True, check=True, timeout=30)
