"""What the parsers of YAML and of JSON hand on: events with their lines, before anything is counted or put together."""

from __future__ import annotations

import math
from typing import Final, NamedTuple, TypeAlias

from scheduler.model.pipeline import Scalar


class SyntaxFault(Exception):  # noqa: N818 - not an error of ours: `read` makes a Problem of it
    """The text cannot be read beyond `line`."""

    def __init__(self, message: str, *, line: int) -> None:
        self.line = line
        super().__init__(message)


class StartDocument(NamedTuple):
    line: int


class StartMapping(NamedTuple):
    line: int
    anchor: str | None = None
    fault: str = ""


class StartList(NamedTuple):
    line: int
    anchor: str | None = None
    fault: str = ""


class End(NamedTuple):
    """Of the innermost mapping or list."""

    line: int


class Value(NamedTuple):
    """A scalar; a fault tells why it has no value."""

    line: int
    value: Scalar
    anchor: str | None = None
    fault: str = ""


class Alias(NamedTuple):
    line: int
    anchor: str


Event: TypeAlias = StartDocument | StartMapping | StartList | End | Value | Alias

TAGS: Final = "tags ('!…') are not accepted; quote the value if it is text"
NOT_FINITE: Final = "NaN and infinity are not accepted: the value must be a finite number"
TOO_BIG: Final = "the number does not fit into 64 bits; quote it if it is text"
NOT_UNICODE: Final = "the text is not valid Unicode (half of a surrogate pair)"


def integer(text: str, line: int, anchor: str | None = None) -> Value:
    number = int(text) if len(text) <= 20 else 1 << 64
    fits = -(1 << 63) <= number < (1 << 63)
    return Value(line, number, anchor) if fits else Value(line, None, anchor, TOO_BIG)


def real(text: str, line: int, anchor: str | None = None) -> Value:
    number = float(text)
    return Value(line, number, anchor) if math.isfinite(number) else Value(line, None, anchor, TOO_BIG)


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8, that is holds no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
