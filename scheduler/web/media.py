"""Refuses request bodies that do not say that they are JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from scheduler.web import problems

_JSON: Final = "application/json"


class JsonOnly:
    """ASGI middleware: 415 for a body of another media type, or of none; paths below `raw` take any."""

    def __init__(self, app: ASGIApp, *, raw: Sequence[str] = ()) -> None:
        self._app = app
        self._raw = tuple(raw)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._raw) or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        if given.partition(";")[0].strip().lower() == _JSON:
            await self._app(scope, receive, send)
            return
        detail = f"the body must be {_JSON}" + (f", not {given}" if given else "; there is no Content-Type")
        answer = problems.answer(415, detail=detail)
        answer.headers["Connection"] = "close"  # the body is not read
        await answer(scope, receive, send)


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
