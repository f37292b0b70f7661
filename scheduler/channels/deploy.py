"""Registers a data channel in an environment, or replaces the one of that name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.channels import registry
from scheduler.channels.registry import Entry
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from scheduler.ir import load
from scheduler.model.problem import Problem
from scheduler.model.types import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    entry: Entry
    before: Entry | None
    """What it replaced."""


def deploy(name: str, documents: Sequence[Document], *, environment: str, cluster: Cluster) -> Deployed:
    """Register the one channel that `documents` hold, under its own name, which is `name`.

    Jobs that run keep what they were started with. InvalidInputError lists every fault of the documents.
    """
    found = load.channels_from_documents(documents)
    if len(found) != 1 or found[0].channel.name != name:
        named = ", ".join(f"'{channel.channel.name}'" for channel in found)
        message = f"the documents must hold one DataChannel, '{name}'; they hold {named or 'none'}"
        raise InvalidInputError([Problem(message=message, candidates=(name,))])
    manifest = registry.build(found[0], environment=environment)
    object_name = manifest["metadata"]["name"]
    for _ in range(3):
        try:
            return Deployed(entry=registry.entry_of(cluster.create(manifest)), before=None)
        except ConflictError:
            try:
                old = cluster.get("ConfigMap", object_name, environment)
                patch = {"metadata": {"labels": manifest["metadata"]["labels"]}, "data": manifest["data"]}
                new = cluster.patch("ConfigMap", object_name, environment, patch)
            except NotFoundError:
                continue  # removed meanwhile
            return Deployed(entry=registry.entry_of(new), before=registry.entry_of(old))
    raise UnavailableError(f"data channel '{name}' comes and goes; try again", retry_after_seconds=1)
