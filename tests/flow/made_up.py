"""The records of a test source in plain Python, written from docs/test-data.md alone."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_MASK: Final = 2**64 - 1
_AWKWARD: Final = ("", 'say "hello"', "a, b; c", "two\nlines", " spaces ", "Straße", "漢字 😀", "null")


def _mix(z: int) -> int:
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
    return z ^ z >> 31


class _Draws:
    def __init__(self, begin: int) -> None:
        self._state = _mix(begin & _MASK)

    def next(self) -> int:
        self._state = self._state + 0x9E3779B97F4A7C15 & _MASK
        return _mix(self._state)

    def below(self, limit: int) -> int:
        return self.next() % limit

    def share(self) -> float:
        return (self.next() >> 11) / 2**53


def is_bad(number: int, *, seed: int, bad_share: float) -> bool:
    return _Draws(~_mix(seed) + number).share() < bad_share


def record(schema: Mapping[str, Any], number: int, *, seed: int) -> dict[str, Any]:
    """The good record with this number; `schema` is the `spec` of a RecordSchema document."""
    return _object(_Draws(_mix(seed) + number), schema)


def text(schema: Mapping[str, Any], number: int, *, seed: int, bad_share: float) -> str:
    """The line that stands for it; a bad one as it is spoilt. Numbers and spaces are as JSON likes them."""
    draws = _Draws(~_mix(seed) + number)
    good = json.dumps(record(schema, number, seed=seed), ensure_ascii=False, separators=(",", ":"))
    if draws.share() >= bad_share:
        return good
    how = draws.below(3)
    if how == 0:
        return good[:-1]
    if how == 1:
        return f"[{number}]"
    wrong: dict[str, object] = {
        name: 7 if field["type"] == "object" else {} for name, field in schema["properties"].items()
    }
    return json.dumps(wrong, separators=(",", ":"))


def _object(draws: _Draws, schema: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    made: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if name in required or draws.below(8) > 0:
            made[name] = _value(draws, field)
    return made


def _value(draws: _Draws, field: Mapping[str, Any]) -> Any:
    if field.get("nullable") and draws.below(8) == 0:
        return None
    return _VALUES[field["type"], field.get("format")](draws, field)


def _small(draws: _Draws) -> int:
    return draws.below(2_000_001) - 1_000_000


def _integer(draws: _Draws, bits: int) -> int:
    if draws.below(16) > 0:
        return _small(draws)
    found = draws.next() >> 64 - bits
    return found - 2**bits if found >= 2 ** (bits - 1) else found


def _double(draws: _Draws) -> float:
    return _small(draws) / 1000 if draws.below(16) > 0 else 2 * draws.share() - 1


def _text(draws: _Draws) -> str:
    if draws.below(16) == 0:
        return _AWKWARD[draws.below(8)]
    return "".join(chr(ord("a") + draws.below(26)) for _ in range(1 + draws.below(12)))


def _bytes(draws: _Draws) -> str:
    return base64.b64encode(bytes(draws.below(256) for _ in range(draws.below(13)))).decode()


def _date(draws: _Draws) -> str:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=draws.below(47_482))).isoformat()


def _time(draws: _Draws) -> str:
    begin = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    return (begin + datetime.timedelta(seconds=draws.below(946_684_800))).strftime("%Y-%m-%dT%H:%M:%SZ")


def _items(draws: _Draws, items: Mapping[str, Any]) -> Iterator[Any]:
    for _ in range(draws.below(4)):
        yield _value(draws, items)


_VALUES: Final[Mapping[tuple[str, str | None], Any]] = {
    ("boolean", None): lambda draws, _: draws.below(2) == 1,
    ("integer", None): lambda draws, _: _integer(draws, 64),
    ("integer", "int64"): lambda draws, _: _integer(draws, 64),
    ("integer", "int32"): lambda draws, _: _integer(draws, 32),
    ("number", "float"): lambda draws, _: _small(draws) / 8,
    ("number", None): lambda draws, _: _double(draws),
    ("number", "double"): lambda draws, _: _double(draws),
    ("string", None): lambda draws, _: _text(draws),
    ("string", "byte"): lambda draws, _: _bytes(draws),
    ("string", "date"): lambda draws, _: _date(draws),
    ("string", "date-time"): lambda draws, _: _time(draws),
    ("array", None): lambda draws, field: list(_items(draws, field["items"])),
    ("object", None): _object,
}
