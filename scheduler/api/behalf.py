"""Whose act a request is: its caller's own, or somebody's for whom a server asks."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from starlette.requests import Request

from scheduler import names
from scheduler.api.access import Access
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem
from scheduler.web.authentication import caller_of

_LONGEST: Final = 512


def author(request: Request, *, access: Access, environment: str) -> str:
    """The name to write into the job: the caller's, or `<person> via <caller>`.

    ForbiddenError when the caller names a person and may not `impersonate` on the environment's jobs. The caller's own
    rights count in either case: whether the person may do it, the server that acts for them has asked before.
    """
    caller, person = caller_of(request), claimed(request)
    if person is None:
        return caller.name
    access.require(caller, verb="impersonate", resource="jobs", environment=environment)
    if not person or len(person) > _LONGEST or not person.isprintable():
        message = f"must be a name of 1 to {_LONGEST} printable characters, percent-encoded"
        raise InvalidInputError([Problem(pointer=f"header:{names.ON_BEHALF_OF}", message=message)])
    return f"{person} via {caller.name}"


def claimed(request: Request) -> str | None:
    """The person whom the caller names, with or without the right to; None when it names none."""
    given = request.headers.get(names.ON_BEHALF_OF)
    return None if given is None else unquote(given, errors="replace")
