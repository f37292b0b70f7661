"""The life of a platform: installed again, a build that fails, taken back, a second one beside it, and gone."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from scheduler.demo import installation
from scheduler.demo.installation import NAMESPACE, RELEASE, Platform
from scheduler.errors import ProgramError
from tests.e2e import beside
from tests.e2e.deployed import Deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last]

SECOND: Final = "second"
"""Namespace and release of a platform beside the others."""
ENVIRONMENT: Final = "second-jobs"


def _modelops(platform: Platform, *words: str) -> bytes:
    return platform.run(sys.executable, "-m", "scheduler", *words, limit_seconds=900)


def _status(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_modelops(platform, "install", "status", "-n", NAMESPACE, "-o", "json"))
    return found


def _steps(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in status["steps"]}


def _pods(platform: Platform) -> set[str]:
    found = platform.objects("pods", "-n", NAMESPACE, "-l", f"app.kubernetes.io/instance={RELEASE}")
    return {
        pod["metadata"]["uid"] for pod in found if pod["metadata"]["labels"]["app.kubernetes.io/name"] != "modelops"
    }


@pytest.fixture(name="built", scope="module")
def with_its_builds(deployed: Deployed) -> Iterator[Platform]:
    """The platform as `make demo` installs it, its builds asked for; put back as other tests have it."""
    installation.install(deployed.platform, deployed.values)
    yield deployed.platform
    deployed.install()


def test_installed_again_nothing_is_built_and_nothing_runs_anew(built: Platform, deployed: Deployed) -> None:
    first, pods = _status(built), _pods(built)
    assert {step["state"] for name, step in _steps(first).items() if name != "deploy"} <= {"skipped", "built"}

    assert installation.install(built, deployed.values) == deployed.images
    second = _status(built)

    assert second["run"] == first["run"], "equal content needs no second run"
    assert _pods(built) == pods


def test_a_build_that_fails_says_why_and_leaves_what_runs(built: Platform, deployed: Deployed) -> None:
    before, pods = _status(built), _pods(built)
    wrong = "scoring-server-pmml.builds[0].context={scheduler,not-there}"
    told = ["scoring-server-pmml.builds[0].name=scoring-server-pmml", wrong]
    told.append("scoring-server-pmml.builds[0].containerfile=build/Containerfile")
    with pytest.raises(ProgramError):
        installation.install(built, deployed.values, extra=[word for one in told for word in ("--set", one)])

    failed = _status(built)
    step = _steps(failed)["scoring-server-pmml"]
    assert (failed["state"], step["state"]) == ("failed", "failed")
    assert "not-there" in step["reason"]
    assert failed["reason"] == f"scoring-server-pmml: {step['reason']}"
    assert _steps(failed)["deploy"]["state"] == "waiting"
    assert _pods(built) == pods
    assert "not-there" in _modelops(built, "install", "logs", "scoring-server-pmml", "-n", NAMESPACE).decode()

    built.run("helm", "rollback", RELEASE, "-n", NAMESPACE)
    _modelops(built, "install", "wait", "-n", NAMESPACE)
    again = _status(built)
    assert again["state"] == "succeeded"
    assert again["run"] not in {before["run"], failed["run"]}
    assert {step["state"] for step in again["steps"]} == {"skipped", "deployed"}
    assert installation.images(built) == deployed.images


@pytest.fixture(scope="module")
def second_platform(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A second platform with the images of the first. Gone afterwards, whatever a test made of it."""
    platform = deployed.platform
    folder = tmp_path_factory.mktemp("second")
    theirs = beside.write(beside.images(deployed), folder / "images.yaml")
    own = beside.write(beside.small(ENVIRONMENT), folder / "second.yaml")
    with beside.cleared(platform, SECOND, ENVIRONMENT):
        words = ("-n", SECOND, "--create-namespace", "--values", str(theirs), "--values", str(own))
        platform.run("helm", "install", SECOND, beside.CHART, *words)
        _modelops(platform, "install", "wait", "-n", SECOND, "--release", SECOND)
        yield


@pytest.mark.usefixtures("second_platform")
def test_a_second_platform_lives_beside_the_first_and_is_tried_by_helm(deployed: Deployed) -> None:
    platform = deployed.platform
    pods = _pods(platform)

    said = platform.run("helm", "test", SECOND, "-n", SECOND, "--timeout", "4m").decode()

    assert "Succeeded" in said
    assert _pods(platform) == pods


@pytest.mark.usefixtures("second_platform")
def test_an_environment_belongs_to_one_platform(deployed: Deployed) -> None:
    words = ("-n", SECOND, "--reuse-values", "--set", f"global.environments={{{installation.ENVIRONMENT}}}")
    with pytest.raises(ProgramError) as caught:
        deployed.platform.run("helm", "upgrade", SECOND, beside.CHART, *words)

    assert f"{NAMESPACE}.{RELEASE}" in str(caught.value)


@pytest.mark.usefixtures("second_platform")
def test_a_platform_that_is_uninstalled_leaves_nothing(deployed: Deployed) -> None:
    platform = deployed.platform

    platform.run("helm", "uninstall", SECOND, "-n", SECOND, "--wait", "--timeout", "5m")

    marks = ("-l", f"app.kubernetes.io/instance={SECOND}")
    assert beside.named(platform, beside.KINDS, "-n", SECOND, *marks) == []
    deadline = time.monotonic() + 120  # a namespace takes a while to go
    while left := beside.named(platform, beside.CLUSTER_KINDS, *marks):
        assert time.monotonic() < deadline, left
        time.sleep(1)
    assert beside.named(platform, "secrets", "-n", SECOND, "-l", "owner=helm") == []
