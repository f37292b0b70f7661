"""The jobs of the table of ends, as far as the tests that were asked for look at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.ends.cases import CASES
from tests.e2e.ends.running import Running
from tests.e2e.support import Jobs


@pytest.fixture(scope="session")
def ended(request: pytest.FixtureRequest, jobs: Jobs) -> Iterator[Running]:
    marks = [mark for item in request.session.items for mark in item.iter_markers("end")]
    wanted = {id_ for mark in marks for id_ in (*mark.args, *mark.kwargs.get("jobs", ()))}
    with Running(jobs, {id_: case for id_, case in CASES.items() if id_ in wanted}) as running:
        yield running
