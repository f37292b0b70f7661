"""Names that the reader may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

_LONGEST: Final = 60
_MANY: Final = 100
"""Beyond so many candidates only those that begin alike are compared: n unknown names among n known ones stay cheap."""
_LISTED: Final = 20


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


def nearest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """Likewise, of names that have no order of their own.

    >>> nearest("treshold", {"carrier", "threshold"})
    ('threshold', 'carrier')
    """
    return tuple(nearest_first(word, sorted(set(names))))
