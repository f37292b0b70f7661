"""The child process that lints: what it is given, what it may take, and what becomes of its answer."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from scheduler.errors import ProgramError, UnavailableError
from scheduler.lint import bento
from scheduler.lint.bento import BentoLint


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "bento"


def write(program: Path, script: str) -> BentoLint:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return BentoLint(str(program))


def test_no_program() -> None:
    with pytest.raises(UnavailableError, match="no program '/no/such/bento'"):
        BentoLint("/no/such/bento").check("a: 1")


def test_the_environment_is_empty(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "canary")
    lint = write(program, r"""tr '\0' '\n' < /proc/$$/environ | grep -q canary && exit 9; cat > /dev/null; echo '[]'""")
    assert lint.check("a: 1") == ()


def test_limits_hold_before_a_word_is_read(program: Path) -> None:
    lint = write(program, "read line; { ulimit -v; ulimit -t; ulimit -f; } >&2; exit 9")
    with pytest.raises(ProgramError, match="ended with code 9") as caught:
        lint.check("a: 1\n")
    assert caught.value.output.split() == [str(bento.MEMORY_BYTES // 1024), str(bento.CPU_SECONDS), "0"]


def test_an_answer_is_kept_by_digest(program: Path) -> None:
    lint = write(program, f"cat > /dev/null; echo x >&2; test -e {program}.2 && exit 9; echo '[]'")
    assert lint.check("a: 1") == ()
    program.with_name("bento.2").touch()
    assert lint.check("a: 1") == ()
    with pytest.raises(ProgramError):
        lint.check("a: 2")


@pytest.mark.parametrize(
    "answer", ["echo '[]'; exit 1", "echo '[{}]'; exit 0", "echo nonsense", "exit 2", "kill -9 $$"]
)
def test_an_answer_that_contradicts_itself(program: Path, answer: str) -> None:
    lint = write(program, f"cat > /dev/null; {answer}")
    with pytest.raises(ProgramError):
        lint.check("a: 1")


def test_no_answer(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bento, "WALL_SECONDS", 0.3)
    lint = write(program, "cat > /dev/null; exec sleep 30")
    with pytest.raises(ProgramError, match="no answer within"):
        lint.check("a: 1")


def test_problems_are_placed(program: Path) -> None:
    lint = write(program, """cat > /dev/null; echo '[{"line": 4, "column": 3, "message": "bad"}]'; exit 1""")
    text = "pipeline:\n  processors:\n    - modelops_map:\n        mapping: x\n        step: f.s\n"
    (problem,) = lint.check(text)
    assert (problem.message, problem.line) == ("step 'f.s': bad", 4)
    assert problem.pointer == "/pipeline/processors/0/modelops_map/mapping"
