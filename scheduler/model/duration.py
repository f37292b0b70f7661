"""Durations as people write them: `50ms`, `5m`, `1h30m`."""

from __future__ import annotations

import re
from typing import Final

_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_WHOLE: Final = re.compile(r"(?:[0-9]{1,9}(?:ms|s|m|h|d)){1,5}")


def milliseconds(text: str) -> int:
    """How many milliseconds `text` stands for; ValueError, in the reader's words, when it is not a duration.

    >>> milliseconds("1h30m"), milliseconds("50ms")
    (5400000, 50)
    """
    if _WHOLE.fullmatch(text) is None:
        raise ValueError("a duration is a whole number and its unit (ms, s, m, h, d), such as '30s', '5m' or '1h30m'")
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text))


def seconds(text: str) -> int:
    """Like `milliseconds`, for deadlines: whole seconds only, at least one.

    >>> seconds("2h")
    7200
    """
    total = milliseconds(text)
    if total % 1_000 or total == 0:
        raise ValueError("a deadline is a whole number of seconds, at least '1s'")
    return total // 1_000
