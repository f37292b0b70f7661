"""Whether the mode of a pipeline and the way its source is read fit together."""

from __future__ import annotations

from scheduler.model.pipeline import DataChannel


def is_followed(channel: DataChannel) -> bool:
    """Whether this source has no end of its own: a file that is read as it grows, a generator without a count."""
    if channel.type == "test":
        return not channel.config.get("count")
    return channel.config.get("follow") is True


def misfit(mode: str, channel: DataChannel) -> str:
    """Why this source is none for the mode, as the end of a sentence about it; empty when it is one."""
    if (mode == "streaming") == is_followed(channel):
        return ""
    if channel.type == "test" and mode == "streaming":
        return "ends with its last record, and mode 'streaming' reads a source without end: leave its 'count' out"
    if channel.type == "test":
        return f"has no end, and mode '{mode}' reads a source to its end: give it a 'count'"
    if mode == "streaming":
        return "is read once, and mode 'streaming' follows a source that grows: set 'follow: true' in its config"
    return f"is followed as it grows, and mode '{mode}' reads a source once: 'follow: true' is for mode 'streaming'"
