"""Every route of a server as its OpenAPI document names it, and a request for each that its rights decide about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Paths that need no token."""
READS: Final = frozenset({"GET", "HEAD"})
CHANGING_NOTHING: Final = frozenset({"POST /v1/plans"})
"""Routes that only look like a change: their question does not fit into a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the requests are about: things that are there, or are not."""

    environment: str
    job_id: str = "j" + "a" * 20
    pipeline: str = "nothing"
    channel: str = "nothing"
    sha256: str = "0" * 64
    content: bytes = b""
    """Of an artifact that is sent."""
    documents: tuple[Mapping[str, Any], ...] = ()
    channel_documents: tuple[Mapping[str, Any], ...] = ({}, {})
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: object = None
    content: bytes | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """For `request` of an HTTP client."""
        about: dict[str, Any] = {"method": self.method, "url": self.path, "params": self.query}
        if self.content is not None:
            return {**about, "content": self.content, "headers": {"Content-Type": "application/octet-stream"}}
        return {**about, "json": self.body} if self.body is not None else about


def of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """`METHOD /path` of all that need a token."""
    return tuple(
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        if path not in OPEN
        for method in methods
    )


def changes(document: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(route for route in of(document) if route.split()[0] not in READS and route not in CHANGING_NOTHING)


def request(route: str, document: Mapping[str, Any], target: Target) -> Request:
    """One that the route's own checks let through. KeyError for a route with a body that is not known here yet."""
    method, path = route.split()
    about = document["paths"][path][method.lower()]
    asked = {item["name"] for item in about.get("parameters", ()) if item["in"] == "query"}
    names = {
        "job_id": target.job_id,
        "name": target.channel if "data-channels" in path else target.pipeline,
        "sha256": target.sha256,
        "environment": target.environment,
        "revision": "1",
    }
    return Request(
        method=method,
        path=path.format_map(names),
        query={"environment": target.environment} if "environment" in asked else {},
        body=_bodies(target)[route] if about.get("requestBody", {}).get("required") else None,
        content=target.content if route == "PUT /v1/artifacts/{sha256}" else None,
    )


def _bodies(target: Target) -> Mapping[str, object]:
    order = {"environment": target.environment, "parameters": dict(target.parameters)}
    channel, schema = target.channel_documents
    return {
        "POST /v1/jobs": {**order, "pipeline": target.pipeline},
        "POST /v1/plans": {**order, "pipeline": target.pipeline},
        "POST /v1/cleanups": {"environment": target.environment, "dryRun": True},
        "PUT /v1/jobs/{job_id}/completion": {"outcome": "Succeeded"},
        "PUT /v1/data-channels/{name}": {"channel": channel, "schema": schema},
        "POST /v1/pipelines/{name}/revisions": {"documents": list(target.documents)},
        "POST /v1/pipelines/{name}/jobs": order,
    }
