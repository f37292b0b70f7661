"""A platform that names an image which no registry has. Runs last: it restarts both servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import recipes
from tests.e2e.deployed import Deployed
from tests.e2e.ends import verdict
from tests.e2e.ends.end import End
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.runs_last, pytest.mark.timeout(600)]


@pytest.fixture
def absent(deployed: Deployed) -> Iterator[str]:
    """The image of a scoring server that is not there, while the platform believes in it."""
    image = f"{deployed.platform.registry_pull}/modelops/scoring-server-python@sha256:{'0' * 64}"
    with deployed.changed(f"global.images.scoring-server-python={image}"):
        yield image


@pytest.mark.end("image-missing")
def test_an_image_that_is_not_there_ends_the_job_early(jobs: Jobs, absent: str, end: End) -> None:
    recipe = Recipe(name="no-image")
    jobs.give(recipe, recipe.source_of(recipes.rows(10)))
    verdict.assert_ended(jobs, jobs.run(recipe), end, recipe=recipe, image=absent)
