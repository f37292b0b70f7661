"""What is registered in an environment. An entry that makes no sense is shown as broken and hides no other."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import InvalidInputError, NotFoundError, TooLargeError
from scheduler.ir import load
from scheduler.ir.load import LoadedChannel
from scheduler.model.pipeline import DataChannel
from scheduler.model.types import Document, Manifest

KEY: Final = "channel.json"
"""{"channel": DataChannel document, "schema": RecordSchema document}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One registered channel."""

    name: str
    environment: str
    loaded: LoadedChannel | None
    """None when it is broken."""
    problem: str = ""
    """Why it is broken."""
    resource_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    entries: tuple[Entry, ...]

    @property
    def channels(self) -> tuple[DataChannel, ...]:
        """Those that jobs can use."""
        return tuple(entry.loaded.channel for entry in self.entries if entry.loaded)


def channels(cluster: Cluster, environment: str, names_: Collection[str] | None = None) -> Sequence[DataChannel]:
    """The channels that jobs can use; of `names_` only those that are there, which costs less than all of them.

    As they are now in either case: a job takes the channel that was registered last.
    """
    if names_ is None:
        return read(cluster, environment).channels
    return Registry(entries=tuple(_present(cluster, environment, sorted(names_)))).channels


def read(cluster: Cluster, environment: str) -> Registry:
    """All entries by name, as they are now."""
    found = cluster.list("ConfigMap", environment, labels={names.DATA_CHANNEL: None})
    return Registry(entries=tuple(sorted((entry_of(manifest) for manifest in found), key=lambda entry: entry.name)))


def show(name: str, environment: str, *, cluster: Cluster) -> Entry:
    """The entry with this name, broken or not; NotFoundError without it."""
    try:
        manifest = cluster.get("ConfigMap", names.channel_object(name), environment)
    except NotFoundError as error:
        raise NotFoundError(f"environment '{environment}' has no data channel '{name}'") from error
    return entry_of(manifest)


def _present(cluster: Cluster, environment: str, names_: Iterable[str]) -> Iterator[Entry]:
    for name in names_:
        with suppress(NotFoundError):
            yield show(name, environment, cluster=cluster)


def build(loaded: LoadedChannel, *, environment: str) -> Manifest:
    """The ConfigMap that registers a channel."""
    name = loaded.channel.name
    documents = {"channel": loaded.document, "schema": loaded.schema}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": names.channel_object(name),
            "namespace": environment,
            "labels": {
                names.DATA_CHANNEL: name,
                "app.kubernetes.io/part-of": "modelops",
                "app.kubernetes.io/managed-by": "modelops",
            },
        },
        "data": {KEY: json.dumps(documents, sort_keys=True, indent=1, ensure_ascii=False)},
    }


def entry_of(manifest: Manifest) -> Entry:
    metadata = manifest["metadata"]
    name = str((metadata.get("labels") or {}).get(names.DATA_CHANNEL, ""))
    loaded, problem = _loaded(manifest, name)
    return Entry(
        name=name,
        environment=metadata["namespace"],
        loaded=loaded,
        problem=problem,
        resource_version=metadata["resourceVersion"],
    )


def _loaded(manifest: Manifest, name: str) -> tuple[LoadedChannel | None, str]:
    try:
        found = load.channels_from_documents(_documents((manifest.get("data") or {}).get(KEY)))
    except (InvalidInputError, TooLargeError) as error:
        return None, str(error)
    except ValueError as error:
        return None, f"'{KEY}' is no JSON: {error}"
    if [channel.channel.name for channel in found] != [name]:
        return None, f"'{KEY}' does not hold the one channel '{name}'"
    return found[0], ""


def _documents(text: object) -> list[Document]:
    value = json.loads(text) if isinstance(text, str) else {}
    parts = value.values() if isinstance(value, dict) else ()
    return [part for part in parts if isinstance(part, dict)]
