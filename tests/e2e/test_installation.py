"""The life of a platform: installed again, a build that fails, taken back, a second one beside it, and gone."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import yaml

from scheduler.demo import installation
from scheduler.demo.installation import NAMESPACE, RELEASE, Platform
from scheduler.errors import ProgramError
from tests.e2e import beside, installations
from tests.e2e.beside import Beside
from tests.e2e.deployed import Deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last]

SECOND: Final = "second"
"""Namespace and release of a platform beside the others."""
SERVICE: Final = f"service/{SECOND}-modelops-server"


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


@pytest.fixture(name="second", scope="module")
def second_platform(deployed: Deployed) -> Iterator[Beside]:
    """A second platform with the images of the first. Gone afterwards, whatever a test made of it."""
    second = Beside(platform=deployed.platform, name=SECOND)
    values = second.values(tools=beside.tools_of(deployed.values), images=deployed.images)
    second.clear()
    try:
        second.helm("install", beside.CHART, "--create-namespace", values=values)
        second.installed()
        yield second
    finally:
        second.clear()


def test_a_second_platform_lives_beside_the_first_and_is_tried_by_helm(second: Beside) -> None:
    pods = installations.pods(second.platform)

    said = second.helm("test", "--timeout", "4m")

    assert "Succeeded" in said
    assert installations.pods(second.platform) == pods


def test_an_environment_belongs_to_one_platform(second: Beside) -> None:
    words = ("--reuse-values", "--set", f"global.environments={{{installation.ENVIRONMENT}}}")
    with pytest.raises(ProgramError) as caught:
        second.helm("upgrade", beside.CHART, *words)

    assert f"{NAMESPACE}.{RELEASE}" in str(caught.value)


def test_what_does_not_go_is_told_instead_of_waited_for(second: Beside, tmp_path: Path) -> None:
    second.helm("upgrade", _impatient(tmp_path), "--reuse-values", "--no-hooks")
    began = time.monotonic()
    with _held(second, SERVICE), pytest.raises(ProgramError) as caught:
        second.helm("uninstall")

    assert time.monotonic() - began < 60
    assert f"{SECOND}-remove failed: BackoffLimitExceeded" in str(caught.value)
    said = second.platform.kubectl("-n", SECOND, "logs", f"job/{SECOND}-remove").decode()
    assert re.search(rf"remove: failed: not removed in time: Service/{SECOND}-modelops-server[^;]*; remove it by", said)
    assert second.objects("serviceaccounts", "-l", f"app.kubernetes.io/instance={SECOND}"), "the rest has stayed"


def _impatient(folder: Path) -> str:
    """The platform's chart with a hook that gives up after ten seconds."""
    chart = shutil.copytree(beside.CHART, folder / "modelops")
    hooks = chart / "templates" / "installation" / "hooks.yaml"
    patient = hooks.read_text()
    assert patient.count("--seconds=210") == 1
    hooks.write_text(patient.replace("--seconds=210", "--seconds=10"))
    return str(chart)


@contextmanager
def _held(second: Beside, what: str) -> Iterator[None]:
    """An object that cannot go."""

    def finalizers(*names_: str) -> None:
        patch = json.dumps({"metadata": {"finalizers": [*names_]}})
        second.platform.kubectl("-n", SECOND, "patch", what, "--type=merge", "-p", patch)

    finalizers("modelops.dev/tests")
    try:
        yield
    finally:
        finalizers()


def test_a_platform_that_is_uninstalled_leaves_nothing_not_even_a_hook_that_failed(second: Beside) -> None:
    failed = f"{SECOND}-start"
    (hook,) = (
        one
        for one in yaml.safe_load_all(second.platform.run("helm", "get", "hooks", SECOND, "-n", SECOND))
        if one and one["metadata"]["name"] == failed
    )
    (container,) = hook["spec"]["template"]["spec"]["containers"]
    container["args"] = ["--no-such-option"]
    second.platform.apply(hook)
    second.platform.kubectl("-n", SECOND, "wait", f"job/{failed}", "--for=condition=Failed", "--timeout=60s")

    second.helm("uninstall", "--wait", "--timeout", "5m")

    second.assert_nothing_left()
