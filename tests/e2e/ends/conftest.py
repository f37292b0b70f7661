"""The jobs of the table of ends, as far as the tests that were asked for look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.ends import small_volume
from tests.e2e.ends.cases import CASES
from tests.e2e.ends.running import Running
from tests.e2e.support import Jobs


@pytest.fixture(scope="session")
def small(jobs: Jobs) -> Iterator[Path]:
    """The folder behind the volume that is full after a few kilobytes."""
    with small_volume.present(jobs.platform) as folder:
        yield folder


@pytest.fixture(scope="session", autouse=True)
def ended(request: pytest.FixtureRequest, jobs: Jobs) -> Iterator[Running]:
    """They begin with the first test of this folder, so that those which need no job do not keep them waiting."""
    marks = [mark for item in request.session.items for mark in item.iter_markers("end")]
    wanted = {id_ for mark in marks for id_ in (*mark.args, *mark.kwargs.get("jobs", ()))}
    if "disk-full" in wanted:
        request.getfixturevalue("small")
    with Running(jobs, {id_: case for id_, case in CASES.items() if id_ in wanted}) as running:
        yield running
