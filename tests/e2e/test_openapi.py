"""The servers as they are deployed, behind their Services and with real tokens, are what their documents say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from scheduler.cli.configuration import Login
from tests.conformance import openapi

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SEED: Final = 20261121
PHASES: Final = "examples,fuzzing"
"""Without `stateful`: it would cancel other tests' jobs; `coverage` is for the servers on fakes."""


@pytest.mark.parametrize("server", ["scheduling", "modelops"])
def test_a_deployed_server_is_what_its_document_says(login: Login, tmp_path: Path, server: str) -> None:
    url = login.url if server == "scheduling" else login.server_url
    tried = openapi.check(url, login.token, examples=2, seed=SEED, folder=tmp_path, limit_seconds=240, phases=PHASES)
    assert tried >= 15
