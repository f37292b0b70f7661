"""Programs run to their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler import command
from scheduler.errors import ProgramError, UnavailableError


def test_what_it_prints_comes_out() -> None:
    assert command.run(["cat"], stdin="hello", limit_seconds=10) == "hello"


def test_a_failure_comes_with_its_last_words() -> None:
    with pytest.raises(ProgramError, match=r"sh -c .* ended with 3:\nno such luck") as caught:
        command.run(["sh", "-c", "echo no such luck >&2; exit 3"], limit_seconds=10)
    assert caught.value.output == "no such luck"


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ProgramError, match="cannot start /no/such: No such file"):
        command.run(["/no/such"], limit_seconds=10)


def test_what_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    script = f"(sleep 1; touch {tmp_path}/late) & wait"
    with pytest.raises(UnavailableError, match="did not end within 0 seconds"):
        command.run(["sh", "-c", script], limit_seconds=0.2)
    with pytest.raises(UnavailableError):
        command.run(["sleep", "60"], limit_seconds=1.2)
    assert not (tmp_path / "late").exists()


def test_a_long_one_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_HEARTBEAT_SECONDS", 0.1)
    told: list[float] = []
    command.run(["sleep", "0.35"], limit_seconds=10, still=told.append)
    assert len(told) >= 2
    assert told == sorted(told)


def test_a_missing_program_comes_with_its_remedy() -> None:
    with pytest.raises(ProgramError, match=r"cannot start no-such-program: .*; install it"):
        command.run(["no-such-program"], limit_seconds=10)


def test_what_is_followed_is_told_line_by_line() -> None:
    told: list[str] = []
    command.follow(["sh", "-c", "echo one; echo two >&2; echo three"], limit_seconds=10, tell=told.append)
    assert told == ["one", "two", "three"]


def test_what_is_followed_and_fails_comes_with_its_last_words() -> None:
    with pytest.raises(ProgramError, match=r"ended with 3:\none\nno room") as caught:
        command.follow(["sh", "-c", "echo one; echo no room >&2; exit 3"], limit_seconds=10, tell=lambda _: None)
    assert caught.value.output == "one\nno room"


def test_what_is_followed_and_does_not_end_is_killed_with_its_children() -> None:
    with pytest.raises(UnavailableError, match=r"did not end within 0 seconds; it said:\nbegun"):
        command.follow(["sh", "-c", "echo begun; sleep 60 & wait"], limit_seconds=0.3, tell=lambda _: None)
