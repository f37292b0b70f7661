"""Takes a data channel out of an environment's registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scheduler import names
from scheduler.channels import registry
from scheduler.channels.registry import Entry
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError


def remove(
    name: str,
    environment: str,
    *,
    users: Callable[[str, str], Sequence[str]],
    cluster: Cluster,
    is_forced: bool = False,
) -> Entry:
    """What was registered. ConflictError names the unfinished jobs that use it, unless forced; their runs go on.

    `users(environment, channel)` gives those jobs' ids.
    """
    entry = registry.show(name, environment, cluster=cluster)
    busy = [] if is_forced else users(environment, name)
    if busy:
        listed = ", ".join(busy[:10]) + (f" and {len(busy) - 10} more" if len(busy) > 10 else "")
        raise ConflictError(f"data channel '{name}' is used by unfinished jobs: {listed}")
    cluster.delete("ConfigMap", names.channel_object(name), environment)
    return entry
