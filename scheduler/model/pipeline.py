"""The IR, loaded and checked: what `ir.load` returns and `preprocess` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


class FieldType(StrEnum):
    """OpenAPI 3.0.3 data types of a record's fields, type and format in one."""

    BOOLEAN = "boolean"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    DATE = "date"
    DATE_TIME = "date-time"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One named field of a record."""

    name: str
    type: FieldType
    nullable: bool = False
    required: bool = False
    description: str = ""
    items: Field | None = None
    """Element type of an array."""
    properties: tuple[Field, ...] = ()
    """Fields of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSchema:
    name: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((item for item in self.fields if item.name == name), None)


ParameterType: TypeAlias = Literal["string", "number", "integer", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Declared by a pipeline or a flow, set per job."""

    name: str
    type: ParameterType
    default: Scalar = None
    required: bool = False
    """True when there is no default: the job must set it."""
    description: str = ""
    enum: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataChannel:
    """Where a flow's records come from or go to."""

    name: str
    direction: Literal["source", "sink"]
    type: str
    """`file` or `test`."""
    schema: RecordSchema
    config: Mapping[str, object]
    """For `file`: volume (PersistentVolumeClaim), path, format (csv | json-lines), compression (none | gzip), and of a
    source whether to follow it. For a source of type `test`: seed, count (0: without end), rate (records a second; 0:
    as fast as they are taken), badShare (0..1); for a sink of that type nothing."""
    data_version: str = ""
    """Optional version of the data that a source reads; travels into Values, digests and the sink's manifest."""


class OnError(StrEnum):
    DEAD_LETTER = "dead-letter"
    DROP = "drop"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStep:
    name: str
    mapping: str
    """Bloblang, still with its `{{ }}` expressions."""
    on_error: OnError = OnError.DEAD_LETTER


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterStep:
    name: str
    condition: str
    """Bloblang query; a record for which it is true goes on, any other is counted as filtered."""
    on_error: OnError = OnError.DEAD_LETTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    count: int = 256
    period_milliseconds: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreStep:
    name: str
    model: str
    """Name of a model route: today the model itself; later a weighted set of revisions may stand behind it."""
    inputs: tuple[str, ...]
    output: str
    """The field that the step adds."""
    model_output: str = ""
    """Which of the model's outputs is taken; empty: its only one, or the one named like `output`."""
    batch: Batch = field(default_factory=Batch)
    on_error: OnError = OnError.DEAD_LETTER


Step: TypeAlias = MapStep | FilterStep | ScoreStep


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringFlow:
    name: str
    input: RecordSchema
    output: RecordSchema
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    name: str
    type: str
    """`pmml`, `python-script`, `python-binary`, … : picks the scoring server."""
    artifact: str
    """Path in the IR folder; only `sha256` counts after deploy."""
    sha256: str
    """64 hexadecimal digits; empty only in an IR folder that is validated before its digest was written down."""
    inputs: RecordSchema
    outputs: RecordSchema
    memory: str = ""
    """Kubernetes quantity that its scoring service is guaranteed and limited to; empty: as the chart has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRef:
    """A source, sink or dead-letter channel as a pipeline names it; its schema follows from the flows."""

    channel: str
    data_version: str = ""
    """Of a source: version of the data that is read; empty: the channel's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    channel: str
    max_ratio: float = 0.0
    """Dead-lettered records of all read ones, 0..1, above which the job fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds each phase of a job may take; 0 seconds of `run` are no deadline at all."""

    queue_seconds: int = 3600
    install_seconds: int = 300
    ready_seconds: int = 300
    run_seconds: int = 7200
    finish_seconds: int = 600

    @property
    def by_phase(self) -> Mapping[str, int]:
        """Phase -> seconds, as a job tells them.

        >>> Deadlines(run_seconds=60).by_phase["run"]
        60
        """
        return {name.removesuffix("_seconds"): getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPipeline:
    """The IR root and all that it refers to; references resolved, types checked, expressions not yet applied."""

    name: str
    description: str
    mode: Literal["batch", "streaming", "request-response"]
    source: ChannelRef
    sink: ChannelRef
    flows: tuple[ScoringFlow, ...]
    models: tuple[Model, ...]
    """Models that the flows refer to, sorted by name."""
    channels: tuple[DataChannel, ...] = ()
    """The IR's own channels (private to the job)."""
    parameters: tuple[Parameter, ...] = ()
    dead_letters: DeadLetters | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)
    memory: str = ""
    """Kubernetes quantity that the flow is guaranteed and limited to; empty: as the chart has it."""
    environment_variables: Mapping[str, SecretRef] = field(default_factory=dict)
    """Secrets for the scoring containers' environment, by reference."""
