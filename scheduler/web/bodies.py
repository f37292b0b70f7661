"""Bodies that both servers take, closed and strict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scheduler.model import canonical

Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=253)]
Parameter = str | bool | int | float | None


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class DeadlinesBody(Body):
    """Durations such as `30s`, `5m` or `2h`; what is not given is as the pipeline says."""

    queue: Text | None = Field(default=None, description="Until task install starts.", examples=["1h"])
    install: Text | None = Field(default=None, description="For helm install.", examples=["5m"])
    ready: Text | None = Field(default=None, description="Until services and flow are ready.", examples=["5m"])
    run: Text | None = Field(default=None, description="For the scoring.", examples=["2h"])
    finish: Text | None = Field(default=None, description="For the teardown.", examples=["10m"])


class OrderBody(Body):
    """How to run a pipeline, whatever names it."""

    environment: Name = Field(description="Namespace where the job runs.", examples=["staging"])
    revision: int | None = Field(
        default=None, ge=1, description="Of the pipeline; without it the newest.", examples=[3]
    )
    parameters: dict[str, Parameter] = Field(default={}, description="Values of the pipeline's parameters.")
    labels: dict[str, str] = Field(default={}, description="To find the job by.", examples=[{"team": "ops"}])
    deadlines: DeadlinesBody = Field(default=DeadlinesBody(), description="Over the pipeline's own.")
    trigger: dict[str, Any] | None = Field(default=None, description="What caused the job; kept as it is.")
    dataVersions: dict[str, str] = Field(default={}, description="Source channel -> version of its data.")  # noqa: N815

    def opaque(self) -> Mapping[str, object]:
        """What is kept as it came, and no field of ours has checked."""
        return {"trigger": self.trigger}

    @model_validator(mode="after")
    def _is_json(self) -> OrderBody:
        """Python's JSON reader lets through what no JSON writer may write."""
        try:
            canonical.json_bytes(self.opaque())
        except (RecursionError, ValueError):
            raise ValueError("not JSON: NaN, an infinite number, half a surrogate pair, or nested too deeply") from None
        return self


class CancelBody(Body):
    mode: Literal["cancel", "drain", "force"] = Field(
        "cancel",
        description="`cancel` ends the job at once and tears it down; `drain` lets a stream publish all that its "
        "source has now, and ends a batch without a result; `force` waits for no pod, for when a node is "
        "gone: the janitor tears it down.",
    )
