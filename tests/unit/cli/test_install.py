"""What `modelops install wait` tells."""

from __future__ import annotations

from scheduler.cli import exit_codes, install
from scheduler.installation.view import Installation, Progress, Step


def _installation(*steps: Step, run: str = "a-1") -> Installation:
    return Installation(run=run, platform="a", state=Progress.RUNNING, reason="", steps=steps)


def test_a_step_is_told_when_its_state_changes() -> None:
    before = _installation(Step(name="bento", state="running", seconds=1), Step(name="deploy", state="waiting"))
    after = _installation(Step(name="bento", state="built", seconds=9), Step(name="deploy", state="waiting"))

    assert list(install.changes(None, before)) == ["installation a-1", "bento: running"]
    assert list(install.changes(before, before)) == []
    assert list(install.changes(before, after)) == ["bento: built (9 s)"]


def test_a_step_that_cannot_begin_is_told_once() -> None:
    before = _installation(Step(name="bento", state="waiting"))
    blocked = _installation(Step(name="bento", state="waiting", reason="no room: 1"))
    still = _installation(Step(name="bento", state="waiting", reason="no room: 2"))

    assert list(install.changes(before, blocked)) == ["bento: waiting: no room: 1"]
    assert list(install.changes(blocked, still)) == []


def test_another_run_is_told_from_its_beginning() -> None:
    failed = _installation(Step(name="bento", state="failed", seconds=2, reason="why"), run="a-2")

    assert list(install.changes(_installation(), failed)) == ["installation a-2", "bento: failed (2 s): why"]


def test_every_end_has_an_exit_code_and_only_success_has_none() -> None:
    ends = {state for state in Progress if state.is_final}
    assert set(exit_codes.OF_INSTALLATION) == ends
    assert [state for state in ends if not exit_codes.OF_INSTALLATION[state]] == [Progress.SUCCEEDED]
