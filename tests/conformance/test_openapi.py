"""Both servers answer whatever their OpenAPI documents allow as those documents say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.conformance import openapi, servers

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]

EXAMPLES: Final = 10
SEED: Final = 20261121
LIMIT_SECONDS: Final = 500


def test_the_scheduling_server_is_what_its_document_says(tmp_path: Path) -> None:
    with servers.scheduling() as served:
        tried = openapi.check(
            served.url, served.token, examples=EXAMPLES, seed=SEED, folder=tmp_path, limit_seconds=LIMIT_SECONDS
        )
    assert tried > 300


def test_the_modelops_server_is_what_its_document_says(tmp_path: Path) -> None:
    with servers.modelops(tmp_path / "data") as served:
        tried = openapi.check(
            served.url, served.token, examples=EXAMPLES, seed=SEED, folder=tmp_path, limit_seconds=LIMIT_SECONDS
        )
    assert tried > 200
