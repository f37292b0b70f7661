"""Whether the server lives, and whether it knows what the cluster holds. No token is needed."""

from __future__ import annotations

from fastapi import APIRouter, Response

from scheduler.cluster.mirror import Mirror

PATHS = frozenset({"/healthz", "/readyz"})


def router(mirror: Mirror) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Whether the server lives")
    async def healthz() -> dict[str, str]:
        """Answers whenever the event loop turns: a cluster that is away is no reason to restart the server."""
        return {"status": "ok"}

    @routes.get(
        "/readyz",
        summary="Whether the server knows what the cluster holds",
        responses={503: {"description": "A watch has not begun, or was not heard of lately."}},
    )
    async def readyz(response: Response) -> dict[str, object]:
        lost = [f"{watch.kind} in {watch.namespace}" for watch in mirror.watched() if not watch.is_healthy]
        if lost:
            response.status_code = 503
            return {"status": "waiting", "for": lost}
        return {"status": "ok"}

    return routes
