"""Bodies that both servers send, as their OpenAPI documents say. A test holds them against what is really sent."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from scheduler.model.job import Cleanup, JobState, Reason

Parameter = str | bool | int | float | None


class View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LedgerView(View):
    read: int = Field(description="Records that came in.")
    written: int = Field(description="Records in the sink.")
    deadLettered: int = Field(description="Records in the dead-letter channel.")  # noqa: N815
    dropped: int = Field(description="Records that failed in a step with `onError: drop`.")
    filtered: int = Field(description="Records that a filter kept out.")
    split: int = Field(description="Records that steps added.")
    folded: int = Field(description="Records that steps merged into others.")


class RecordsView(LedgerView):
    perSecond: float | None = Field(description="Records read a second.")  # noqa: N815


class ProgressView(View):
    phase: str = Field(description="starting, running, draining or finished.")
    ledger: LedgerView
    recordsPerSecond: float  # noqa: N815
    total: int | None = Field(description="Records in the source, once they are counted.")
    message: str
    updated: str


class DiagnosisView(View):
    category: str = Field(description="configuration, data, model, capacity, platform or user.")
    summary: str
    detail: str
    resolution: str = Field(description="What to do about it.")


class JobView(View):
    """One scoring job."""

    id: str = Field(examples=["jumjfu4uiml3xmwuaaihi"])
    environment: str = Field(examples=["staging"])
    pipeline: str = Field(examples=["flight-delay"])
    revision: int | None
    state: JobState
    task: str = Field(description="Pipeline task at work, or the one that failed.")
    reason: Reason
    message: str
    diagnosis: DiagnosisView | None
    records: RecordsView | None
    progress: ProgressView | None
    cleanup: Cleanup
    leftovers: list[str] = Field(description="Objects of the release that are still there.")
    parameters: dict[str, Parameter]
    labels: dict[str, str]
    deadlines: dict[str, int] = Field(description="Seconds for each phase.")
    trigger: dict[str, Any] | None
    git: dict[str, str] | None
    dataVersions: dict[str, str]  # noqa: N815
    digests: dict[str, Any] = Field(description="Of body, ir, values, charts, models and images.")
    submittedBy: str  # noqa: N815
    submittedAt: str  # noqa: N815
    timestamps: dict[str, str] = Field(description="State -> when it was entered.")
    resourceVersion: str  # noqa: N815


class JobPage(View):
    jobs: list[JobView]
    nextCursor: str = Field(description="`cursor` of the next page; empty after the last.")  # noqa: N815


class LeftoverView(View):
    """A release whose job will not remove it any more."""

    release: str = Field(description="Its name, which is the job's id.", examples=["jumjfu4uiml3xmwuaaihi"])
    environment: str
    action: Literal["removed", "would remove", "waits", "failed"]
    why: str = Field(description="Why it is left over.")
    objects: list[str] = Field(description="What was found of it, as Kind/name.")
    message: str = Field(description="What was done, or what is in the way.")


class CleanupView(View):
    dryRun: bool  # noqa: N815
    releases: list[LeftoverView]


class ProblemEntry(View):
    message: str
    pointer: str = ""
    file: str = ""
    line: int = 0
    document: str = ""
    candidates: list[str] = []


class ProblemView(BaseModel):
    """RFC 9457, with every fault of an input in `problems`."""

    type: str = Field(examples=["urn:modelops:problem:invalid-input"])
    title: str
    status: int
    detail: str
    problems: list[ProblemEntry] = []


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": PROBLEM_REFERENCE}}}


PROBLEM_REFERENCE: Final = {"$ref": "#/components/schemas/ProblemView"}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    400: _answer("Not JSON."),
    401: _answer("No accepted token of audience `modelops`."),
    403: _answer("The caller may not do this there; also for environments that do not exist."),
    408: _answer("The body came too slowly."),
    413: _answer("The body, IR or Values are too large."),
    415: _answer("The body does not say that it is `application/json`."),
    422: _answer("The input has faults; `problems` lists every one."),
    500: _answer("A fault of the server."),
    503: _answer("The cluster, artifact store or git server does not answer; `Retry-After` says when to try again."),
}
NOT_FOUND: Final[dict[int | str, dict[str, Any]]] = {404: _answer("There is none, or the caller may not see it.")}
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {409: _answer("What is there contradicts what was asked.")}


def describe(app: FastAPI) -> None:
    """Let the OpenAPI document of `app` say what a problem looks like."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = made().setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemView"] = _problem_schema()
            schemas["ProblemEntry"] = ProblemEntry.model_json_schema()
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _problem_schema() -> dict[str, Any]:
    schema = ProblemView.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema
