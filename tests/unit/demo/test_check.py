"""The demonstration complains of whatever is wrong with a job, and ends with 1 then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from scheduler.demo import __main__ as demo
from scheduler.demo import check
from scheduler.errors import ProgramError

RECORDS: Final = {"read": 10, "written": 8, "filtered": 2, "deadLettered": 0, "dropped": 0, "split": 0, "folded": 0}
JOB: Final = {"state": "SUCCEEDED", "cleanup": "CLEAN", "message": "", "records": {**RECORDS, "perSecond": 5.0}}
COUNTED: Final = {"right": True, "read": 10, "written": 8, "filtered": 2}


def test_nothing_is_said_of_a_job_that_did_what_it_should() -> None:
    assert check.complaints(JOB, COUNTED, []) == []


@pytest.mark.parametrize(
    ("job", "counted", "left", "says"),
    [
        ({"state": "FAILED", "message": "no such file"}, {}, [], "the job is FAILED, CLEAN: no such file"),
        ({"cleanup": "LEAKED"}, {}, [], "the job is SUCCEEDED, LEAKED"),
        ({"records": None}, {}, [], "read: the job says None, the files say 10"),
        ({}, {"written": 7}, [], "written: the job says 8, the files say 7"),
        ({}, {"filtered": 3}, [], "filtered: the job says 2, the files say 3"),
        ({"records": {**RECORDS, "deadLettered": 1}}, {}, [], "records went where none should go: {'deadLettered': 1}"),
        ({}, {"right": False}, [], "the files are not right"),
        ({}, {}, ["Pod/x"], "left in the cluster: Pod/x"),
    ],
)
def test_each_disagreement_is_told(
    job: Mapping[str, Any], counted: Mapping[str, Any], left: list[str], says: str
) -> None:
    found = check.complaints({**JOB, **job}, {**COUNTED, **counted}, left)
    assert any(complaint.startswith(says) for complaint in found), found


def test_the_exit_code_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> list[str]:
        raise ProgramError("helm ended with 1")

    codes = []
    for run in (list, lambda: ["pmml: left in the cluster: Pod/x"], stopped):
        monkeypatch.setattr(demo, "_run", run)
        codes.append(demo.main())
    assert codes == [0, 1, 1]
