"""Programs run to their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.devcluster import command
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
