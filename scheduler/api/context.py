"""What routes work with, and how they read a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from scheduler.api.access import Access
from scheduler.api.audit import Change
from scheduler.jobs.ports import Ports
from scheduler.web.authentication import caller_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    ports: Ports
    access: Access


def change(
    request: Request,
    *,
    verb: str,
    resource: str,
    name: str,
    environment: str,
    details: Mapping[str, object] | None = None,
) -> Change:
    """What is about to be changed, for the audit."""
    return Change(
        verb=verb,
        resource=resource,
        name=name,
        environment=environment,
        caller=caller_of(request),
        request_id=str(request.state.request_id),
        details=details or {},
    )
