"""A pytest plugin that tells which rows of the table of ends each collected test names.

Loaded by the consistency test in a process of its own; the variable `END_MARKS` holds the file that it writes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

VARIABLE = "END_MARKS"


def pytest_collection_finish(session: pytest.Session) -> None:
    named = {
        item.nodeid: [id_ for mark in item.iter_markers("end") for id_ in mark.args]
        for item in session.items
        if "/ends/" in item.nodeid or item.get_closest_marker("end")
    }
    Path(os.environ[VARIABLE]).write_text(json.dumps(named))
