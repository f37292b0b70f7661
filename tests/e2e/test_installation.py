"""The life of a platform: installed again, a build that fails, taken back, a second one beside it, and gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from scheduler import assets, names
from scheduler.demo import installation
from scheduler.demo.installation import NAMESPACE, RELEASE, Platform
from scheduler.errors import ProgramError
from tests.e2e import installations
from tests.e2e.deployed import Deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last]

CHART: Final = str(assets.charts() / "modelops")
SECOND: Final = "second"
"""Namespace and release of a platform beside the others."""
ENVIRONMENT: Final = "second-jobs"
KINDS: Final = (
    "deployments,services,configmaps,persistentvolumeclaims,networkpolicies,pods,jobs,secrets,roles,rolebindings"
)
CLUSTER_KINDS: Final = "namespaces,clusterroles,clusterrolebindings,priorityclasses"


@pytest.fixture(name="built", scope="module")
def with_its_builds(deployed: Deployed) -> Iterator[Platform]:
    """The platform as `make demo` installs it, its builds asked for; put back as other tests have it."""
    installation.install(deployed.platform, deployed.values)
    yield deployed.platform
    deployed.install()


def test_installed_again_nothing_is_built_and_nothing_runs_anew(built: Platform, deployed: Deployed) -> None:
    first, pods = installations.status(built), installations.pods(built)
    assert {step["state"] for name, step in installations.steps(first).items() if name != "deploy"} <= {
        "skipped",
        "built",
    }

    assert installation.install(built, deployed.values) == deployed.images
    second = installations.status(built)

    assert second["run"] == first["run"], "equal content needs no second run"
    assert installations.pods(built) == pods


def test_a_build_that_fails_says_why_and_leaves_what_runs(built: Platform, deployed: Deployed) -> None:
    before, pods = installations.status(built), installations.pods(built)
    wrong = "scoring-server-pmml.builds[0].context={scheduler,not-there}"
    told = ["scoring-server-pmml.builds[0].name=scoring-server-pmml", wrong]
    told.append("scoring-server-pmml.builds[0].containerfile=build/Containerfile")
    with pytest.raises(ProgramError):
        installation.install(built, deployed.values, extra=[word for one in told for word in ("--set", one)])

    failed = installations.status(built)
    step = installations.steps(failed)["scoring-server-pmml"]
    assert (failed["state"], step["state"]) == ("failed", "failed")
    assert "not-there" in step["reason"]
    assert failed["reason"] == f"scoring-server-pmml: {step['reason']}"
    assert installations.steps(failed)["deploy"]["state"] == "waiting"
    assert installations.pods(built) == pods
    assert (
        "not-there" in installations.modelops(built, "install", "logs", "scoring-server-pmml", "-n", NAMESPACE).decode()
    )

    built.run("helm", "rollback", RELEASE, "-n", NAMESPACE)
    installations.modelops(built, "install", "wait", "-n", NAMESPACE)
    again = installations.status(built)
    assert again["state"] == "succeeded"
    assert again["run"] not in {before["run"], failed["run"]}
    assert {step["state"] for step in again["steps"]} == {"skipped", "deployed"}
    assert installation.images(built) == deployed.images


@pytest.fixture(name="beside", scope="module")
def second_platform(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A second platform with the images of the first; its values. Gone afterwards, whatever a test made of it."""
    platform = deployed.platform
    tools = yaml.safe_load(deployed.values.read_text())["global"]
    given = {"build": {"enabled": False, "tools": tools["build"]["tools"]}, "images": dict(deployed.images)}
    values = tmp_path_factory.mktemp("second") / "second.yaml"
    content = {"global": {**given, "size": "small", "environments": [ENVIRONMENT]}, "environment": {"keep": False}}
    values.write_text(yaml.safe_dump({**content, "modelops-server": {"persistence": {"size": "1Gi", "keep": False}}}))
    words = ("-n", SECOND, "--create-namespace", "--values", str(values))
    platform.run("helm", "install", SECOND, CHART, *words)
    installations.modelops(platform, "install", "wait", "-n", SECOND, "--release", SECOND)
    yield values
    platform.run("helm", "uninstall", SECOND, "-n", SECOND, "--ignore-not-found", "--wait", "--timeout", "5m")
    namespaces = (SECOND, ENVIRONMENT, names.build_namespace(SECOND))
    platform.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=120s")


def test_a_second_platform_lives_beside_the_first_and_is_tried_by_helm(beside: Path, deployed: Deployed) -> None:
    platform = deployed.platform
    pods = installations.pods(platform)

    said = platform.run("helm", "test", SECOND, "-n", SECOND, "--timeout", "4m").decode()

    assert "Succeeded" in said
    assert installations.pods(platform) == pods


def test_an_environment_belongs_to_one_platform(beside: Path, deployed: Deployed) -> None:
    words = ("-n", SECOND, "--reuse-values", "--set", f"global.environments={{{installation.ENVIRONMENT}}}")
    with pytest.raises(ProgramError) as caught:
        deployed.platform.run("helm", "upgrade", SECOND, CHART, *words)

    assert f"{NAMESPACE}.{RELEASE}" in str(caught.value)


def test_a_platform_that_is_uninstalled_leaves_nothing(beside: Path, deployed: Deployed) -> None:
    platform = deployed.platform

    platform.run("helm", "uninstall", SECOND, "-n", SECOND, "--wait", "--timeout", "5m")

    marks = ("-l", f"app.kubernetes.io/instance={SECOND}")
    assert _named(platform, KINDS, "-n", SECOND, *marks) == []
    deadline = time.monotonic() + 120  # a namespace takes a while to go
    while left := _named(platform, CLUSTER_KINDS, *marks):
        assert time.monotonic() < deadline, left
        time.sleep(1)
    assert _named(platform, "secrets", "-n", SECOND, "-l", "owner=helm") == []


def _named(platform: Platform, kinds: str, *selection: str) -> list[str]:
    return [f"{item['kind']}/{item['metadata']['name']}" for item in platform.objects(kinds, *selection)]
