"""A platform that names an image which no registry has. Runs last: it restarts both servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import pytest

from scheduler.model.job import JobState, Reason
from tests.e2e import recipes
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.runs_last, pytest.mark.timeout(600)]

LIMIT_SECONDS: Final = 120
"""From the order to the job's end."""


@pytest.fixture
def absent(deployed: Deployed) -> Iterator[str]:
    """The image of a scoring server that is not there, while the platform believes in it."""
    image = f"{deployed.platform.registry_pull}/modelops/scoring-server-python@sha256:{'0' * 64}"
    with deployed.changed(f"global.images.scoring-server-python={image}"):
        yield image


def test_an_image_that_is_not_there_ends_the_job_early(jobs: Jobs, absent: str) -> None:
    recipe = Recipe(name="no-image")
    jobs.give(recipe, recipe.source_of(recipes.rows(10)))

    asked = time.monotonic()
    job = jobs.run(recipe)

    assert time.monotonic() - asked < LIMIT_SECONDS
    words = (f"image {absent} cannot be pulled", "container")
    jobs.assert_ended(job, state=JobState.FAILED, reason=Reason.IMAGE_MISSING, task="wait", words=words)
    assert jobs.published(recipe) == set()
