"""Names that the reader may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """All `known` names, those most like `name` first, the others in order.

    >>> nearest("treshold", ["carrier", "threshold"])
    ('threshold', 'carrier')
    """
    names = sorted(set(known))
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return (*alike, *(other for other in names if other not in alike))
