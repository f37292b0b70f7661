"""What the kubelet asks; the only routes without a token."""

from __future__ import annotations

from fastapi import APIRouter

from scheduler.artifacts.objects import Objects

PATHS = frozenset({"/healthz", "/readyz"})


def router(objects: Objects) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """The volume, or the store, of artifacts can be used; 503 otherwise."""
        objects.check()
        return {"status": "ok"}

    return routes
