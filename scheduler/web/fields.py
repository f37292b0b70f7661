"""Headers and query fields about jobs that both servers take."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Header, Query
from pydantic import Field

from scheduler.model.job import JobState

_MAX_PAGE: Final = 500

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="The same key and body start one job only, however often they are sent.",
    ),
]
Environment = Annotated[str, Query(max_length=253, description="Namespace; without it all that the caller may see.")]
Environments = Annotated[
    list[Annotated[str, Field(max_length=253)]] | None,
    Query(
        alias="environment",
        max_length=100,
        description="Namespaces, any of these; without one all that the caller may see.",
    ),
]
States = Annotated[list[JobState] | None, Query(alias="state", description="Any of these.")]
Labels = Annotated[list[str] | None, Query(alias="label", description="`key=value`; all of these.")]
Since = Annotated[str, Query(max_length=40, description="RFC 3339: submitted then or later.")]
Until = Annotated[str, Query(max_length=40, description="RFC 3339: submitted before.")]
Limit = Annotated[int, Query(ge=1, le=_MAX_PAGE)]
Cursor = Annotated[str, Query(max_length=200, description="`nextCursor` of the page before.")]
