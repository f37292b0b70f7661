"""The data channels that are registered in an environment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from scheduler.api.context import Context
from scheduler.api.views import ChannelList, ChannelView
from scheduler.api.wire import ChannelBody
from scheduler.channels import deploy, registry, remove
from scheduler.channels.registry import Entry
from scheduler.jobs import channel_users
from scheduler.web import audit, views
from scheduler.web.authentication import caller_of

Place = Annotated[str, Query(min_length=1, max_length=253, description="Namespace whose registry is meant.")]


def router(context: Context) -> APIRouter:
    routes = APIRouter(prefix="/v1/data-channels", tags=["data channels"], responses=views.PROBLEMS)
    _read(routes, context)
    _deploy(routes, context)
    _remove(routes, context)
    return routes


def _read(routes: APIRouter, context: Context) -> None:
    cluster = context.ports.cluster

    @routes.get("", summary="List data channels", responses={200: {"model": ChannelList}})
    def list_(environment: Place, request: Request) -> JSONResponse:
        context.access.require(caller_of(request), verb="list", resource="datachannels", environment=environment)
        found = registry.read(cluster, environment)
        return JSONResponse({"channels": [_view(entry) for entry in found.entries]})

    @routes.get("/{name}", summary="Show a data channel", responses={200: {"model": ChannelView}, **views.NOT_FOUND})
    def show(name: str, environment: Place, request: Request) -> JSONResponse:
        context.access.require(caller_of(request), verb="get", resource="datachannels", environment=environment)
        return JSONResponse(_view(registry.show(name, environment, cluster=cluster)))


def _deploy(routes: APIRouter, context: Context) -> None:
    @routes.put(
        "/{name}",
        summary="Register or replace a data channel",
        responses={
            200: {"model": ChannelView, "description": "Replaced."},
            201: {"model": ChannelView, "description": "Registered."},
        },
    )
    def put(name: str, environment: Place, body: ChannelBody, request: Request) -> JSONResponse:
        with audit.change(request, verb="update", resource="datachannels", name=name, namespace=environment) as change:
            context.access.require(caller_of(request), verb="update", resource="datachannels", environment=environment)
            change.allow("update datachannels")
            documents = [body.channel, body.record_schema]
            made = deploy.deploy(name, documents, environment=environment, cluster=context.ports.cluster)
            change.before, change.after = _facts(made.before), _facts(made.entry)
        return JSONResponse(_view(made.entry), status_code=200 if made.before else 201)


def _remove(routes: APIRouter, context: Context) -> None:
    def users(environment: str, channel: str) -> tuple[str, ...]:
        ports = context.ports
        return channel_users.unfinished(environment, channel, board=ports.board, cluster=ports.cluster)

    @routes.delete(
        "/{name}",
        summary="Remove a data channel",
        description="409 names the unfinished jobs that use it, unless `force` is given.",
        status_code=204,
        responses={**views.NOT_FOUND, **views.CONFLICT},
    )
    def delete(
        name: str,
        environment: Place,
        request: Request,
        force: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query field
    ) -> Response:
        with audit.change(request, verb="delete", resource="datachannels", name=name, namespace=environment) as change:
            context.access.require(caller_of(request), verb="delete", resource="datachannels", environment=environment)
            change.allow("delete datachannels", force=force)
            gone = remove.remove(name, environment, users=users, cluster=context.ports.cluster, is_forced=force)
            change.before = _facts(gone)
        return Response(status_code=204)


def _facts(entry: Entry | None) -> dict[str, str] | None:
    """For the audit: what it is, and nothing of how it is configured."""
    if entry is None or entry.loaded is None:
        return None
    channel = entry.loaded.channel
    return {"direction": channel.direction, "type": channel.type, "dataVersion": channel.data_version}


def _view(entry: Entry) -> dict[str, object]:
    loaded = entry.loaded
    return {
        "name": entry.name,
        "environment": entry.environment,
        "direction": loaded.channel.direction if loaded else "",
        "type": loaded.channel.type if loaded else "",
        "dataVersion": loaded.channel.data_version if loaded else "",
        "channel": loaded.document if loaded else None,
        "schema": loaded.schema if loaded else None,
        "problem": entry.problem,
    }
