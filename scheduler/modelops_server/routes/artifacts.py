"""/v1/artifacts: content by its SHA-256 digest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from scheduler import names
from scheduler.artifacts import digest
from scheduler.artifacts.store import ArtifactStore, Part
from scheduler.errors import DigestMismatchError, InvalidInputError
from scheduler.model.problem import Problem
from scheduler.modelops_server import views
from scheduler.modelops_server.access import Access
from scheduler.web.authentication import OURS
from scheduler.web.views import NOT_FOUND, PROBLEMS

_PREFIX = "/v1/artifacts"


def router(store: ArtifactStore, access: Access) -> APIRouter:
    routes = APIRouter(prefix=_PREFIX, tags=["artifacts"], responses=PROBLEMS)
    _write(routes, store, access)
    _read(routes, store, access)
    _grant(routes, store, access)
    return routes


def audiences(method: str, path: str) -> Sequence[str]:
    """A job reads its models with a token that is good for nothing else."""
    is_read = method in {"GET", "HEAD"} and path.startswith(f"{_PREFIX}/")
    return (*OURS, names.ARTIFACTS_AUDIENCE) if is_read else OURS


def _write(routes: APIRouter, store: ArtifactStore, access: Access) -> None:
    @routes.put(
        "/{sha256}",
        status_code=201,
        responses={
            200: {"model": views.ArtifactView, "description": "It was there."},
            201: {"model": views.ArtifactView, "description": "It is new."},
        },
    )
    async def put(sha256: views.Sha256, request: Request) -> JSONResponse:
        """Keep the body under its digest: 201 when it is new, 200 when it was there; 422 when the digest differs."""
        digest.checked(sha256)
        with access.change(request, verb="create", resource="artifacts", name=sha256) as change:
            await run_in_threadpool(access.require, request, verb="create", resource="artifacts")
            change.allow("create artifacts")
            # what it leaves is removed in a worker thread too
            async with contextmanager_in_threadpool(store.part(sha256)) as part:
                await _receive(request, part)
                is_new = await run_in_threadpool(store.keep, part)
            change.after = {"size": part.size, "isNew": is_new}
        return JSONResponse({"sha256": sha256, "size": part.size}, status_code=201 if is_new else 200)


def _read(routes: APIRouter, store: ArtifactStore, access: Access) -> None:
    @routes.head("/{sha256}", responses=views.NO_BODY)
    def head(sha256: views.Sha256, request: Request) -> Response:
        """Whether it is there, and its size."""
        access.require_read(request, digest.checked(sha256))
        return Response(headers=_headers(sha256, store.size(sha256)))

    @routes.get("/{sha256}", response_class=StreamingResponse, responses={**views.CONTENT, **NOT_FOUND})
    def get(sha256: views.Sha256, request: Request) -> StreamingResponse:
        """The content. It is checked while it is sent: a connection that ends early means that it was damaged."""
        access.require_read(request, digest.checked(sha256))
        content = store.read(sha256)
        first = next(content.blocks, b"")  # what is damaged and short is told before the answer starts
        return StreamingResponse(
            chain((first,), content.blocks),
            media_type="application/octet-stream",
            headers=_headers(sha256, content.size),
        )


def _grant(routes: APIRouter, store: ArtifactStore, access: Access) -> None:
    @routes.put("/{sha256}/grants/{environment}", status_code=204, responses=NOT_FOUND)
    def grant(sha256: views.Sha256, environment: str, request: Request) -> None:
        """Let the jobs of the environment read the artifact."""
        digest.checked(sha256)
        with access.change(request, verb="grant", resource="artifacts", name=sha256) as change:
            access.require(request, verb="create", resource="artifacts")
            change.allow("create artifacts", environment=environment[:63])
            if environment not in access.environments:
                message = f"'{environment}' is not an environment of this platform"
                raise InvalidInputError([Problem(message=message, candidates=access.environments)])
            store.grant(sha256, environment)


async def _receive(request: Request, part: Part) -> None:
    """Write the body block by block, each in a worker thread: a slow disk does not stop other requests."""
    buffer = bytearray()
    try:
        async for chunk in request.stream():
            buffer += chunk
            if len(buffer) >= digest.BLOCK:
                await run_in_threadpool(part.write, bytes(buffer))
                buffer.clear()
    except ClientDisconnect as error:
        raise DigestMismatchError("the body ended early") from error
    await run_in_threadpool(part.write, bytes(buffer))


def _headers(sha256: str, size: int) -> dict[str, str]:
    return {
        "Content-Length": str(size),
        "ETag": f'"{sha256}"',
        "Cache-Control": "private, immutable, max-age=31536000",
    }
