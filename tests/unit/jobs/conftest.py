from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.jobs.scenes import Scene, made


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = made(tmp_path)
    found.world.board.mirror.start()
    yield found
    found.world.board.mirror.stop()
