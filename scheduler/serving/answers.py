"""Errors and plain answers as HTTP responses: the one place where classes meet status codes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

from scheduler.errors import NotFoundError, TooLargeError
from scheduler.serving.faults import ModelNotReadyError, ModelRefusedError, RequestRefusedError, ServerBusyError

log = logging.getLogger(__name__)

STATUS_OF: Final[Mapping[type[Exception], int]] = {
    RequestRefusedError: 400,
    ModelRefusedError: 400,
    NotFoundError: 404,
    TooLargeError: 413,
    ModelNotReadyError: 503,
    ServerBusyError: 503,
}
RETRY_SECONDS: Final = 1


def plain(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")


def error(message: str, status: int, *, headers: Mapping[str, str] | None = None) -> Response:
    """`{"error": …}`, as the protocol wants every error."""
    body = orjson.dumps({"error": message})
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers or {}))


def failure(fault: Exception) -> Response:
    """The answer to a request that ended in `fault`; one that nobody foresaw is logged and answered with 500."""
    status = next((code for kind, code in STATUS_OF.items() if isinstance(fault, kind)), 500)
    if status == 500:
        log.error("a request failed", exc_info=fault)
        return error(f"the server failed: {type(fault).__name__}", status)
    if status == 503:
        return error(str(fault), status, headers={"Retry-After": str(RETRY_SECONDS)})
    if isinstance(fault, RequestRefusedError) and fault.rows:
        rows = [{"index": row.index, "message": row.message} for row in fault.rows]
        return plain({"error": str(fault), "rows": rows}, status)
    return error(str(fault), status)
