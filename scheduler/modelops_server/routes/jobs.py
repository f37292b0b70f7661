"""Jobs of deployed pipelines, through the scheduling server.

This server acts under its own account and so must ask itself what its callers may do, before it asks anything of the
scheduling server; who it acted for is written into the job.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from scheduler import names
from scheduler.client.scheduling import JobJson
from scheduler.errors import NotFoundError
from scheduler.jobs import reading
from scheduler.modelops_server.scheduling import Scheduling
from scheduler.web import audit, fields, views
from scheduler.web.authentication import caller_of
from scheduler.web.bodies import CancelBody, OrderBody
from scheduler.web.environments import Environments, hidden


def router(scheduling: Scheduling, environments: Environments) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["jobs"], responses=views.PROBLEMS)
    _start(routes, scheduling, environments)
    _list(routes, scheduling, environments)
    _show(routes, scheduling, environments)
    _cancel(routes, scheduling, environments)
    return routes


def _start(routes: APIRouter, scheduling: Scheduling, environments: Environments) -> None:
    @routes.post(
        "/pipelines/{name}/jobs",
        summary="Start a job of a deployed pipeline",
        description="Needs `create jobs` in the environment and `get pipelines` in the platform's namespace.",
        status_code=201,
        responses={
            200: {"model": views.JobView, "description": "This key and body have started it before."},
            201: {"model": views.JobView, "description": "Started."},
            **views.NOT_FOUND,
            **views.CONFLICT,
        },
    )
    def start(name: str, body: OrderBody, request: Request, key: fields.Key = "") -> JSONResponse:
        caller = caller_of(request)
        with audit.change(request, verb="create", resource="jobs", namespace=body.environment) as change:
            environments.require(caller, verb="create", resource="jobs", environment=body.environment)
            environments.require_pipelines(caller)
            change.allow("create jobs", pipeline=name[:80], idempotencyKey=key)
            if not names.is_name(name):
                raise NotFoundError(f"no pipeline is named '{name[:80]}'")
            order = {"pipeline": name, **body.model_dump(exclude_unset=True)}
            with scheduling.asked() as client:
                job, is_new = client.start(order, key=key, on_behalf_of=caller.name, request_id=change.request_id)
            change.name, change.after = job["id"], _facts(job)
        location = {"Location": f"/v1/jobs/{job['id']}"}
        return JSONResponse(job, status_code=201 if is_new else 200, headers=location)


def _list(routes: APIRouter, scheduling: Scheduling, environments: Environments) -> None:
    @routes.get(
        "/pipelines/{name}/jobs",
        summary="List the jobs of a pipeline, newest first",
        description="Needs `list jobs` in each environment that is named, or in any.",
        responses={200: {"model": views.JobPage}},
    )
    def page(
        *,
        name: str,
        request: Request,
        wanted: fields.Environments = None,
        states: fields.States = None,
        labels: fields.Labels = None,
        since: fields.Since = "",
        until: fields.Until = "",
        limit: fields.Limit = 100,
        cursor: fields.Cursor = "",
    ) -> JSONResponse:
        places = environments.allowed(caller_of(request), verb="list", resource="jobs", among=wanted or ())
        query: dict[str, Any] = {
            "pipeline": name,
            "environment": places,
            "state": states,
            "label": labels,
            "since": since or None,
            "until": until or None,
            "limit": limit,
            "cursor": cursor or None,
        }
        with scheduling.asked() as client:
            return JSONResponse(client.page(query))


def _show(routes: APIRouter, scheduling: Scheduling, environments: Environments) -> None:
    @routes.get("/jobs/{job_id}", summary="Show a job", responses={200: {"model": views.JobView}, **views.NOT_FOUND})
    def show(job_id: str, request: Request) -> JSONResponse:
        return JSONResponse(_shown(job_id, request, scheduling, environments))


def _cancel(routes: APIRouter, scheduling: Scheduling, environments: Environments) -> None:
    @routes.post(
        "/jobs/{job_id}/cancel",
        summary="Cancel or drain a job, or end it by force",
        description="Needs `get jobs` and `delete jobs` in the job's environment. A job that is cancelled already is "
        "answered as it is; 409 when its scoring is over.",
        responses={200: {"model": views.JobView}, **views.NOT_FOUND, **views.CONFLICT},
    )
    def end(job_id: str, request: Request, body: CancelBody | None = None) -> JSONResponse:
        caller, mode = caller_of(request), body.mode if body else "cancel"
        with audit.change(request, verb=mode, resource="jobs", name=job_id) as change:
            before = _shown(job_id, request, scheduling, environments)
            change.namespace, change.before = before["environment"], _facts(before)
            environments.require(caller, verb="delete", resource="jobs", environment=before["environment"])
            change.allow("delete jobs")
            with scheduling.asked() as client:
                after = client.cancel(job_id, mode=mode, on_behalf_of=caller.name, request_id=change.request_id)
            change.after = _facts(after)
        return JSONResponse(after)


def _facts(job: JobJson) -> dict[str, str]:
    return {"id": job["id"], "state": job["state"]}


def _shown(job_id: str, request: Request, scheduling: Scheduling, environments: Environments) -> JobJson:
    """The job when the caller may get it; otherwise, or without one, the same NotFoundError."""
    missing = reading.not_found(job_id)
    with hidden(missing):
        places = environments.allowed(caller_of(request), verb="get", resource="jobs")
    if not names.is_job_id(job_id):
        raise missing
    with scheduling.asked() as client:
        job = client.job(job_id)
    if job["environment"] not in places:
        raise missing
    return job
