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
        **_connection(globals_),
    }


def _connection(globals_: Globals) -> Values:
    """How pods reach what lies outside the cluster; nothing where nothing is set."""
    config_map, _, key = globals_.ca_bundle.partition("/")
    bundle = {"caBundle": {"configMap": config_map, "key": key}} if config_map else {}
    proxy = {"http": globals_.proxy_http, "https": globals_.proxy_https, "except": globals_.proxy_except}
    return {**bundle, **({"proxy": proxy} if proxy["http"] or proxy["https"] else {})}


def scope(globals_: Globals) -> Mapping[str, Scalar]:
    """The values of `expressions.GLOBALS`."""
    return {
        "artifactStoreUrl": globals_.artifact_store_url,
        "gitServerUrl": globals_.git_server_url,
        "logLevel": globals_.log_level,
        "registry": globals_.registry_pull,
        "traceEndpoint": globals_.trace_endpoint,
    }
