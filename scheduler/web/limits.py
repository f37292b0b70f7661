"""Refuses request bodies that are too long, whether they say so beforehand or turn out to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler import errors
from scheduler.web import problems


@dataclass(slots=True, kw_only=True)
class _State:
    seen: int = 0
    has_answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes that a body may have: by the longest prefix of the path, else `default`; None sets no limit."""

    default: int | None
    by_prefix: Mapping[str, int | None] = field(default_factory=dict)

    def of(self, path: str) -> int | None:
        fitting = [prefix for prefix in self.by_prefix if path.startswith(prefix)]
        return self.by_prefix[max(fitting, key=len)] if fitting else self.default


class BodyLimit:
    """ASGI middleware: 413 with a problem document when a body exceeds its limit; nothing is buffered."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limits.of(scope["path"]) if scope["type"] == "http" else None
        if limit is None:
            await self._app(scope, receive, send)
        elif _declared(scope) > limit:
            await _refuse(scope, receive, send, limit)
        else:
            await self._counted(scope, receive, send, limit)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        state = _State()

        async def counting() -> Message:
            message = await receive()
            state.seen += len(message.get("body", b""))
            if state.seen > limit:
                raise _BodyTooLarge
            return message

        async def answering(message: Message) -> None:
            state.has_answered = True
            await send(message)

        try:
            await self._app(scope, counting, answering)
        except _BodyTooLarge:
            if state.has_answered:
                raise
            await _refuse(scope, receive, send, limit)


class _BodyTooLarge(BaseException):
    """Passes through the application, which would answer 400 or 500 to an Exception while it reads the body."""


def _declared(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


async def _refuse(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    error = errors.TooLargeError(f"the body may have at most {limit} bytes")
    answer = problems.of(error)
    answer.headers["Connection"] = "close"  # the rest of the body is not read
    await answer(scope, receive, send)
