"""Whether the mode of a pipeline and the way its source is read fit together."""

from __future__ import annotations

from collections.abc import Mapping


def is_followed(config: Mapping[str, object]) -> bool:
    """Whether the file of this source is read as it grows."""
    return config.get("follow") is True


def misfit(mode: str, config: Mapping[str, object]) -> str:
    """Why a source with this configuration is none for the mode, as the end of a sentence about it; empty when it is.

    >>> misfit("batch", {})
    ''
    """
    if mode == "streaming" and not is_followed(config):
        return "is read once, and mode 'streaming' follows a source that grows: set 'follow: true' in its config"
    if mode != "streaming" and is_followed(config):
        return f"is followed as it grows, and mode '{mode}' reads a source once: 'follow: true' is for mode 'streaming'"
    return ""
