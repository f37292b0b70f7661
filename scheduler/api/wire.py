"""Bodies that come in, closed and strict; what they mean as an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from scheduler.errors import InvalidInputError
from scheduler.jobs.order import GitPlace, Order
from scheduler.model import duration
from scheduler.model.problem import Problem
from scheduler.web.bodies import Body, DeadlinesBody, Name, OrderBody, Text


class GitBody(Body):
    """Where an IR lies on the platform's git server."""

    path: Text = Field(description="Repository, below the git server's base URL.", examples=["team/flights.git"])
    ref: Text = Field(description="Branch, tag or commit; the job keeps the commit id.", examples=["main"])
    folder: Text = Field(
        default="", description="Folder of the IR in the repository.", examples=["pipelines/flight-delay"]
    )


class JobBody(OrderBody):
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

    pipeline: Name | None = Field(default=None, description="A deployed pipeline's name.", examples=["flight-delay"])
    ir: list[dict[str, Any]] | None = Field(default=None, description="The IR itself, as documents.")
    git: GitBody | None = Field(default=None, description="An IR on the git server.")

    def opaque(self) -> Mapping[str, object]:
        return {**super().opaque(), "ir": self.ir}

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


class CleanupBody(Body):
    environment: Annotated[
        str, Field(max_length=253, description="Namespace; empty: all in which the caller may cancel jobs.")
    ] = ""
    dryRun: Annotated[bool, Field(description="Only tell what would be removed, and why.")] = False  # noqa: N815


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
