"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Sequence


def join(parts: Sequence[str | int]) -> str:
    """The pointer whose reference tokens are `parts`.

    >>> join(["spec", "steps", 0, "a/b"])
    '/spec/steps/0/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def split(pointer: str) -> list[str]:
    """The reference tokens of a pointer.

    >>> split("/spec/a~1b")
    ['spec', 'a/b']
    """
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
