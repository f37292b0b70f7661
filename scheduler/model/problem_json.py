"""Errors and Problems as they travel in `application/problem+json` (RFC 9457), both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scheduler import errors
from scheduler.model.problem import Problem

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:modelops:problem:"
KIND_OF: Final[Mapping[type[errors.SchedulerError], str]] = {
    errors.InvalidInputError: "invalid-input",
    errors.NotFoundError: "not-found",
    errors.ConflictError: "conflict",
    errors.UnauthenticatedError: "unauthenticated",
    errors.ForbiddenError: "forbidden",
    errors.TooLargeError: "too-large",
    errors.DigestMismatchError: "digest-mismatch",
    errors.UnavailableError: "unavailable",
    errors.ProgramError: "program-failed",
    errors.SchedulerError: "failed",
}
"""Error class -> last part of the problem document's `type`."""
_CLASS_OF: Final = {kind: class_ for class_, kind in KIND_OF.items()}
_CLASS_OF_STATUS: Final[Mapping[int, type[errors.SchedulerError]]] = {
    400: errors.InvalidInputError,
    401: errors.UnauthenticatedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.TooLargeError,
    415: errors.InvalidInputError,
    422: errors.InvalidInputError,
    429: errors.UnavailableError,
}
"""For answers without a type of ours: a proxy's, or plain HTTP errors."""


def to_json(problem: Problem) -> Mapping[str, object]:
    """A Problem as it travels; fields that say nothing are left out."""
    fields = {
        "message": problem.message,
        "pointer": problem.pointer,
        "file": problem.file,
        "line": problem.line,
        "document": problem.document,
        "candidates": list(problem.candidates),
    }
    return {key: value for key, value in fields.items() if value or key == "message"}


def from_json(value: Mapping[str, Any]) -> Problem:
    return Problem(
        message=str(value.get("message", "")),
        pointer=str(value.get("pointer", "")),
        file=str(value.get("file", "")),
        line=int(value.get("line", 0)),
        document=str(value.get("document", "")),
        candidates=tuple(str(item) for item in value.get("candidates", ())),
    )


def error_of(status: int, document: Mapping[str, Any], *, retry_after_seconds: int = 5) -> errors.SchedulerError:
    """The error that a problem document tells of; by its `type`, or by the HTTP status when that is not one of ours."""
    detail = str(document.get("detail") or document.get("title") or f"the server answered {status}")
    kind = str(document.get("type", "")).removeprefix(TYPE_PREFIX)
    default = errors.UnavailableError if status >= 502 else errors.SchedulerError
    class_ = _CLASS_OF.get(kind) or _CLASS_OF_STATUS.get(status, default)
    if class_ is errors.InvalidInputError:
        problems = [from_json(item) for item in document.get("problems", ())]
        return errors.InvalidInputError(problems or [Problem(message=detail)], summary=detail)
    if class_ is errors.UnavailableError:
        return errors.UnavailableError(detail, retry_after_seconds=retry_after_seconds)
    return class_(detail)
