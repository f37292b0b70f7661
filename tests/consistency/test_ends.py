"""The table of ends, the tests that stand for its rows, and the document that is printed from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from scheduler import assets
from tests.consistency import end_marks, ends
from tests.e2e.ends import table


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Of each test in `tests/e2e/ends`, and of each other one that has the mark: the rows that it stands for."""
    found = tmp_path_factory.mktemp("ends") / "marks.json"
    options = ("--collect-only", "-qq", "-p", "no:cacheprovider", "-p", end_marks.__name__)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/e2e", *options],
        cwd=assets.root(),
        env={**os.environ, end_marks.VARIABLE: str(found), "PYTHONPATH": str(assets.root())},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    marks: Mapping[str, list[str]] = json.loads(Path(found).read_text())
    return marks


def test_every_row_has_a_test(named: Mapping[str, list[str]]) -> None:
    assert set(table.ENDS) - {id_ for ids in named.values() for id_ in ids} == set()


def test_every_test_of_an_end_has_a_row(named: Mapping[str, list[str]]) -> None:
    assert {test: ids for test, ids in named.items() if not ids or set(ids) - set(table.ENDS)} == {}


def test_no_two_rows_have_one_id_or_title() -> None:
    rows = [end for section in table.SECTIONS for end in section.ends]
    counted = Counter([end.id for end in rows] + [end.title for end in rows])
    assert {name: count for name, count in counted.items() if count > 1} == {}


def test_no_row_contradicts_itself() -> None:
    assert [complaint for end in table.ENDS.values() for complaint in end.complaints()] == []


def test_the_document_is_what_the_table_says() -> None:
    assert ends.FILE.read_text() == ends.text()
