"""A scoring server of another author on the real cluster: one folder, one entry, and a job scores through it.

The installation builds both of its images in the cluster, the first by the sub-chart's own Task. Afterwards the
platform is put back from its own charts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import assets
from scheduler.demo.installation import NAMESPACE, RELEASE, Platform
from scheduler.model.job import JobState
from tests import third_party
from tests.e2e import recipes, support
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800), pytest.mark.runs_last]

SUMS: Final = Recipe(
    name="linear", model_type=third_party.MODEL_TYPE, artifact=b"input,coefficient\nvalue,2.5\n(intercept),-1\n"
)
BROKEN: Final = Recipe(name="linear-broken", model_type=third_party.MODEL_TYPE, artifact=b"input,coefficient\nvalue\n")
_BUILD_SECONDS: Final = 1500
_GUIDES_BASE: Final = "registry.example.com/base:trixie"


@pytest.fixture(scope="module")
def extended(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Any]]:
    """The platform with the sub-chart; what `modelops install status` says of that installation."""
    root = third_party.tree(tmp_path_factory.mktemp("project"))
    platform = deployed.platform
    before = platform.run("helm", "get", "values", RELEASE, "--namespace", NAMESPACE, "--output", "yaml")
    try:
        yield _installed(platform, root, yaml.safe_load(before))
    finally:
        own = root / "before.yaml"
        own.write_bytes(before)
        _upgrade(platform, assets.CHECKOUT, own)


def _installed(platform: Platform, root: Path, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Bootstrap container-tools as the guide does it, upgrade, wait."""
    given, tools = root / "given.yaml", root / "tools.yaml"
    # tests before may have named the images instead of building them
    builds = {**values["global"], "build": {**values["global"]["build"], "enabled": True}, "images": {}}
    given.write_text(yaml.safe_dump({**values, "global": builds, third_party.NAME: {"tlsVerify": False}}))
    own = {"registry.example.com": platform.registry, _GUIDES_BASE: platform.base_image, tools.name: str(tools)}
    typed = third_party.command("modelops", "images", "bootstrap", given=own)
    place = ("--pull-registry", platform.registry_pull, "--binaries", str(platform.programs))
    _modelops(platform, root, *typed[1:], *place)
    _upgrade(platform, root, given, tools)
    told = _modelops(platform, root, "install", "status", "--namespace", NAMESPACE, "--release", RELEASE, "-o", "json")
    found: Mapping[str, Any] = json.loads(told)
    return found


def _upgrade(platform: Platform, root: Path, *values: Path) -> None:
    chart = str(root / "charts" / "modelops")
    files = [word for file in values for word in ("--values", str(file))]
    platform.run("helm", "upgrade", RELEASE, chart, "--namespace", NAMESPACE, "--reset-values", *files)
    place = ("--namespace", NAMESPACE, "--release", RELEASE)
    _modelops(platform, root, "install", "wait", *place, "--timeout", f"{_BUILD_SECONDS}s")


def _modelops(platform: Platform, root: Path, *words: str) -> bytes:
    """The command line as it is installed here, told of the tree at `root` as the guide does it."""
    told = tuple(f"{name}={value}" for name, value in third_party.environment(root).items())
    return platform.run("env", *told, sys.executable, "-m", "scheduler", *words, limit_seconds=_BUILD_SECONDS + 60)


def test_both_images_were_made_by_the_installation(extended: Mapping[str, Any]) -> None:
    text = json.dumps(extended)

    for image in third_party.IMAGES:
        assert f"/modelops/{image}@sha256:" in text


def test_a_job_scores_through_it(extended: Mapping[str, Any], jobs: Jobs) -> None:
    jobs.give(SUMS, SUMS.source_of(recipes.rows(1000)))

    job = jobs.run(SUMS)

    assert job["state"] == JobState.SUCCEEDED.value, support.shown(job)
    assert job["cleanup"] == "CLEAN"
    scored = [json.loads(line) for line in jobs.files.get(SUMS.sink).splitlines()]
    assert len(scored) == 1000
    assert all(record["score"] == 2.5 * record["value"] - 1 for record in scored)


def test_a_file_that_is_no_model_ends_the_job_with_its_servers_words(extended: Mapping[str, Any], jobs: Jobs) -> None:
    jobs.give(BROKEN, BROKEN.source_of(recipes.rows(10)))

    job = jobs.run(BROKEN)

    assert (job["state"], job["reason"]) == (JobState.FAILED.value, "ModelCorrupt"), support.shown(job)
    assert "line 2" in job["message"]
