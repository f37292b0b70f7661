"""What a job would be, without making it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from scheduler.api.context import Context
from scheduler.api.views import PlanView
from scheduler.api.wire import JobBody
from scheduler.jobs import plan
from scheduler.jobs.plan import Plan
from scheduler.web import views
from scheduler.web.authentication import caller_of

_RIGHTS = (
    "Needs `create plans` in the environment; for a deployed pipeline also `get pipelines` in the platform's namespace."
)


def router(context: Context) -> APIRouter:
    routes = APIRouter(prefix="/v1/plans", tags=["plans"], responses=views.PROBLEMS)

    @routes.post("", summary="Plan a job", description=_RIGHTS, responses={200: {"model": PlanView}})
    def make(body: JobBody, request: Request) -> JSONResponse:
        caller = caller_of(request)
        context.access.require(caller, verb="create", resource="plans", environment=body.environment)
        if body.pipeline:
            context.access.require_pipelines(caller)
        return JSONResponse(_view(plan.plan(body.order(), ports=context.ports)))

    return routes


def _view(made: Plan) -> dict[str, object]:
    return {
        "pipeline": made.pipeline,
        "revision": made.revision,
        "values": made.resolved.values,
        "valuesText": made.resolved.values_text,
        "objects": list(made.objects),
        "totals": made.totals.to_json(),
        "flows": [{"name": flow.name, "engine": flow.engine} for flow in made.resolved.flows],
        "deadlines": dict(made.deadlines),
        "digests": dict(made.digests),
        "notes": list(made.notes),
    }
