"""What an API server's refusal means to us: one table from its status codes to this project's errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import urllib3

from scheduler.cluster.port import ExpiredError, OwnAccessError
from scheduler.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SchedulerError,
    TooLargeError,
    UnavailableError,
    no_cluster,
)
from scheduler.model.problem import Problem

_BY_STATUS: Final[Mapping[int, type[SchedulerError]]] = {
    401: OwnAccessError,
    403: OwnAccessError,
    404: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
    413: TooLargeError,
}
_UNREACHED: Final = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)
"""Before a request was sent."""


def error_for(status: int, body: bytes, headers: Mapping[str, str], what: str) -> SchedulerError:
    """The error to raise for a response, with the API server's own words in it."""
    answer = _status_object(body)
    words = answer.get("message") or f"HTTP {status}"
    message = f"could not {what}: {words}"
    if status in {400, 422}:
        return InvalidInputError(_problems(answer, str(words)), summary=message)
    if status in _BY_STATUS:
        return _BY_STATUS[status](message)
    return UnavailableError(message, retry_after_seconds=_retry_after(answer, headers))


@contextmanager
def translated(what: str, *, host: str = "") -> Iterator[None]:
    """Turn a connection's own exceptions into ours, chained; `host` is told when nobody takes the call there."""
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        if host and isinstance(cause := getattr(error, "reason", error), _UNREACHED):
            raise no_cluster(host, str(cause)) from error
        raise UnavailableError(f"could not {what}: the API server does not answer ({error})") from error
    except OSError as error:
        raise UnavailableError(f"could not {what}: {error}") from error


def _status_object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {"message": body.decode(errors="replace")[:500]}
    return answer if isinstance(answer, dict) else {}


def _problems(answer: Mapping[str, Any], words: str) -> list[Problem]:
    causes = (answer.get("details") or {}).get("causes") or ()
    found = [Problem(pointer=str(cause.get("field", "")), message=str(cause.get("message", words))) for cause in causes]
    return found or [Problem(message=words)]


def _retry_after(answer: Mapping[str, Any], headers: Mapping[str, str]) -> int:
    given = headers.get("Retry-After") or (answer.get("details") or {}).get("retryAfterSeconds") or 5
    text = str(given)
    return min(int(text), 300) if text.isdigit() else 5
