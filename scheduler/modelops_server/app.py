"""The FastAPI application of the modelops server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from fastapi import FastAPI

import scheduler
from scheduler.artifacts import storage
from scheduler.artifacts.revisions import Revisions
from scheduler.artifacts.store import ArtifactStore
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.port import Cluster
from scheduler.modelops_server.access import Access
from scheduler.modelops_server.configuration import Configuration
from scheduler.modelops_server.routes import artifacts, health, jobs, pipelines
from scheduler.modelops_server.scheduling import Scheduling
from scheduler.web import authentication, problems, views
from scheduler.web.audit import Audited
from scheduler.web.auth import Gate
from scheduler.web.environments import Environments
from scheduler.web.limits import BodyLimit, Limits
from scheduler.web.media import JsonOnly
from scheduler.web.oidc.port import Issuer
from scheduler.web.request_id import RequestId

_ARTIFACTS: Final = "/v1/artifacts/"
_DOCUMENTS_BYTES: Final = 4 << 20
"""What the IR loader takes at most; a body is little more."""


def create(
    configuration: Configuration,
    *,
    cluster: Cluster,
    scheduling: SchedulingClient,
    issuer: Issuer | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The application on the volume or the store that the configuration names (`storage.open_` says what it refuses).

    `cluster` tells who callers are, `issuer` of those that bring its tokens; `scheduling` starts jobs for them under
    this server's own account.
    """
    objects = storage.open_(configuration.storage, folder=configuration.data)
    store = ArtifactStore(objects, most_bytes=configuration.artifact_most_bytes)
    revisions = Revisions(objects)
    gate = Gate(cluster, cache_seconds=configuration.token_cache_seconds, issuer=issuer)
    places = Environments(
        gate=gate, environments=configuration.environments, platform_namespace=configuration.platform_namespace
    )
    access = Access(
        gate=gate,
        namespace=configuration.platform_namespace,
        environments=configuration.environments,
        store=store,
    )
    app = FastAPI(
        title="modelops server",
        version=scheduler.__version__,
        description="Artifacts by digest, revisions of scoring pipelines, and their jobs.",
        docs_url=None,
        redoc_url=None,
        # a redirect would send the token along
        redirect_slashes=False,
    )
    problems.install(app)
    views.describe(app)
    authentication.describe(app, open_paths=health.PATHS)
    app.add_middleware(JsonOnly, raw=[_ARTIFACTS])
    app.add_middleware(
        BodyLimit, limits=Limits(default=2 * _DOCUMENTS_BYTES, by_prefix={_ARTIFACTS: None})
    )  # the store counts artifacts itself
    # the last one added is the first to see a request
    app.add_middleware(authentication.Authentication, gate=gate, open_paths=health.PATHS, audiences=artifacts.audiences)
    app.add_middleware(Audited)
    app.add_middleware(RequestId)
    app.include_router(health.router(objects))
    app.include_router(artifacts.router(store, access))
    app.include_router(jobs.router(Scheduling(scheduling), places))
    app.include_router(pipelines.router(store, revisions, access, now=now))
    return app
