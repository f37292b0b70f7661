"""Values as they are written into texts, and where in a Bloblang text a value may stand."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from scheduler.model.pipeline import Scalar

INT64: Final = range(-(2**63), 2**63)
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def bloblang(value: Scalar) -> str:
    """`value` as a JSON literal that Bloblang reads as the same value and as nothing else.

    Narrower than JSON where Bloblang is: numbers have no exponent, characters beyond ASCII stand as themselves (it
    knows no surrogate pairs), and `${` never appears (Bento would look it up in its environment before it parses).
    Raises ValueError, in the reader's words, for what cannot be written so.

    >>> bloblang('" + env("HOME")'), bloblang(1e-7), bloblang("${HOME}"), bloblang(None)
    ('"\\\\" + env(\\\\"HOME\\\\")"', '0.0000001', '"\\\\u0024{HOME}"', 'null')
    """
    if isinstance(value, str):
        return json.dumps(_utf8(value), ensure_ascii=False).replace("${", "\\u0024{")
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else json.dumps(value)


def plain(value: Scalar) -> str:
    """`value` inside a longer text: strings as they are, the others as JSON writes them; null is refused.

    >>> plain(True), plain(0.5), plain("a b")
    ('true', '0.5', 'a b')
    """
    if value is None:
        raise ValueError("has no value (null), which cannot stand inside a longer text")
    if isinstance(value, str):
        return _utf8(value)
    return json.dumps(value) if isinstance(value, bool) else number(value)


def number(value: float) -> str:
    """A number without exponent; a float keeps its point, so that it stays a float.

    >>> number(1e22), number(-3), number(2.0)
    ('10000000000000000000000.0', '-3', '2.0')
    """
    if isinstance(value, int):
        if value not in INT64:
            raise ValueError(f"is {value:.3e}, which does not fit into 64 bits")
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"is {value}, which is no finite number")
    text = format(Decimal(repr(value)), "f")
    return text if "." in text else f"{text}.0"


def misplaced(parts: Iterable[str | None]) -> str:
    """Why an expression may not stand where it does in a Bloblang text; empty when each stands for a whole value.

    `parts` are the text's pieces in order, None for each expression. A value inside a string would end that string at
    its own first quote, and the rest of it would be code.
    """
    state, previous = "", ""
    for part in parts:
        if part is None:
            if state in {'"', '"""'}:
                return 'stands inside a string; write the string as `"…" + {{ … }}` instead'
            if previous in _WORD:
                return "is glued to the word before it; an expression stands for a whole value"
            previous = "}"
        elif part:
            if previous == "}" and not state and part[0] in _WORD:
                return "is glued to the word after it; an expression stands for a whole value"
            state, previous = _scan(part, state), part[-1]
    return ""


def _scan(text: str, state: str) -> str:
    """The state after `text`: `""` code, `"` string, `\"\"\"` raw string, `#` comment."""
    at = 0
    while at < len(text):
        if state == "#":
            end = text.find("\n", at)
            state, at = ("", end + 1) if end >= 0 else ("#", len(text))
        elif state == '"""':
            end = text.find('"""', at)
            state, at = ("", end + 3) if end >= 0 else ('"""', len(text))
        elif state == '"':
            state = "" if text[at] == '"' else '"'  # a line end does not end it: Bento refuses the whole text then
            at += 2 if text[at] == "\\" else 1
        elif text.startswith('"""', at):
            state, at = '"""', at + 3
        else:
            state = text[at] if text[at] in '"#' else ""
            at += 1
    return state


def _utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate), which is no text") from None
    return text
