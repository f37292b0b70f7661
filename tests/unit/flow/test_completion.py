"""The termination message and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.flow import completion
from scheduler.flow.completion import Completion
from scheduler.model.job import Ledger, Reason


def test_a_success() -> None:
    end = Completion(reason=Reason.COMPLETED, ledger=Ledger(read=2, written=2), total=2, seconds=1.23456)
    assert json.loads(completion.to_json(end)) == {
        "outcome": "Succeeded",
        "reason": "Completed",
        "message": "",
        "ledger": {"read": 2, "written": 2, "deadLettered": 0, "dropped": 0, "filtered": 0, "split": 0, "folded": 0},
        "total": 2,
        "seconds": 1.235,
    }
    assert completion.exit_code(end) == 0


def test_a_drained_flow_is_a_success_when_it_has_a_result() -> None:
    drained = Completion(reason=Reason.DRAINED, is_published=True)
    assert json.loads(completion.to_json(drained))["outcome"] == "Succeeded"
    assert completion.exit_code(drained) == 0
    assert json.loads(completion.to_json(Completion(reason=Reason.DRAINED)))["outcome"] == "Failed"


@pytest.mark.parametrize("message", ["x" * 5000, 'ü\n"' * 2000, "\U0001f600" * 2000, "\ud800" * 900])
def test_a_long_message_is_cut(message: str) -> None:
    text = completion.to_json(Completion(reason=Reason.RECORD_FAILED, message=message, ledger=Ledger(read=10**12)))
    assert 900 < len(text) <= completion.MAX_BYTES
    assert json.loads(text)["message"].endswith("…")


@pytest.mark.parametrize(
    ("reason", "is_asked", "code"),
    [
        (Reason.RECORD_FAILED, False, 10),
        (Reason.SOURCE_DAMAGED, False, 10),
        (Reason.ACCOUNTING_MISMATCH, False, 10),
        (Reason.FLOW_REFUSED, False, 10),
        (Reason.DISK_FULL, False, 11),
        (Reason.READY_DEADLINE, False, 11),
        (Reason.DRAINED, False, 11),
        (Reason.DRAINED, True, 10),
        (Reason.FLOW_CRASHED, False, 1),
    ],
)
def test_exit_codes(reason: Reason, is_asked: bool, code: int) -> None:
    assert completion.exit_code(Completion(reason=reason, is_asked=is_asked)) == code


def test_no_place_for_the_message(tmp_path: Path) -> None:
    completion.write(Completion(reason=Reason.COMPLETED), tmp_path / "no" / "folder")
    completion.write(Completion(reason=Reason.COMPLETED), tmp_path / "log")
    assert json.loads((tmp_path / "log").read_text())["outcome"] == "Succeeded"
