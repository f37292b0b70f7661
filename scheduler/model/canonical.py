"""The one byte form of a JSON value, so that equal values have equal digests wherever they are computed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scheduler import digests


def json_bytes(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces. ValueError for NaN, infinities and text that is not Unicode.

    >>> json_bytes({"b": [1, 2.5], "a": "é"})
    b'{"a":"\\xc3\\xa9","b":[1,2.5]}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
    return text.encode()


def digest(value: object) -> str:
    """`sha256:` and the hexadecimal digest of the value's canonical bytes.

    >>> digest({})
    'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return digests.of(json_bytes(value))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
