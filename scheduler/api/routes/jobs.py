"""Start, query, list, cancel and complete jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from scheduler.api import behalf, filters
from scheduler.api.context import Context
from scheduler.api.wire import CompletionBody, JobBody
from scheduler.errors import ConflictError, InvalidInputError
from scheduler.jobs import cancel, completion, listing, query, reading, submit
from scheduler.jobs.submit import Submitted
from scheduler.model import job_json
from scheduler.model.job import Job
from scheduler.model.problem import Problem
from scheduler.settings import Settings
from scheduler.web import audit, fields, views
from scheduler.web.audit import Change
from scheduler.web.authentication import caller_of
from scheduler.web.bodies import CancelBody
from scheduler.web.environments import hidden


def router(context: Context) -> APIRouter:
    routes = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=views.PROBLEMS)
    _submit(routes, context)
    _list(routes, context)
    _show(routes, context)
    _cancel(routes, context)
    _complete(routes, context)
    return routes


def shown(job_id: str, *, environment: str, request: Request, context: Context) -> Job:
    """The job when the caller may get it; otherwise, or without one, the same NotFoundError."""
    caller, ports = caller_of(request), context.ports
    with hidden(reading.not_found(job_id)):
        places = context.access.allowed(caller, verb="get", resource="jobs", among=[environment])
    return query.query(job_id, environments=places, board=ports.board, cluster=ports.cluster)


def _submit(routes: APIRouter, context: Context) -> None:
    @routes.post(
        "",
        summary="Start a job",
        description="Needs `create jobs` in the environment, and in the platform's namespace `get pipelines` for a "
        "deployed pipeline, `get artifacts` for an IR given otherwise.",
        status_code=201,
        responses={
            200: {"model": views.JobView, "description": "This key and body have started it before."},
            201: {"model": views.JobView, "description": "Started."},
            **views.CONFLICT,
        },
    )
    def start(body: JobBody, request: Request, key: fields.Key = "") -> JSONResponse:
        with _changing(request, "create", namespace=body.environment) as change:
            by = _permitted(body, request, context)
            order = body.order()
            change.allow("create jobs", idempotencyKey=key, bodyDigest=order.digest)
            if not key.isprintable():
                raise InvalidInputError([Problem(pointer="header:Idempotency-Key", message="must be printable")])
            made = submit.submit(order, key=key, by=by, ports=context.ports)
            change.name, change.after = made.job.id, _facts(made.job)
        return _started(made)


def _permitted(body: JobBody, request: Request, context: Context) -> str:
    """Who starts the job; ForbiddenError when the caller may not, or may not read what it would run."""
    caller = caller_of(request)
    context.access.require(caller, verb="create", resource="jobs", environment=body.environment)
    if body.pipeline:
        context.access.require_pipelines(caller)
    else:
        context.access.require_artifacts(caller)
    return behalf.author(request, access=context.access, environment=body.environment)


def _started(made: Submitted) -> JSONResponse:
    return JSONResponse(
        job_json.job_to_json(made.job),
        status_code=201 if made.is_new else 200,
        headers={"Location": f"/v1/jobs/{made.job.id}"},
    )


def _list(routes: APIRouter, context: Context) -> None:
    @routes.get("", summary="List jobs, newest first", responses={200: {"model": views.JobPage}})
    def page(
        *,
        request: Request,
        environments: fields.Environments = None,
        states: fields.States = None,
        pipeline: Annotated[str, Query(max_length=253)] = "",
        labels: fields.Labels = None,
        since: fields.Since = "",
        until: fields.Until = "",
        limit: fields.Limit = 100,
        cursor: fields.Cursor = "",
    ) -> JSONResponse:
        wanted = filters.parse(states=states or (), pipeline=pipeline, labels=labels or (), since=since, until=until)
        caller = caller_of(request)
        places = context.access.allowed(caller, verb="list", resource="jobs", among=environments or ())
        found = listing.page(context.ports.board, places, filter_=wanted, limit=limit, cursor=cursor)
        jobs = [job_json.job_to_json(job) for job in found.jobs]
        return JSONResponse({"jobs": jobs, "nextCursor": found.next_cursor})


def _show(routes: APIRouter, context: Context) -> None:
    @routes.get("/{job_id}", summary="Show a job", responses={200: {"model": views.JobView}, **views.NOT_FOUND})
    def show(job_id: str, request: Request, environment: fields.Environment = "") -> JSONResponse:
        return JSONResponse(
            job_json.job_to_json(shown(job_id, environment=environment, request=request, context=context))
        )


def _cancel(routes: APIRouter, context: Context) -> None:
    @routes.post(
        "/{job_id}/cancel",
        summary="Cancel or drain a job, or end it by force",
        description="A drained stream publishes all that its source had; a drained batch ends without a result. A job "
        "that is cancelled or drained already is answered as it is; 409 when its scoring is over.",
        responses={200: {"model": views.JobView}, **views.NOT_FOUND, **views.CONFLICT},
    )
    def end(
        job_id: str, request: Request, body: CancelBody | None = None, environment: fields.Environment = ""
    ) -> JSONResponse:
        ports, mode = context.ports, body.mode if body else "cancel"
        with _changing(request, mode, name=job_id) as change:
            before = shown(job_id, environment=environment, request=request, context=context)
            change.namespace, change.before = before.environment, _facts(before)
            context.access.require(caller_of(request), verb="delete", resource="jobs", environment=before.environment)
            by = behalf.author(request, access=context.access, environment=before.environment)
            change.allow("delete jobs")
            if mode == "force":
                _require_janitor(ports.settings)
            after = _END[mode](job_id, before.environment, by=by, at=ports.now(), cluster=ports.cluster)
            change.after = _facts(after)
        return JSONResponse(job_json.job_to_json(after))


_END: Final[Mapping[str, Callable[..., Job]]] = {"cancel": cancel.cancel, "drain": cancel.drain, "force": cancel.force}


def _require_janitor(settings: Settings) -> None:
    janitor = settings.janitor
    if not janitor.is_enabled or janitor.is_dry_run:
        raise ConflictError(
            "force leaves the teardown to the janitor, which is switched off here (chart values "
            "scheduling-server.janitor.enabled and .dryRun)"
        )


def _complete(routes: APIRouter, context: Context) -> None:
    @routes.put(
        "/{job_id}/completion",
        summary="Say that a job's scoring is complete",
        description="For operators, and for the pod of the job's own flow.",
        responses={200: {"model": views.JobView}, **views.NOT_FOUND, **views.CONFLICT},
    )
    def complete(
        job_id: str, body: CompletionBody, request: Request, environment: fields.Environment = ""
    ) -> JSONResponse:
        caller, ports, reason = caller_of(request), context.ports, "the flow of the job itself"
        with _changing(request, "complete", name=job_id) as change:
            place = context.access.is_own_flow(caller, job_id=job_id)
            if not place:
                place = shown(job_id, environment=environment, request=request, context=context).environment
                change.namespace, reason = place, "update jobs"
                context.access.require(caller, verb="update", resource="jobs", environment=place)
            by = behalf.author(request, access=context.access, environment=place)
            change.allow(reason, namespace=place, outcome=body.outcome)
            after = completion.complete(
                job_id,
                place,
                outcome=body.outcome,
                message=body.message,
                by=by,
                at=ports.now(),
                cluster=ports.cluster,
            )
            change.after = _facts(after)
        return JSONResponse(job_json.job_to_json(after))


def _changing(request: Request, verb: str, *, name: str = "", namespace: str = "") -> AbstractContextManager[Change]:
    person = behalf.claimed(request) or ""
    return audit.change(request, verb=verb, resource="jobs", name=name, namespace=namespace, on_behalf_of=person)


def _facts(job: Job) -> dict[str, str]:
    return {"id": job.id, "state": job.state.value, "resourceVersion": job.resource_version}
