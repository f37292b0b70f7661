"""What the platform sets for every job: its place in the Values, and in expressions."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.model.pipeline import Scalar
from scheduler.model.types import Values
from scheduler.settings import Globals


def values(globals_: Globals) -> Values:
    """The part of Values' `global` that comes from the platform."""
    return {
        "registry": {"pull": globals_.registry_pull},
        "imagePullSecrets": [{"name": name} for name in globals_.image_pull_secrets],
        "logLevel": globals_.log_level,
        "trace": {"endpoint": globals_.trace_endpoint, "sampleRatio": globals_.trace_sample_ratio},
        "artifactStore": {"url": globals_.artifact_store_url},
        "gitServer": {"url": globals_.git_server_url},
    }


def scope(globals_: Globals) -> Mapping[str, Scalar]:
    """What an expression may name as `globals.<name>`."""
    return {
        "artifactStoreUrl": globals_.artifact_store_url,
        "gitServerUrl": globals_.git_server_url,
        "logLevel": globals_.log_level,
        "registry": globals_.registry_pull,
        "traceEndpoint": globals_.trace_endpoint,
    }
