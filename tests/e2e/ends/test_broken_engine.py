"""A platform whose flow runner has an engine that was broken on purpose. Runs last: it restarts both servers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from scheduler.client.scheduling import JobJson
from scheduler.demo.installation import Platform
from tests.e2e import recipes
from tests.e2e.deployed import Deployed
from tests.e2e.ends import ledgers, verdict
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs
from tests.flow import broken

pytestmark = [pytest.mark.e2e, pytest.mark.runs_last, pytest.mark.timeout(900)]

IMAGE: Final = "streaming-runtime"
FAULTS: Final = {"batch-lost": "lose-batch", "batch-doubled": "double-batch", "counter-wrong": "miscount-written"}
"""Row of the table -> name of the step that asks for the fault."""
CHECKED: Final = {
    "batch-lost-before-a-test-sink": "lose-batch",
    "batch-doubled-before-a-test-sink": "double-batch",
    "records-out-of-order": "swap-records",
}
"""Likewise, of jobs whose sink is a test sink."""
RECIPES: Final = {
    row: Recipe(name=row, steps=({"name": fault, "map": "root = this"}, recipes.SCORE), is_checked=row in CHECKED)
    for row, fault in {**FAULTS, **CHECKED}.items()
}


@pytest.fixture(scope="module")
def image(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The flow runner's image with a broken engine in it; nothing else differs."""
    folder = tmp_path_factory.mktemp("broken")
    broken.build(folder)
    command = [sys.executable, "-m", "scheduler", "images", "build", "--registry", platform.registry, "--only", IMAGE]
    command += ["--pull-registry", platform.registry_pull, "--base", platform.base_image]
    command += ["--binaries", str(folder), "--binaries", str(platform.programs), "-o", "json"]
    made: Mapping[str, str] = json.loads(platform.run(*command, limit_seconds=600))
    return made[IMAGE]


@pytest.fixture(scope="module")
def ended(deployed: Deployed, jobs: Jobs, image: str) -> Iterator[Mapping[str, JobJson]]:
    """Row -> its finished job."""
    for recipe in RECIPES.values():
        jobs.give(recipe, recipe.source_of(recipes.rows(ledgers.ALL)))
    with deployed.changed(f"global.images.{IMAGE}={image}"):
        yield jobs.run_all(RECIPES)


@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.end(row)) for row in RECIPES])
def test_a_job_whose_records_are_not_accounted_for_publishes_nothing(
    jobs: Jobs, ended: Mapping[str, JobJson], end: End, row: str
) -> None:
    verdict.assert_ended(jobs, ended[row], end, recipe=RECIPES[row])
