"""File channels as a flow sees them: below `/data/<claim>`, in a format, perhaps compressed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from scheduler.model.pipeline import DataChannel, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.preprocess.channels import Channels

DATA: Final = "/data"
"""Where each PersistentVolumeClaim is mounted, by its name."""
FORMATS: Final = ("csv", "json-lines")
COMPRESSIONS: Final = ("none", "gzip")


def place(channel: DataChannel) -> dict[str, str]:
    """{path, format, compression} of a checked channel."""
    config = channel.config
    return {
        "path": f"{DATA}/{config['volume']}/{config['path']}",
        "format": str(config.get("format", FORMATS[0])),
        "compression": str(config.get("compression", COMPRESSIONS[0])),
    }


def check(ends: Channels, pipeline: ScoringPipeline) -> Iterator[Problem]:
    """What parameters may have made of a channel's configuration, as far as it concerns the flow."""
    for channel in ends.all():
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
