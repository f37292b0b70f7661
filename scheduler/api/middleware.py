"""What happens to every request before a route sees it: the time its body may take, its figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler.web import problems


class BodyTime:
    """408 when a body is not there within `seconds`, however slowly it drips."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline, is_complete = time.monotonic() + self._seconds, False

        async def timed() -> Message:
            nonlocal is_complete
            if is_complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), deadline - time.monotonic())
            except TimeoutError:
                raise _TooSlow from None
            is_complete = not message.get("more_body", False)
            return message

        try:
            await self._app(scope, timed, send)
        except _TooSlow:
            answer = problems.answer(408, detail=f"the body took longer than {self._seconds:g} seconds")
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)


class _TooSlow(BaseException):
    """Passes through the application, which would answer 400 or 500 to an Exception while it reads the body."""


class Measured:
    """Tells `observe(method, route, status, seconds)` of every request; a path that is no route is `unknown`."""

    def __init__(self, app: ASGIApp, *, observe: Callable[[str, str, int, float], None]) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._observe(scope["method"], route, status, time.monotonic() - started)
