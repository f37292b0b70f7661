"""The reader's words: values quoted short, kinds of value by their everyday names, names that were probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_LONGEST: Final = 60
_MANY: Final = 100
"""Beyond so many candidates only those that begin alike are compared: n unknown names among n known ones stay cheap."""

_LISTED: Final = 20

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


def close(word: str, names: Iterable[str]) -> list[str]:
    """The names that `word` was probably meant to be, nearest first; perhaps none."""
    if len(word) > _LONGEST:
        return []
    known = list(names)
    if len(known) > _MANY:
        known = [name for name in known if name[:2] == word[:2]][:_MANY]
    return difflib.get_close_matches(word, known, n=3, cutoff=0.6)


def nearest_first(word: object, names: Iterable[str]) -> Sequence[str]:
    """At most 20 of the names, those that `word` was probably meant to be in front."""
    known = list(names)
    near = close(word, known) if isinstance(word, str) else []
    return [*near, *(name for name in known[:_LISTED] if name not in near)][:_LISTED]
