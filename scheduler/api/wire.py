"""Bodies that come in, closed and strict; what they mean as an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scheduler.errors import InvalidInputError
from scheduler.jobs.order import GitPlace, Order
from scheduler.model import canonical, duration
from scheduler.model.problem import Problem

Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=253)]
Parameter = str | bool | int | float | None


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class GitBody(Body):
    """Where an IR lies on the platform's git server."""

    path: Text = Field(description="Repository, below the git server's base URL.", examples=["team/flights.git"])
    ref: Text = Field(description="Branch, tag or commit; the job keeps the commit id.", examples=["main"])
    folder: Text = Field(
        default="", description="Folder of the IR in the repository.", examples=["pipelines/flight-delay"]
    )


class DeadlinesBody(Body):
    """Durations such as `30s`, `5m` or `2h`; what is not given is as the pipeline says."""

    queue: Text | None = Field(default=None, description="Until task install starts.", examples=["1h"])
    install: Text | None = Field(default=None, description="For helm install.", examples=["5m"])
    ready: Text | None = Field(default=None, description="Until services and flow are ready.", examples=["5m"])
    run: Text | None = Field(default=None, description="For the scoring.", examples=["2h"])
    finish: Text | None = Field(default=None, description="For the teardown.", examples=["10m"])


class JobBody(Body):
    """What to run, and how. Exactly one of `pipeline`, `ir` and `git`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "environment": "staging",
                    "pipeline": "flight-delay",
                    "revision": 3,
                    "parameters": {"threshold": 0.5},
                    "labels": {"team": "ops"},
                    "deadlines": {"run": "2h"},
                }
            ]
        }
    )

    environment: Name = Field(description="Namespace where the job runs.", examples=["staging"])
    pipeline: Name | None = Field(default=None, description="A deployed pipeline's name.", examples=["flight-delay"])
    revision: int | None = Field(default=None, ge=1, description="Of `pipeline`; without it the newest.", examples=[3])
    ir: list[dict[str, Any]] | None = Field(default=None, description="The IR itself, as documents.")
    git: GitBody | None = Field(default=None, description="An IR on the git server.")
    parameters: dict[str, Parameter] = Field(default={}, description="Values of the pipeline's parameters.")
    labels: dict[str, str] = Field(default={}, description="To find the job by.", examples=[{"team": "ops"}])
    deadlines: DeadlinesBody = Field(default=DeadlinesBody(), description="Over the pipeline's own.")
    trigger: dict[str, Any] | None = Field(default=None, description="What caused the job; kept as it is.")
    dataVersions: dict[str, str] = Field(default={}, description="Source channel -> version of its data.")  # noqa: N815

    @model_validator(mode="after")
    def _is_json(self) -> JobBody:
        """Python's JSON reader lets through what no JSON writer may write."""
        try:
            canonical.json_bytes({"ir": self.ir, "trigger": self.trigger})
        except (RecursionError, ValueError):
            raise ValueError("not JSON: NaN, an infinite number, half a surrogate pair, or nested too deeply") from None
        return self

    def order(self) -> Order:
        """InvalidInputError lists each deadline that is no duration."""
        return Order(
            environment=self.environment,
            pipeline=self.pipeline or "",
            revision=self.revision,
            ir=tuple(self.ir or ()),
            git=GitPlace(**self.git.model_dump()) if self.git else None,
            parameters=self.parameters,
            labels=self.labels,
            deadlines=_seconds(self.deadlines),
            trigger=self.trigger,
            data_versions=self.dataVersions,
        )


class CancelBody(Body):
    mode: Literal["cancel", "drain"] = Field(
        "cancel",
        description="`cancel` ends the job at once and tears it down; `drain` lets it finish what it has read.",
    )


class CompletionBody(Body):
    outcome: Literal["Succeeded", "Failed"] = Field(description="How the scoring ended.")
    message: Annotated[str, Field(max_length=500)] = Field(default="", description="For people.")


class ChannelBody(Body):
    """A data channel and the schema of its records, as two IR documents."""

    channel: dict[str, Any] = Field(
        description="The DataChannel document.",
        examples=[
            {
                "apiVersion": "modelops/v1",
                "kind": "DataChannel",
                "metadata": {"name": "flights"},
                "spec": {
                    "direction": "source",
                    "type": "file",
                    "schema": "flight",
                    "config": {"volume": "data", "path": "flights.csv", "format": "csv"},
                },
            }
        ],
    )
    record_schema: dict[str, Any] = Field(
        alias="schema",
        description="The RecordSchema document that it names.",
        examples=[
            {
                "apiVersion": "modelops/v1",
                "kind": "RecordSchema",
                "metadata": {"name": "flight"},
                "spec": {"properties": {"carrier": {"type": "string"}}, "required": ["carrier"]},
            }
        ],
    )


def _seconds(given: DeadlinesBody) -> Mapping[str, int]:
    seconds: dict[str, int] = {}
    problems: list[Problem] = []
    for phase, text in given.model_dump().items():
        if text is None:
            continue
        try:
            seconds[phase] = duration.seconds(text)
        except ValueError as error:
            problems.append(Problem(pointer=f"/deadlines/{phase}", message=f"'{text}': {error}"))
    if problems:
        raise InvalidInputError(problems)
    return seconds
