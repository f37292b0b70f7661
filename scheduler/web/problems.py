"""Errors as `application/problem+json` (RFC 9457): the one table from our error classes to HTTP status codes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from scheduler import errors
from scheduler.model import problem_json
from scheduler.model.problem import Problem

STATUS_OF: Final[Mapping[type[errors.SchedulerError], int]] = {
    errors.InvalidInputError: 422,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.TooLargeError: 413,
    errors.DigestMismatchError: 422,
    errors.UnavailableError: 503,
    errors.ProgramError: 500,
    errors.SchedulerError: 500,
}

_log = logging.getLogger(__name__)


def of(error: errors.SchedulerError) -> JSONResponse:
    """The answer to a request that ended in this error; a subclass answers as the nearest class in the table."""
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS_OF)
    headers: dict[str, str] = {}
    if isinstance(error, errors.UnavailableError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, errors.UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.InvalidInputError):
        return answer(
            STATUS_OF[kind],
            problem_json.KIND_OF[kind],
            detail=error.summary,
            problems=[problem_json.to_json(item) for item in error.problems],
        )
    if isinstance(error, errors.ProgramError):
        _log.error("%s", error)
    return answer(STATUS_OF[kind], problem_json.KIND_OF[kind], detail=str(error), headers=headers)


def answer(
    status: int,
    kind: str = "",
    *,
    detail: str = "",
    problems: Sequence[Mapping[str, object]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem document; without a kind it is `about:blank`, as RFC 9457 says for plain HTTP errors."""
    body: dict[str, object] = {
        "type": f"{problem_json.TYPE_PREFIX}{kind}" if kind else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if problems:
        body["problems"] = list(problems)
    return JSONResponse(body, status_code=status, media_type=problem_json.MEDIA_TYPE, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Let `app` answer every error as problem+json."""
    app.add_exception_handler(errors.SchedulerError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


def _on_ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.SchedulerError)  # noqa: S101 - what it is registered for
    return of(error)


def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    return of(errors.InvalidInputError([_problem(fault) for fault in jsonable_encoder(error.errors())]))


def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return answer(error.status_code, detail=str(error.detail), headers=headers)


def _methods(request: Request) -> list[str]:
    """Of all routes of the path; the framework knows those of the first one that fits."""

    def is_known(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT") if is_known(method)]


def _on_bug(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has it, the caller learns nothing of our insides."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(500, detail="internal error; the server's log has the details")


def _problem(fault: Mapping[str, Any]) -> Problem:
    """FastAPI's location ("body", "deadlines", "run") as a JSON pointer into the body, or the name of a query field."""
    where, *path = [str(part) for part in fault.get("loc", ())] or [""]
    if where == "body":
        return Problem(
            pointer="".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path), message=fault["msg"]
        )
    return Problem(pointer=f"{where}:{'.'.join(path)}", message=fault["msg"])
