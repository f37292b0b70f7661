"""/v1/pipelines: numbered revisions of the documents of scoring pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from scheduler import names
from scheduler.artifacts import revision_json
from scheduler.artifacts.revisions import Revisions
from scheduler.artifacts.store import ArtifactStore
from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.ir import load
from scheduler.model.pipeline import ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.modelops_server import views
from scheduler.modelops_server.access import Access
from scheduler.web.views import NOT_FOUND, PROBLEMS


class Deployment(BaseModel):
    """The documents of one ScoringPipeline and all that it refers to."""

    model_config = ConfigDict(extra="forbid")

    documents: list[dict[str, Any]] = Field(description="IR documents; every model with the sha256 of its artifact")


def router(store: ArtifactStore, revisions: Revisions, access: Access, *, now: Callable[[], datetime]) -> APIRouter:
    routes = APIRouter(prefix="/v1/pipelines", tags=["pipelines"], responses=PROBLEMS)
    _deploy(routes, store, revisions, access, now)
    _read(routes, revisions, access)
    return routes


def _deploy(
    routes: APIRouter, store: ArtifactStore, revisions: Revisions, access: Access, now: Callable[[], datetime]
) -> None:
    @routes.post(
        "/{name}/revisions",
        status_code=201,
        responses={
            200: {"model": views.MadeView, "description": "The latest revision holds the same."},
            201: {"model": views.MadeView, "description": "The next revision."},
        },
    )
    def deploy(name: str, body: Deployment, request: Request) -> JSONResponse:
        """Make the next revision (201), or name the latest when it holds the same (200); 422 with every problem."""
        with access.change(request, verb="create", resource="pipelines", name=name) as change:
            caller = access.require(request, verb="create", resource="pipelines")
            change.allow("create pipelines")
            # which model types there are servers for is the scheduling server's to know
            loaded = load.from_documents(body.documents, model_types=None)
            problems = [*_other_name(name, loaded.pipeline), *_missing_artifacts(loaded.pipeline, store)]
            if problems:
                raise InvalidInputError(problems)
            made, is_new = revisions.add(
                name,
                loaded.documents,
                digest=loaded.digest,
                created_at=now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                created_by=caller.name,
            )
            change.after = {"revision": made.revision, "digest": made.digest, "isNew": is_new}
        value = {**revision_json.to_json(made), "created": is_new}
        return JSONResponse(value, status_code=201 if is_new else 200)


def _read(routes: APIRouter, revisions: Revisions, access: Access) -> None:
    @routes.get("", responses={200: {"model": views.LatestView}})
    def list_(request: Request) -> Mapping[str, object]:
        """The latest revision of every pipeline."""
        access.require(request, verb="list", resource="pipelines")
        return {"pipelines": [revision_json.to_json(item) for item in revisions.latest()]}

    @routes.get("/{name}", responses={200: {"model": views.RevisionsView}, **NOT_FOUND})
    def show(name: str, request: Request) -> Mapping[str, object]:
        """Every revision of one pipeline, oldest first."""
        access.require(request, verb="get", resource="pipelines")
        found = revisions.all(_checked(name))
        return {"name": name, "latest": found[-1].revision, "revisions": [revision_json.to_json(one) for one in found]}

    @routes.get("/{name}/revisions/{revision}", responses={200: {"model": views.DocumentsView}, **NOT_FOUND})
    def get(name: str, revision: str, request: Request) -> Mapping[str, object]:
        """One revision with its documents; `latest` for the newest."""
        access.require(request, verb="get", resource="pipelines")
        if revision != "latest" and not (revision.isascii() and revision.isdigit() and len(revision) < 10):
            raise NotFoundError(f"'{revision}' is not a revision: a number or 'latest' is")
        found = revisions.get(_checked(name), None if revision == "latest" else int(revision))
        return revision_json.to_json(found, with_documents=True)


def _checked(name: str) -> str:
    """The name, which may now be used as a folder's."""
    if not names.is_name(name):
        raise NotFoundError(f"no pipeline is named '{name[:80]}'")
    return name


def _other_name(name: str, pipeline: ScoringPipeline) -> list[Problem]:
    if name == pipeline.name:
        return []
    return [Problem(message=f"the documents are of pipeline '{pipeline.name}', not of '{name}'")]


def _missing_artifacts(pipeline: ScoringPipeline, store: ArtifactStore) -> list[Problem]:
    return [
        Problem(
            document=f"Model/{model.name}", message=f"its artifact {model.sha256} is not in the store: upload it first"
        )
        for model in pipeline.models
        if not store.has(model.sha256)
    ]
