"""Who calls is known before anything else is done: every path but health needs a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, cast

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from scheduler import names
from scheduler.cluster.port import Caller
from scheduler.errors import SchedulerError, UnauthenticatedError
from scheduler.web import problems
from scheduler.web.auth import Gate

Audiences: TypeAlias = Callable[[str, str], Sequence[str]]
"""Which audiences a request's token may be for, by method and path; the first that fits counts."""

OURS: Final = (names.AUDIENCE,)


class Authentication:
    """Refuses a request without an accepted token before its body is read; every path but the `open_paths`.

    Routes find who called by `caller_of`, and what the token was for by `audience_of`.
    """

    def __init__(
        self, app: ASGIApp, *, gate: Gate, open_paths: frozenset[str], audiences: Audiences = lambda *_: OURS
    ) -> None:
        self._app = app
        self._gate = gate
        self._open_paths = open_paths
        self._audiences = audiences

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            authorization = Request(scope).headers.get("authorization")
            audiences = self._audiences(scope["method"], scope["path"])
            try:
                caller, audience = await anyio.to_thread.run_sync(self._accepted, authorization, audiences)
            except SchedulerError as error:
                answer = problems.of(error)
                if authorization and isinstance(error, UnauthenticatedError):
                    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'  # RFC 6750, section 3.1
                answer.headers["Connection"] = "close"  # the body is not read
                await answer(scope, receive, send)
                return
            scope.setdefault("state", {}).update(caller=caller, audience=audience)
        await self._app(scope, receive, send)

    def _accepted(self, authorization: str | None, audiences: Sequence[str]) -> tuple[Caller, str]:
        first, *others = audiences
        try:
            return self._gate.caller(authorization, audience=first), first
        except UnauthenticatedError:
            if not others:
                raise
            return self._accepted(authorization, others)


def caller_of(request: Request) -> Caller:
    """Whoever the authentication before every route has found."""
    return cast("Caller", request.state.caller)


def audience_of(request: Request) -> str:
    """What the caller's token is for."""
    return cast("str", request.state.audience)


def describe(app: FastAPI, *, open_paths: frozenset[str]) -> None:
    """Let the OpenAPI document say that every path but the `open_paths` needs a token."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"token": []}]
            for path in open_paths:
                schema["paths"][path]["get"]["security"] = []
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
