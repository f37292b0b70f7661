"""What the containers of a job wrote, as plain text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from scheduler.api.context import Context
from scheduler.api.routes.jobs import shown
from scheduler.cluster.port import LogLines
from scheduler.errors import UnavailableError
from scheduler.jobs import logs
from scheduler.jobs.logs import Selection
from scheduler.web import fields, views
from scheduler.web.authentication import caller_of

_FOLLOWERS = 64
"""Each holds a thread of its own while it waits for a line; more are refused."""


def router(context: Context) -> APIRouter:
    routes = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=views.PROBLEMS)
    threads = anyio.CapacityLimiter(_FOLLOWERS)

    @routes.get(
        "/{job_id}/logs",
        summary="Read or follow a job's log",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **views.NOT_FOUND},
    )
    def read(
        *,
        job_id: str,
        request: Request,
        source: Annotated[
            Literal["install", "wait", "uninstall", "flow", "services"],
            Query(description="A task of the run, the job's flow, or its scoring services."),
        ] = "flow",
        container: Annotated[str, Query(max_length=63, description="Other than the pod's main one.")] = "",
        tail: Annotated[int | None, Query(ge=0, le=100_000, description="Only so many last lines.")] = None,
        environment: fields.Environment = "",
        follow: Annotated[bool, Query(description="Until the container ends.")] = False,
    ) -> StreamingResponse:
        job = shown(job_id, environment=environment, request=request, context=context)
        context.access.require(
            caller_of(request), verb="get", resource="jobs", subresource="log", environment=job.environment
        )
        if threads.borrowed_tokens >= _FOLLOWERS:
            raise UnavailableError(f"{_FOLLOWERS} logs are being read already")
        selection = Selection(source=source, container=container, follow=follow, tail_lines=tail)
        lines = logs.open_(job.id, job.environment, selection=selection, cluster=context.ports.cluster)
        return StreamingResponse(_streamed(lines, threads), media_type="text/plain; charset=utf-8")

    return routes


async def _streamed(lines: LogLines, threads: anyio.CapacityLimiter) -> AsyncIterator[str]:
    """The lines; when the reader goes away the log is closed, so that the thread that waits for it ends."""
    try:
        while (
            line := await anyio.to_thread.run_sync(next, lines, None, limiter=threads, abandon_on_cancel=True)
        ) is not None:
            yield f"{line}\n"
    finally:
        lines.close()
