"""A job's changes as they happen (server-sent events)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from scheduler.api.context import Context
from scheduler.api.routes.jobs import shown
from scheduler.cluster.mirror import JobKey
from scheduler.jobs.board import Board
from scheduler.model import job_json
from scheduler.model.job import Job
from scheduler.web import fields, views

_BEAT_SECONDS: Final = 15.0
_LONGEST_SECONDS: Final = 600.0
"""Then the client connects again, and its right is asked for again."""


_EVENT: Final = {
    "description": "One event of the stream; `data` is the job as JSON.",
    "type": "object",
    "properties": {"event": {"const": "job"}, "id": {"type": "string"}, "data": {"type": "string"}},
    "required": ["event", "id", "data"],
}


def router(context: Context) -> APIRouter:
    routes = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=views.PROBLEMS)

    @routes.get(
        "/{job_id}/events",
        summary="Follow a job",
        description="Server-sent events `job`, each with the whole job, until it is over. The stream ends after ten "
        "minutes at the latest; with `Last-Event-ID` a client that comes back is told only of what is new.",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": _EVENT}}}, **views.NOT_FOUND},
    )
    async def follow(
        job_id: str,
        request: Request,
        environment: fields.Environment = "",
        last: Annotated[str, Header(alias="Last-Event-ID", max_length=64)] = "",
    ) -> StreamingResponse:
        def first() -> Job:
            return shown(job_id, environment=environment, request=request, context=context)

        job = await anyio.to_thread.run_sync(first)
        return StreamingResponse(_events(job, context.ports.board, last), media_type="text/event-stream")

    return routes


async def _events(job: Job, board: Board, last: str) -> AsyncIterator[str]:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    key = (job.environment, job.id)

    def listener(touched: JobKey) -> None:
        if touched == key:
            loop.call_soon_threadsafe(changed.set)

    def now(before: Job) -> Job:
        """In a thread of its own: the end of a job may have to be asked of the API server."""
        return board.job(*key) or before

    leave = board.mirror.listen(listener)
    try:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < deadline:
            changed.clear()
            job = await anyio.to_thread.run_sync(now, job)
            number, text = _event(job)
            if number != last:
                last = number
                yield text
            if job.state.is_finished:
                return
            try:
                await asyncio.wait_for(changed.wait(), _BEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        leave()


def _event(job: Job) -> tuple[str, str]:
    """The id is a digest of the content, so that every replica knows what another one has sent."""
    data = json.dumps(job_json.job_to_json(job), separators=(",", ":"))
    number = hashlib.sha256(data.encode()).hexdigest()[:16]
    return number, f"event: job\nid: {number}\ndata: {data}\n\n"
