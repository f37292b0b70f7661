"""What the kubelet asks; the only routes without a token."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import APIRouter

from scheduler.errors import UnavailableError

PATHS = frozenset({"/healthz", "/readyz"})


def router(data: Path) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """The volume is there and can be written to; 503 otherwise."""
        if not os.access(data / "parts", os.W_OK):
            raise UnavailableError("the artifact store's volume cannot be written to")
        return {"status": "ok"}

    return routes
