"""Documents that fit their schema → frozen values. Everything that is missing in a document has its default here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scheduler.model import duration, pipeline
from scheduler.model.types import Document

TYPES: Final[Mapping[tuple[str, str | None], pipeline.FieldType]] = {
    ("boolean", None): pipeline.FieldType.BOOLEAN,
    ("integer", None): pipeline.FieldType.INT64,
    ("integer", "int32"): pipeline.FieldType.INT32,
    ("integer", "int64"): pipeline.FieldType.INT64,
    ("number", None): pipeline.FieldType.DOUBLE,
    ("number", "float"): pipeline.FieldType.FLOAT,
    ("number", "double"): pipeline.FieldType.DOUBLE,
    ("string", None): pipeline.FieldType.STRING,
    ("string", "byte"): pipeline.FieldType.BYTES,
    ("string", "date"): pipeline.FieldType.DATE,
    ("string", "date-time"): pipeline.FieldType.DATE_TIME,
    ("array", None): pipeline.FieldType.ARRAY,
    ("object", None): pipeline.FieldType.OBJECT,
}
"""OpenAPI type and format -> field type."""


def record_schema(document: Document) -> pipeline.RecordSchema:
    """Fields in their `order`; in that of `properties` when there is none."""
    spec = document["spec"]
    fields = {field.name: field for field in _fields(spec)}
    return pipeline.RecordSchema(
        name=document["metadata"]["name"],
        fields=tuple(fields[name] for name in spec.get("order", fields)),
    )


def _fields(spec: Mapping[str, Any]) -> tuple[pipeline.Field, ...]:
    required = set(spec.get("required", ()))
    return tuple(_field(name, given, required=name in required) for name, given in spec.get("properties", {}).items())


def _field(name: str, given: Mapping[str, Any], *, required: bool) -> pipeline.Field:
    return pipeline.Field(
        name=name,
        type=TYPES[given["type"], given.get("format")],
        nullable=given.get("nullable", False),
        required=required,
        description=given.get("description", ""),
        items=_field("items", given["items"], required=False) if "items" in given else None,
        properties=_fields(given),
    )


def model(document: Document, schemas: Mapping[str, pipeline.RecordSchema]) -> pipeline.Model:
    spec = document["spec"]
    return pipeline.Model(
        name=document["metadata"]["name"],
        type=spec["type"],
        artifact=spec["artifact"],
        sha256=spec.get("sha256", ""),
        inputs=schemas[spec["inputs"]["schema"]],
        outputs=schemas[spec["outputs"]["schema"]],
        memory=spec.get("memory", ""),
    )


def data_channel(document: Document, schemas: Mapping[str, pipeline.RecordSchema]) -> pipeline.DataChannel:
    spec = document["spec"]
    return pipeline.DataChannel(
        name=document["metadata"]["name"],
        direction=spec["direction"],
        type=spec["type"],
        schema=schemas[spec["schema"]],
        config={**_config_defaults(spec), **spec["config"]},
        data_version=spec.get("dataVersion", ""),
    )


def _config_defaults(spec: Mapping[str, Any]) -> Mapping[str, object]:
    if spec["type"] == "file":
        return {"compression": "none"}
    return {"seed": 0, "count": 0, "rate": 0, "badShare": 0} if spec["direction"] == "source" else {}


def flow(document: Document, schemas: Mapping[str, pipeline.RecordSchema]) -> pipeline.ScoringFlow:
    spec = document["spec"]
    return pipeline.ScoringFlow(
        name=document["metadata"]["name"],
        input=schemas[spec["input"]["schema"]],
        output=schemas[spec["output"]["schema"]],
        steps=tuple(_step(given) for given in spec["steps"]),
        parameters=_parameters(spec),
    )


def _step(given: Mapping[str, Any]) -> pipeline.Step:
    name, on_error = given["name"], pipeline.OnError(given.get("onError", "dead-letter"))
    if "map" in given:
        return pipeline.MapStep(name=name, mapping=given["map"], on_error=on_error)
    if "filter" in given:
        return pipeline.FilterStep(name=name, condition=given["filter"], on_error=on_error)
    score = given["score"]
    return pipeline.ScoreStep(
        name=name,
        model=score["model"],
        inputs=tuple(score["inputs"]),
        output=score["output"],
        model_output=score.get("modelOutput", ""),
        batch=_batch(score.get("batch", {})),
        on_error=on_error,
    )


def _batch(given: Mapping[str, Any]) -> pipeline.Batch:
    usual = pipeline.Batch()
    period = duration.milliseconds(given["period"]) if "period" in given else usual.period_milliseconds
    return pipeline.Batch(count=int(given.get("count", usual.count)), period_milliseconds=period)


def _parameters(spec: Mapping[str, Any]) -> tuple[pipeline.Parameter, ...]:
    return tuple(
        pipeline.Parameter(
            name=given["name"],
            type=given["type"],
            default=given.get("default"),
            required="default" not in given,
            description=given.get("description", ""),
            enum=tuple(given.get("enum", ())),
        )
        for given in spec.get("parameters", ())
    )


def scoring_pipeline(
    document: Document,
    *,
    flows: Mapping[str, pipeline.ScoringFlow],
    models: Mapping[str, pipeline.Model],
    channels: Sequence[pipeline.DataChannel],
) -> pipeline.ScoringPipeline:
    """The pipeline with its flows in order and the models that they score with."""
    spec = document["spec"]
    ordered = tuple(flows[name] for name in spec["flows"])
    used = {step.model for each in ordered for step in each.steps if isinstance(step, pipeline.ScoreStep)}
    return pipeline.ScoringPipeline(
        name=document["metadata"]["name"],
        description=document["metadata"].get("description", ""),
        mode=spec["mode"],
        source=pipeline.ChannelRef(
            channel=spec["source"]["channel"], data_version=spec["source"].get("dataVersion", "")
        ),
        sink=pipeline.ChannelRef(channel=spec["sink"]["channel"]),
        flows=ordered,
        models=tuple(models[name] for name in sorted(used)),
        channels=tuple(sorted(channels, key=lambda channel: channel.name)),
        parameters=_parameters(spec),
        dead_letters=_dead_letters(spec.get("deadLetters")),
        deadlines=_deadlines(spec.get("deadlines", {}), mode=spec["mode"]),
        memory=spec.get("memory", ""),
        environment_variables={
            entry["name"]: pipeline.SecretRef(name=entry["secretRef"]["name"], key=entry["secretRef"]["key"])
            for entry in spec.get("env", ())
        },
    )


def _dead_letters(given: Mapping[str, Any] | None) -> pipeline.DeadLetters | None:
    if given is None:
        return None
    return pipeline.DeadLetters(channel=given["channel"], max_ratio=float(given.get("maxRatio", 0)))


def _deadlines(given: Mapping[str, str], *, mode: str) -> pipeline.Deadlines:
    """A stream scores until it is drained: without a word of its author it has no run deadline."""
    usual = {"run_seconds": 0} if mode == "streaming" else {}
    seconds = {f"{phase}_seconds": duration.seconds(text) for phase, text in given.items()}
    return pipeline.Deadlines(**{**usual, **seconds})
