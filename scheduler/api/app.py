"""The FastAPI application of the scheduling server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

import scheduler
from scheduler.api import middleware
from scheduler.api.access import Access
from scheduler.api.background import Sweeper
from scheduler.api.cleaning import Cleaning
from scheduler.api.context import Context
from scheduler.api.metrics import Metrics
from scheduler.api.routes import channels, cleanups, events, health, jobs, logs, plans
from scheduler.cluster.port import OwnAccessError
from scheduler.jobs.janitor import Janitor
from scheduler.jobs.ports import Ports
from scheduler.web import authentication, problems, views
from scheduler.web.audit import Audited
from scheduler.web.auth import Gate
from scheduler.web.limits import BodyLimit, Limits
from scheduler.web.media import JsonOnly
from scheduler.web.oidc.port import Issuer
from scheduler.web.request_id import RequestId

BODY_BYTES: Final = 4 * 2**20
BODY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    app: FastAPI
    metrics: Metrics
    """Served on a port of their own: Prometheus has no token."""


def create(ports: Ports, *, issuer: Issuer | None = None, body_seconds: float = BODY_SECONDS) -> Server:
    """The application on these ports. Watches and sweeping begin and end with its lifespan.

    `issuer` tells who callers are that bring its tokens; the cluster tells of all others.
    """
    environments = ports.settings.environments
    gate = Gate(ports.cluster, cache_seconds=ports.settings.token_cache_seconds, issuer=issuer)
    access = Access(
        gate=gate,
        environments=environments,
        platform_namespace=ports.settings.platform_namespace,
        cluster=ports.cluster,
    )
    context = Context(ports=ports, access=access)
    metrics = Metrics(ports.board, environments, is_dry_run=ports.settings.janitor.is_dry_run)
    app = FastAPI(
        title="modelops scheduling server",
        version=scheduler.__version__,
        description="Starts scoring jobs, and says what became of them.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(ports, metrics),
        # a path with one slash too many is no other path: a redirect would send the token there
        redirect_slashes=False,
    )
    problems.install(app)
    app.add_exception_handler(OwnAccessError, _on_own_access)
    for part in (jobs, logs, events, plans, channels, cleanups):
        app.include_router(part.router(context))
    app.include_router(health.router(ports.board.mirror))
    views.describe(app)
    authentication.describe(app, open_paths=health.PATHS)
    # the last one added is the first to see a request
    app.add_middleware(JsonOnly)
    app.add_middleware(BodyLimit, limits=Limits(default=BODY_BYTES))
    app.add_middleware(middleware.BodyTime, seconds=body_seconds)
    app.add_middleware(authentication.Authentication, gate=gate, open_paths=health.PATHS)
    app.add_middleware(Audited)
    app.add_middleware(middleware.Measured, observe=metrics.observe)
    app.add_middleware(RequestId)
    return Server(app=app, metrics=metrics)


def _lifespan(ports: Ports, metrics: Metrics) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = Sweeper(ports, told=metrics.swept)
        ports.board.mirror.start()
        sweeper.start()
        cleaning = _cleaning(ports, metrics)
        if cleaning:
            cleaning.start()
        try:
            yield
        finally:
            if cleaning:
                cleaning.stop()
            sweeper.stop()
            ports.board.mirror.stop()

    return lifespan


def _cleaning(ports: Ports, metrics: Metrics) -> Cleaning | None:
    settings = ports.settings.janitor
    if not settings.is_enabled:
        return None
    janitor = Janitor(ports, holder=settings.holder or secrets.token_hex(8))
    metrics.show_holder(janitor)
    return Cleaning(janitor, period_seconds=settings.period_seconds, told=metrics.cleaned)


def _on_own_access(_: Request, error: Exception) -> JSONResponse:
    """The API server refuses *us*: nothing that the caller could mend by another token."""
    detail = f"the scheduling server's own account was refused: {error}"
    return problems.answer(503, detail=detail, headers={"Retry-After": "5"})
