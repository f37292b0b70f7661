"""A small pipeline to vary in tests."""

from __future__ import annotations

from scheduler.model.pipeline import (
    ChannelRef,
    DataChannel,
    DeadLetters,
    Field,
    FieldType,
    FilterStep,
    MapStep,
    Model,
    Parameter,
    RecordSchema,
    ScoreStep,
    ScoringFlow,
    ScoringPipeline,
)

FLIGHT = RecordSchema(
    name="flight",
    fields=(
        Field(name="carrier", type=FieldType.STRING, required=True),
        Field(name="distance", type=FieldType.DOUBLE),
        Field(name="dep-time", type=FieldType.INT32, nullable=True),
    ),
)
SCORED = RecordSchema(name="scored-flight", fields=(*FLIGHT.fields, Field(name="late", type=FieldType.BOOLEAN)))
DELAY_INPUT = RecordSchema(
    name="delay-input", fields=(FLIGHT.fields[1], Field(name="carrier", type=FieldType.STRING, nullable=True))
)
DELAY_OUTPUT = RecordSchema(name="delay-output", fields=(Field(name="probability", type=FieldType.DOUBLE),))
MODEL = Model(
    name="delay", type="pmml", artifact="models/delay.pmml", sha256="a" * 64, inputs=DELAY_INPUT, outputs=DELAY_OUTPUT
)
FLOW = ScoringFlow(
    name="score-flights",
    input=FLIGHT,
    output=SCORED,
    steps=(
        FilterStep(name="departed", condition='this."dep-time" != null'),
        ScoreStep(name="late", model="delay", inputs=("distance", "carrier"), output="probability"),
        MapStep(name="decide", mapping="root = this\nroot.late = this.probability >= {{ parameters.threshold }}\n"),
    ),
)
SOURCE = DataChannel(
    name="flights",
    direction="source",
    type="file",
    schema=FLIGHT,
    config={"volume": "data", "path": "flights.csv", "format": "csv", "compression": "none"},
)
SINK = DataChannel(
    name="delays",
    direction="sink",
    type="file",
    schema=SCORED,
    config={"volume": "data", "path": "delays.jsonl", "format": "json-lines", "compression": "none"},
)
REJECTS = DataChannel(
    name="rejects",
    direction="sink",
    type="file",
    schema=RecordSchema(name="reject", fields=()),
    config={"volume": "data", "path": "rejects.jsonl", "format": "json-lines", "compression": "none"},
)
THRESHOLD = Parameter(name="threshold", type="number", default=0.5)
PIPELINE = ScoringPipeline(
    name="flight-delay",
    description="",
    mode="batch",
    source=ChannelRef(channel="flights"),
    sink=ChannelRef(channel="delays"),
    dead_letters=DeadLetters(channel="rejects", max_ratio=0.01),
    flows=(FLOW,),
    models=(MODEL,),
    channels=(REJECTS,),
    parameters=(THRESHOLD,),
)
