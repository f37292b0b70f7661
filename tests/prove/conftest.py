"""Proofs: what is too long for `make test`. `make prove` runs them, on the platform that end-to-end tests use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

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
    pytest_runtest_makereport,
    store,
)

_HERE: Final = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark everything here as a proof; without `-m prove` it is deselected."""
    proofs = [item for item in items if item.path.is_relative_to(_HERE)]
    for item in proofs:
        item.add_marker(pytest.mark.prove)
    if "prove" not in config.option.markexpr:
        config.hook.pytest_deselected(items=proofs)
        items[:] = [item for item in items if item not in proofs]
