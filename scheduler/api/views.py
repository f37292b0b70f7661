"""Bodies that the scheduling server alone sends, as its OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from scheduler.web.views import View


class TotalsView(View):
    pods: int
    requestCpuMillicores: int  # noqa: N815
    requestMemoryBytes: int  # noqa: N815
    limitCpuMillicores: int  # noqa: N815
    limitMemoryBytes: int  # noqa: N815


class FlowView(View):
    name: str
    engine: str = Field(description="Configuration of the stream engine, YAML.")


class PlanView(View):
    """What a job would be. Nothing was made."""

    pipeline: str
    revision: int | None
    values: dict[str, Any] = Field(description="The Helm values document.")
    valuesText: str = Field(description="The same to the byte, as YAML.")  # noqa: N815
    objects: list[dict[str, Any]] = Field(description="What the job's chart makes of them.")
    totals: TotalsView
    flows: list[FlowView]
    deadlines: dict[str, int]
    digests: dict[str, Any]
    notes: list[str]


class ChannelView(View):
    name: str
    environment: str
    direction: str
    type: str
    dataVersion: str  # noqa: N815
    channel: dict[str, Any] | None = Field(description="The DataChannel document; null when it is broken.")
    record_schema: dict[str, Any] | None = Field(alias="schema", description="The RecordSchema document.")
    problem: str = Field(description="Why it cannot be used; empty when it can.")


class ChannelList(View):
    channels: list[ChannelView]
