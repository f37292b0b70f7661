"""Modes of pipelines and ends of sources."""

from __future__ import annotations

import pytest

from scheduler.model import following
from scheduler.model.pipeline import DataChannel, RecordSchema


def channel(type_: str, **config: object) -> DataChannel:
    schema = RecordSchema(name="s", fields=())
    return DataChannel(name="c", direction="source", type=type_, schema=schema, config=config)


@pytest.mark.parametrize(
    ("given", "mode", "words"),
    [
        (channel("file"), "streaming", "is read once, and mode 'streaming' follows a source that grows"),
        (channel("file", follow=True), "batch", "is followed as it grows, and mode 'batch' reads a source once"),
        (
            channel("test", count=5),
            "streaming",
            "ends with its last record, and mode 'streaming' reads a source without",
        ),
        (
            channel("test", count=0),
            "batch",
            "has no end, and mode 'batch' reads a source to its end: give it a 'count'",
        ),
        (channel("test"), "batch", "has no end"),
    ],
)
def test_a_source_fits_one_mode(given: DataChannel, mode: str, words: str) -> None:
    assert following.misfit(mode, given).startswith(words)
    assert following.misfit({"streaming": "batch", "batch": "streaming"}[mode], given) == ""
    assert following.is_followed(given) == (mode == "batch")
