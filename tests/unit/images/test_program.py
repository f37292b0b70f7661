import sys

import pytest

from scheduler.errors import ProgramError, UnavailableError
from scheduler.images import program


def _python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_program_that_ends_well_hands_over_its_words() -> None:
    assert program.run(_python("print('done')"), limit_seconds=20) == "done\n"


def test_a_program_that_fails_is_an_error_with_its_last_words() -> None:
    with pytest.raises(ProgramError, match="ended with 3: no room") as raised:
        program.run(_python("import sys; print('no room', file=sys.stderr); sys.exit(3)"), limit_seconds=20)
    assert raised.value.output == "no room"


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ProgramError, match=r"cannot start no-such-program: .*; install it"):
        program.run(["no-such-program"], limit_seconds=20)


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(UnavailableError, match="did not end within"):
        program.run(_python("import time; time.sleep(60)"), limit_seconds=0.2)
