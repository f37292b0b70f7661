"""Installations that cannot succeed: each says why and what to do, in one place, and what runs is left as it is.

Every case is an installation of the platform with a sub-chart of builds that fail on purpose, in place of its own
builds; all of its steps run at once. Afterwards the platform is put back from its own charts.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import assets, names
from scheduler.cli import exit_codes
from scheduler.demo.installation import BUILD_NAMESPACE, NAMESPACE, RELEASE, Platform
from scheduler.devcluster.addresses import Addresses
from scheduler.errors import ProgramError
from scheduler.installation.view import Progress
from tests import third_party
from tests.contract import own_registry
from tests.e2e import canaries, installations
from tests.e2e.canaries import Canary
from tests.e2e.deployed import Deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.runs_last]

SECRET: Final = "wrong-login"
PASSWORD: Final[Canary] = canaries.made("push login")
"""Of the login that builds read from that Secret and send to the registry, which refuses it."""
QUOTA: Final = "no-room"
_DECLARED: Final = yaml.safe_load((third_party.FAILING / "values.yaml").read_text())["builds"]
_WAIT_SECONDS: Final = 60.0

World = Callable[["Broken", Path], AbstractContextManager[Mapping[str, Any]]]
"""What is wrong outside of the builds, while it is; yields values below `global`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The platform with the sub-chart of builds that fail."""

    platform: Platform
    root: Path
    values: tuple[Path, ...]
    """The platform's own, and those that name container-tools with the sub-chart in it."""

    def install(self, builds: tuple[str, ...], shared: Mapping[str, Any], folder: Path) -> None:
        """Begin an installation of these builds alone, with values below `global`."""
        own = folder / "own.yaml"
        listed = [build for build in _DECLARED if build["name"] in builds]
        build = {"enabled": True, "parallel": len(listed), "stepMinutes": 1, **shared.get("build", {})}
        content = {"global": {**shared, "build": build}, third_party.FAILING.name: {"builds": listed}}
        own.write_text(yaml.safe_dump({**_without_builds(), **content}))
        files = [word for file in (*self.values, own) for word in ("--values", str(file))]
        chart = str(self.root / "charts" / "modelops")
        self.platform.run("helm", "upgrade", RELEASE, chart, "-n", NAMESPACE, "--reset-values", *files)

    def end(self, state: Progress) -> dict[str, Any]:
        """What the installation says of itself when it has ended so."""
        with pytest.raises(ProgramError, match=f"ended with {exit_codes.OF_INSTALLATION[state]}"):
            installations.modelops(self.platform, "install", "wait", "-n", NAMESPACE)
        return installations.status(self.platform)


def _without_builds() -> dict[str, Any]:
    """Values that switch off the builds of every other chart."""
    charts = sorted((assets.charts() / "subcharts").glob("*/values.yaml"))
    builds = {chart.parent.name: yaml.safe_load(chart.read_text()).get("builds") for chart in charts}
    return {name: {"builds": []} for name, steps in builds.items() if steps and not steps[0].get("bootstrap")}


@pytest.fixture(scope="module")
def broken(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    platform = deployed.platform
    root = third_party.tree(tmp_path_factory.mktemp("project"), third_party.FAILING)
    before, tools = root / "before.yaml", root / "tools.yaml"
    before.write_bytes(platform.run("helm", "get", "values", RELEASE, "-n", NAMESPACE, "-o", "yaml"))
    places = (f"PYTHONPATH={root}", f"MODELOPS_ASSETS={root}", f"PATH={os.environ['PATH']}")
    pull = ("--pull-registry", platform.registry_pull, "--base", platform.base_image)
    words = (*pull, "--binaries", str(platform.programs), "--values", str(tools))
    bootstrap = ("-m", "scheduler", "images", "bootstrap", platform.registry, *words)
    platform.run("env", *places, sys.executable, *bootstrap, limit_seconds=600)
    try:
        yield Broken(platform=platform, root=root, values=(before, tools))
    finally:
        deployed.install()


def _gateway() -> str:
    """Where pods reach a program of this machine."""
    return str(Addresses.from_environ(os.environ).gateway)


@contextmanager
def _as_it_is(broken: Broken, folder: Path) -> Iterator[Mapping[str, Any]]:
    yield {}


@contextmanager
def _down(broken: Broken, folder: Path) -> Iterator[Mapping[str, Any]]:
    with socket.socket() as taken:  # nobody else listens there, and neither do we
        taken.bind((_gateway(), 0))
        yield {"registry": {"push": f"{_gateway()}:{taken.getsockname()[1]}"}}


@contextmanager
def _refusing(broken: Broken, folder: Path) -> Iterator[Mapping[str, Any]]:
    with own_registry.running(folder, htpasswd=own_registry.HTPASSWD, address=_gateway()) as host:
        file = own_registry.docker_configuration(folder, host, password=PASSWORD.value)
        about = {"name": SECRET, "namespace": BUILD_NAMESPACE}
        kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson"}
        broken.platform.apply({**kind, "metadata": about, "stringData": {".dockerconfigjson": file.read_text()}})
        try:
            yield {"registry": {"push": host}, "build": {"pushSecret": SECRET}}
        finally:
            broken.platform.kubectl("-n", BUILD_NAMESPACE, "delete", "secret", SECRET)


@contextmanager
def _full(broken: Broken, folder: Path) -> Iterator[Mapping[str, Any]]:
    with own_registry.running(folder, address=_gateway(), disk="64k") as host:
        yield {"registry": {"push": host}}


@contextmanager
def _without_room(broken: Broken, folder: Path) -> Iterator[Mapping[str, Any]]:
    about = {"name": QUOTA, "namespace": BUILD_NAMESPACE}
    spec = {"hard": {"requests.memory": "1Mi"}}
    broken.platform.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": about, "spec": spec})
    try:
        yield {}
    finally:
        broken.platform.kubectl("-n", BUILD_NAMESPACE, "delete", "resourcequota", QUOTA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    says: Mapping[str, tuple[str, ...]]
    """Build -> what its reason holds."""
    world: World
    password: frozenset[str] = frozenset()
    """The objects that hold the password of the login, where one is given."""


CASES: Final[Mapping[str, Case]] = {
    "builds that fail": Case(
        world=_as_it_is,
        says={
            "copies-what-is-not-there": ("was not built", "not-there"),
            "runs-what-is-not-there": ("was not built", "not-there"),
            "waits-for-ever": ("did not end within", "RUN sleep 600", "global.build.stepMinutes"),
        },
    ),
    "a registry that is down": Case(world=_down, says={"small": ("does not answer", "see that the registry")}),
    "a registry that refuses the login": Case(
        world=_refusing,
        says={"small": ("refuses the login of 'builder'", "global.build.pushSecret")},
        password=frozenset({f"Secret/{BUILD_NAMESPACE}/{SECRET}"}),
    ),
    "a registry that is full": Case(world=_full, says={"small": ("was not built", "full")}),
}


@pytest.mark.parametrize("name", CASES)
def test_an_installation_that_cannot_succeed_says_why_and_leaves_what_runs(
    broken: Broken, name: str, tmp_path: Path
) -> None:
    case, before = CASES[name], _running(broken.platform)

    with case.world(broken, tmp_path) as shared:
        broken.install(tuple(case.says), shared, tmp_path)
        ended = broken.end(Progress.FAILED)
        left = list(_left(broken.platform)) if case.password else []

    found = installations.steps(ended)
    assert {step: found[step]["state"] for step in case.says} == dict.fromkeys(case.says, "failed")
    for step, words in case.says.items():
        missing = [word for word in words if word not in found[step]["reason"]]
        assert not missing, found[step]["reason"]
    assert ended["state"] == "failed"
    assert ended["reason"] in {f"{step}: {found[step]['reason']}" for step in case.says}
    assert found["deploy"]["state"] == "waiting"
    assert _running(broken.platform) == before
    assert canaries.seen([PASSWORD], left) == {PASSWORD.name: set(case.password)}


def test_an_installation_without_room_says_so_while_it_waits(broken: Broken, tmp_path: Path) -> None:
    before, platform = _running(broken.platform), broken.platform

    with _without_room(broken, tmp_path) as shared:
        broken.install(("small",), shared, tmp_path)
        step = _await_reason(platform, "small")
        run = installations.status(platform)["run"]
        patch = ("--type", "merge", "--patch", '{"spec": {"status": "Cancelled"}}')
        platform.kubectl("-n", BUILD_NAMESPACE, "patch", "pipelineruns.tekton.dev", run, *patch)
        ended = broken.end(Progress.CANCELLED)

    assert step["state"] == "waiting"
    assert f"exceeded quota: {QUOTA}" in step["reason"]
    assert "raise global.build.quota" in step["reason"]
    assert installations.steps(ended)["deploy"]["state"] == "waiting"
    assert _running(platform) == before


def _await_reason(platform: Platform, step: str) -> Mapping[str, Any]:
    """The step, once it says why."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        found = installations.steps(installations.status(platform)).get(step, {})
        if found.get("reason"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def _left(platform: Platform) -> Iterator[tuple[str, str]]:
    """Everything that an installation leaves: what is told of it, every object with its run and events, all logs."""
    for words in (("status",), ("status", "-o", "json"), ("logs",)):
        told = installations.modelops(platform, "install", *words, "-n", NAMESPACE).decode(errors="replace")
        assert told, words
        yield f"modelops install {' '.join(words)}", told
    yield from canaries.objects(platform)
    yield from canaries.logs(platform, NAMESPACE, BUILD_NAMESPACE)


def _running(platform: Platform) -> tuple[set[str], set[str]]:
    """Pods of the applications, and the revisions that helm knows of them."""
    labels = f"owner=helm,name={names.applications_release(RELEASE)}"
    records = platform.objects("secrets", "-n", NAMESPACE, "-l", labels)
    return installations.pods(platform), {record["metadata"]["name"] for record in records}
