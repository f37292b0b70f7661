"""What jobs have left behind, and removing it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from scheduler.api.context import Context
from scheduler.api.wire import CleanupBody
from scheduler.errors import ConflictError
from scheduler.jobs.leftovers import Leftover, leftovers
from scheduler.web import audit, views
from scheduler.web.authentication import caller_of


def router(context: Context) -> APIRouter:
    routes = APIRouter(prefix="/v1/cleanups", tags=["cleanups"], responses=views.PROBLEMS)

    @routes.post(
        "",
        summary="Remove what jobs have left behind",
        description="Lists every release whose job will not remove it any more, and removes it now instead of at the "
        "janitor's next round; with `dryRun` it only tells. Needs `delete jobs`.",
        responses={200: {"model": views.CleanupView}, **views.CONFLICT},
    )
    def clean(body: CleanupBody, request: Request) -> JSONResponse:
        caller, ports = caller_of(request), context.ports
        verb, among = "list leftovers" if body.dryRun else "clean", [body.environment] if body.environment else ()
        with audit.change(request, verb=verb, resource="jobs", namespace=body.environment) as change:
            places = context.access.allowed(caller, verb="delete", resource="jobs", among=among)
            known = [place for place in places if not ports.board.mirror.is_refused(place)]
            change.allow("delete jobs", namespace=", ".join(known))
            if not ports.settings.janitor.is_enabled:
                raise ConflictError("the janitor is switched off here (chart value scheduling-server.janitor.enabled)")
            found = leftovers(known, is_dry_run=body.dryRun, ports=ports)
            change.after = [f"{item.orphan.release}: {item.action.value}" for item in found]
        return JSONResponse({"dryRun": body.dryRun, "releases": [_view(item) for item in found]})

    return routes


def _view(item: Leftover) -> dict[str, object]:
    orphan = item.orphan
    return {
        "release": orphan.release,
        "environment": orphan.environment,
        "action": item.action.value,
        "why": orphan.why,
        "objects": list(orphan.objects),
        "message": item.message,
    }
