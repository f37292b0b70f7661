"""The reader's words: values quoted short, kinds of value by their everyday names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_LONGEST: Final = 60

_NAMES: Final[Mapping[str, str]] = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "empty",
}


def type_name(json_type: str) -> str:
    return _NAMES.get(json_type, json_type)


def shown(value: object) -> str:
    """A value as it can stand in a message: scalars quoted and short, mappings and lists by kind only."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "empty"
        case str():
            text = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
            return "'" + text.encode("unicode_escape").decode("ascii") + "'" if not text.isprintable() else f"'{text}'"
        case int() | float():
            return str(value)
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def either(names: Iterable[str], *, last: str = "or") -> str:
    """`'a'`, `'a' or 'b'`, `'a', 'b' or 'c'`."""
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
