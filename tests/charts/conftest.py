from __future__ import annotations

import pytest

from scheduler.model.types import Manifest
from tests.charts import render


@pytest.fixture(name="minimal", scope="session")
def least() -> tuple[Manifest, ...]:
    return render.both(render.ci_values(render.PLATFORM, "minimal"))


@pytest.fixture(name="full", scope="session")
def most() -> tuple[Manifest, ...]:
    return render.both(render.ci_values(render.PLATFORM, "everything"))
