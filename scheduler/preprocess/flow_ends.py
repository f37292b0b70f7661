"""The ends of a flow as its engine and its runner are told of them.

A file is below `/data/<claim>`, in a format, perhaps compressed. Records that are made up, and those that are only
checked, are lines of JSON that stand nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scheduler.model import following
from scheduler.model.pipeline import DataChannel, RecordSchema, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.preprocess import flow_records
from scheduler.preprocess.channels import Channels

DATA: Final = "/data"
"""Where each PersistentVolumeClaim is mounted, by its name."""
FORMATS: Final = ("csv", "json-lines")
COMPRESSIONS: Final = ("none", "gzip")
LINES: Final = "json-lines"
"""Format of what stands in no file."""


def is_file(channel: DataChannel) -> bool:
    return channel.type == "file"


def format_(channel: DataChannel) -> str:
    return str(channel.config.get("format", FORMATS[0])) if is_file(channel) else LINES


def claims(channels: Sequence[DataChannel]) -> list[str]:
    """The PersistentVolumeClaims that files are on, sorted; other channels need none."""
    return sorted({str(channel.config["volume"]) for channel in channels if is_file(channel)})


def component(channel: DataChannel) -> str:
    """The engine's input or output for such a channel."""
    return "modelops_file" if is_file(channel) else "modelops_test"


def engine_source(channel: DataChannel, schema: RecordSchema, reading: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's input. A file has the columns that `schema` needs; what is made up has the channel's own schema."""
    if is_file(channel):
        config = {**_place(channel), "required": _required(schema), **reading}
        return {component(channel): {**config, **({"follow": True} if following.is_followed(channel) else {})}}
    given = channel.config
    config = {
        "fields": flow_records.fields(channel.schema),
        **{key: given[key] for key in ("seed", "count", "rate")},
        "bad_share": given["badShare"],
    }
    return {component(channel): {**config, **reading}}


def engine_sink(channel: DataChannel, dead_letters: DataChannel | None, writing: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's output, dead letters beside it."""
    letters = {} if dead_letters is None else {"dead_letters": _place(dead_letters)}
    return {component(channel): {**_place(channel), **writing, **letters}}


def runner_source(channel: DataChannel, schema: RecordSchema) -> dict[str, Any]:
    """What the flow runner counts the source by."""
    place: dict[str, Any]
    if is_file(channel):
        place = {**_place(channel), "required": _required(schema)}
    else:
        place = {"type": channel.type, "count": channel.config["count"]}
    follow = {"follow": True} if following.is_followed(channel) else {}
    return {**place, "dataVersion": channel.data_version, **follow}


def runner_end(channel: DataChannel) -> dict[str, Any]:
    """Where the flow runner finds what was written, or that it stands nowhere."""
    return _place(channel) if is_file(channel) else {"type": channel.type}


def _place(channel: DataChannel) -> dict[str, Any]:
    """{path, format, compression} of a checked file; the format alone of what is none."""
    if not is_file(channel):
        return {"format": LINES}
    config = channel.config
    return {
        "path": f"{DATA}/{config['volume']}/{config['path']}",
        "format": format_(channel),
        "compression": str(config.get("compression", COMPRESSIONS[0])),
    }


def _required(schema: RecordSchema) -> list[str]:
    return [field.name for field in schema.fields if field.required]


def check(ends: Channels, pipeline: ScoringPipeline) -> Iterator[Problem]:
    """What parameters may have made of a channel's configuration, as far as it concerns the flow."""
    for channel in filter(is_file, ends.all()):
        for message in _faults(channel.config):
            document = f"DataChannel/{channel.name}"
            if channel not in pipeline.channels:
                document = f"ScoringPipeline/{pipeline.name}"
            yield Problem(message=f"channel '{channel.name}': {message}", document=document)


def _faults(config: Mapping[str, object]) -> Iterator[str]:
    for key in ("volume", "path"):
        if not isinstance(config.get(key), str) or not config[key]:
            yield f"{key} is missing"
        elif "${" in str(config[key]):
            yield f"'${{' is not allowed in its {key}"
    for key, known in (("format", FORMATS), ("compression", COMPRESSIONS)):
        if (value := config.get(key, known[0])) not in known:
            yield f"{key} '{value}' is not known (known: {', '.join(known)})"
