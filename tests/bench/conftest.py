"""Benches: with MODELOPS_BENCH=full they measure and write `docs/benchmarks.md`; otherwise they are small tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.bench import record
from tests.bench.record import Bench
from tests.e2e.conftest import (  # noqa: F401 - fixtures
    _forget_jobs,
    client,
    cluster,
    deployed,
    files,
    jobs,
    login,
    platform,
    pod_logs,
    store,
)

IS_FULL = os.environ.get("MODELOPS_BENCH") == "full"


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Takes the figures of one bench; they are written only when its answers were right."""
    failures = request.session.testsfailed
    found = Bench(is_full=IS_FULL)
    yield found
    assert found.title, "the bench does not say what it measures"
    if IS_FULL and request.session.testsfailed == failures:
        record.write(found)
