"""What a task leaves behind as its Tekton result `outcome`: JSON of at most 1 KB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 1024
"""All results of a task and Tekton's own notes share a termination message of 4 KiB."""
_CUT: Final = "…"


def text(fields: Mapping[str, object]) -> str:
    """`fields` as JSON that fits: a diagnosis is left out first (it follows from the reason), then `message` is cut.

    >>> text({"outcome": "Failed", "message": "x"})
    '{"outcome":"Failed","message":"x"}'
    """
    kept = dict(fields)
    if _size(kept) > MAX_BYTES:
        kept.pop("diagnosis", None)
    message = str(kept.get("message", ""))
    while _size(kept) > MAX_BYTES and message:
        message = message[: len(message) - max(1, (_size(kept) - MAX_BYTES) // 4)]
        kept["message"] = message + _CUT
    return _json(kept)


def write(path: Path, fields: Mapping[str, object]) -> None:
    path.write_text(text(fields), encoding="utf-8")


def _json(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _size(fields: Mapping[str, object]) -> int:
    return len(_json(fields).encode("utf-8", "replace"))
