"""JSON text as events (RFC 8259), because the standard library's parser keeps no lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from scheduler.ir import events
from scheduler.model.pipeline import Scalar

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_CONSTANTS: Final[tuple[tuple[str, Scalar, str], ...]] = (
    ("null", None, ""),
    ("true", True, ""),
    ("false", False, ""),
    ("NaN", None, events.NOT_FINITE),
    ("Infinity", None, events.NOT_FINITE),
    ("-Infinity", None, events.NOT_FINITE),
)


class _Json:
    """A cursor over JSON text that knows its line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1

    def advance(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        space = _SPACE.match(self.text, self.at)
        self.advance(space.end() if space else self.at)
        return self.text[self.at : self.at + 1]

    def expect(self, character: str, where: str) -> None:
        if self.peek() != character:
            raise events.SyntaxFault(f"not valid JSON: a '{character}' is missing {where}", line=self.line)
        self.advance(self.at + 1)

    def string(self) -> events.Value:
        line = self.line
        try:
            value, end = json.decoder.scanstring(self.text, self.at + 1, True)  # type: ignore[attr-defined]  # noqa: FBT003
        except json.JSONDecodeError as error:
            raise events.SyntaxFault(f"not valid JSON: {error.msg.lower()}", line=error.lineno) from error
        self.advance(end)
        return events.Value(line, value, None, "" if events.is_unicode(value) else events.NOT_UNICODE)

    def scalar(self) -> events.Value:
        if self.text[self.at] == '"':
            return self.string()
        for name, value, fault in _CONSTANTS:
            if self.text.startswith(name, self.at):
                self.advance(self.at + len(name))
                return events.Value(self.line, value, None, fault)
        number = _NUMBER.match(self.text, self.at)
        if number is None:
            raise events.SyntaxFault("not valid JSON: a value is missing or misspelt here", line=self.line)
        self.advance(number.end())
        return (events.real if number[1] or number[2] else events.integer)(number[0], self.line)


def parse(text: str) -> Iterator[events.Event]:
    """Events of one JSON text (RFC 8259); events.SyntaxFault where it is not JSON."""
    cursor = _Json(text)
    closing: list[str] = []
    fresh = False  # just after an opening bracket
    yield events.StartDocument(1)
    while True:
        character = cursor.peek()
        if not character:
            raise events.SyntaxFault("not valid JSON: the text ends too early", line=cursor.line)
        if closing and character == closing[-1] and fresh:
            fresh = False
            yield from _closed(cursor, closing)
        else:
            if closing and closing[-1] == "}":
                yield _key(cursor)
                character = cursor.peek()
            fresh = character in {"{", "["}
            if fresh:
                closing.append("}" if character == "{" else "]")
                cursor.advance(cursor.at + 1)
                yield events.StartMapping(cursor.line) if character == "{" else events.StartList(cursor.line)
                continue
            yield cursor.scalar() if character else _ended(cursor)
        yield from _after_value(cursor, closing)
        if not closing:
            break
    if cursor.peek():
        raise events.SyntaxFault(
            "not valid JSON: more text after the end; several documents go into one list", line=cursor.line
        )


def _ended(cursor: _Json) -> events.Value:
    raise events.SyntaxFault("not valid JSON: the text ends too early", line=cursor.line)


def _key(cursor: _Json) -> events.Value:
    if cursor.peek() != '"':
        raise events.SyntaxFault("not valid JSON: a key in double quotes is missing here", line=cursor.line)
    key = cursor.string()
    cursor.expect(":", "after the key")
    return key


def _closed(cursor: _Json, closing: list[str]) -> Iterator[events.Event]:
    cursor.advance(cursor.at + 1)
    closing.pop()
    yield events.End(cursor.line)


def _after_value(cursor: _Json, closing: list[str]) -> Iterator[events.Event]:
    """Close whatever ends after a value, up to the comma before the next one."""
    while closing:
        character = cursor.peek()
        if character == ",":
            cursor.advance(cursor.at + 1)
            return
        if character != closing[-1]:
            raise events.SyntaxFault(f"not valid JSON: a ',' or '{closing[-1]}' is missing here", line=cursor.line)
        yield from _closed(cursor, closing)
