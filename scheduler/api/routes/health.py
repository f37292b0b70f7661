"""Whether the server lives, and whether it knows what the cluster holds. No token is needed."""

from __future__ import annotations

from fastapi import APIRouter, Response

from scheduler.cluster.mirror import Mirror, Watched

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
        """A namespace that is gone is known to be gone: the other environments are served all the same."""
        watched = mirror.watched()
        lost = [_named(watch) for watch in watched if not watch.is_healthy and not watch.is_refused]
        refused = [_named(watch) for watch in watched if watch.is_refused]
        more = {"refused": refused} if refused else {}
        if lost:
            response.status_code = 503
            return {"status": "waiting", "for": lost, **more}
        return {"status": "ok", **more}

    return routes


def _named(watch: Watched) -> str:
    return f"{watch.kind} in {watch.namespace}"
