"""Fuzz target: any text with `{{ }}` becomes a scalar, or problems; in Bloblang every value is one literal."""

from __future__ import annotations

import json
import sys
import time
from typing import Final

import atheris

with atheris.instrument_imports(include=["scheduler.expressions", "scheduler.literals", "jinja2"]):
    from scheduler import expressions, literals
    from scheduler.errors import InvalidInputError

MOST_SECONDS: Final = 1.0
CANARY: Final = "canary-4711"
"""Not in the scope: nothing that an expression makes may hold it."""
SECRET: Final = {"password": CANARY}


def one_input(data: bytes) -> None:
    given = atheris.FuzzedDataProvider(data)
    value = given.ConsumeUnicode(40)
    number = given.ConsumeInt(8)
    text = given.ConsumeUnicodeNoSurrogates(atheris.ALL_REMAINING)
    scope = {"parameters": {"text": value, "number": number, "flag": True, "none": None}, "globals": {"rate": 0.5}}
    began = time.process_time()
    for apply in (expressions.apply_text, expressions.apply_bloblang):
        try:
            result = apply(text, scope)
        except InvalidInputError as error:
            if not error.problems:
                raise AssertionError("refused without a problem") from error
            continue
        if not isinstance(result, str | int | float | bool | None):
            raise AssertionError(f"a {type(result).__name__}")
        if CANARY in str(result) and CANARY not in text and CANARY not in value:
            raise AssertionError("an expression reached out of its scope")
        if isinstance(result, str) and len(result) > max(expressions.MAX_RESULT, len(text)):
            raise AssertionError(f"{len(result)} characters of {len(text)}")
    _check_literal(value)
    _check_literal(number)
    if (spent := time.process_time() - began) > MOST_SECONDS:
        raise AssertionError(f"{spent:.1f} s for {len(data)} bytes")


def _check_literal(value: str | int) -> None:
    """Alone, a value is JSON that reads back as itself, without `${` for Bento to look up."""
    scope = {"parameters": {"value": value}}
    try:
        written = expressions.apply_bloblang("root.a = {{ parameters.value }}", scope)
    except InvalidInputError:
        return
    literal = written.removeprefix("root.a = ")
    if json.loads(literal) != value or "${" in literal or "\n" in literal or literal != literals.bloblang(value):
        raise AssertionError(f"{value!r} became {literal!r}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
