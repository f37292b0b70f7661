"""Two lines for every change: who asks for what and whether they may, before it; how it came out, after it.

A line never holds a body, a token or what an error says of a body: only names, decisions and states.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler.cluster.port import Caller
from scheduler.errors import ForbiddenError, NotFoundError
from scheduler.web.authentication import caller_of

LOGGER: Final = "modelops.audit"
_LONGEST: Final = 512
"""Of a name that somebody sends; whoever floods the lines shall not hide in them."""

_log = logging.getLogger(LOGGER)


@dataclass(slots=True, kw_only=True)
class Change:
    """One change on its way; the route that makes it tells what the lines are to hold."""

    verb: str
    resource: str
    name: str
    namespace: str
    caller: Caller
    request_id: str
    on_behalf_of: str
    details: Mapping[str, object] = field(default_factory=dict)
    before: object = None
    """What was there, in a few words."""
    after: object = None
    error: str = ""
    """Class of the error that it ended in."""
    decision: str = ""
    reason: str = ""

    def allow(self, reason: str, *, namespace: str = "", **details: object) -> None:
        """Write the line before the change: its caller may make it, by this right."""
        self.namespace, self.details = namespace or self.namespace, details
        self._decide("allowed", reason)

    def end(self, status: int) -> None:
        """Write the line after it, with the status of the answer."""
        outcome = "done" if status < 400 else "refused" if status < 500 else "failed"
        more = {"status": status, "error": self.error, "before": self.before, "after": self.after}
        self._write(outcome, {key: value for key, value in more.items() if value not in ("", None)})

    def fail(self, error: BaseException) -> None:
        """Keep what it ended in; a change that nobody has allowed before was denied."""
        self.error = type(error).__name__
        if not self.decision:
            is_told = isinstance(error, ForbiddenError | NotFoundError)
            self._decide("denied", str(error)[:_LONGEST] if is_told else self.error)

    def _decide(self, decision: str, reason: str) -> None:
        self.decision, self.reason = decision, reason
        self._write("begin", {})

    def _write(self, phase: str, more: Mapping[str, object]) -> None:
        line = {
            "phase": phase,
            "requestId": self.request_id,
            "caller": self.caller.name,
            "groups": list(self.caller.groups),
            "onBehalfOf": self.on_behalf_of,
            "verb": self.verb,
            "resource": self.resource,
            "name": self.name[:_LONGEST],
            "namespace": self.namespace[:_LONGEST],
            "decision": self.decision,
            "reason": self.reason,
            **self.details,
            **more,
        }
        _log.info("%s %s %s", phase, self.verb, self.resource, extra={"audit": line})


@contextmanager
def change(
    request: Request, *, verb: str, resource: str, name: str = "", namespace: str = "", on_behalf_of: str = ""
) -> Iterator[Change]:
    """Asking for the right and making the change happen inside; between the two comes `allow`.

    The second line is written by `Audited`, which knows the status of the answer.
    """
    made = Change(
        verb=verb,
        resource=resource,
        name=name,
        namespace=namespace,
        caller=caller_of(request),
        request_id=str(request.state.request_id),
        on_behalf_of=on_behalf_of[:_LONGEST],
    )
    request.state.audit = made
    try:
        yield made
    except BaseException as error:
        made.fail(error)
        raise


class Audited:
    """ASGI middleware: writes the line after a change, when its answer is sent or nobody waits for one any more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        status = 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            made = state.get("audit")
            if isinstance(made, Change):
                made.end(status)
