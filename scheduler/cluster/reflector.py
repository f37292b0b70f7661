"""A kind's objects in one namespace, kept in memory by one list and a watch that never ends.

The watch is made of short ones: each ends by itself after `WATCH_SECONDS` with a bookmark, and the next goes on from
there without a list. So a connection that died silently is noticed within seconds, and lists are as rare as starts
and expired versions.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from scheduler.cluster.port import Cluster, Event, EventType, ExpiredError, Listing, OwnAccessError
from scheduler.errors import SchedulerError
from scheduler.model.types import Manifest

WATCH_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 15.0
"""Without a word from the API server for so long, what is in memory counts as unknown."""
REFUSED_SECONDS: Final = 10.0
"""Refused for so long, the namespace counts as gone: its roles went with it."""
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
_LONGEST_REFUSED_PAUSE_SECONDS: Final = 5.0
"""A namespace that is gone may stay so for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is watched."""

    kind: str
    namespace: str
    labels: Mapping[str, str | None] = field(default_factory=dict)


class Reflector:
    """One scope, followed by one thread that tells every change to `changed(before, after)`.

    `slim` takes what is not needed out of an object before it is kept. An object that it cannot read is kept out,
    counted, and stops nothing.
    """

    def __init__(
        self,
        cluster: Cluster,
        scope: Scope,
        *,
        slim: Callable[[Manifest], Manifest],
        changed: Callable[[Manifest | None, Manifest | None], None],
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self.scope = scope
        self.relists = 0
        self.quarantined = 0
        self.last_error = ""
        self._cluster = cluster
        self._slim = slim
        self._changed = changed
        self._watch_seconds = watch_seconds
        self._objects: dict[str, Manifest] = {}
        self._version = ""
        self._heard = -1e9
        self._refused_since: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"watch-{scope.kind}-{scope.namespace}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does so when its present watch ends."""
        self._stopped.set()

    @property
    def age_seconds(self) -> float:
        """Seconds since the API server was last heard of."""
        return time.monotonic() - self._heard

    @property
    def is_healthy(self) -> bool:
        return bool(self._version) and self.age_seconds < SILENT_SECONDS

    @property
    def is_refused(self) -> bool:
        """Whether the API server has refused us for a while: nothing of the namespace is known, and nothing awaited."""
        since = self._refused_since
        return since is not None and time.monotonic() - since >= REFUSED_SECONDS

    def _follow(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            try:
                self._once()
                pause = _FIRST_PAUSE_SECONDS
            except ExpiredError as error:
                self.last_error, self._version = str(error), ""
                self._stopped.wait(pause)
            except SchedulerError as error:
                self.last_error = str(error)
                self._note_refusal(error)
                self._stopped.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads replicas, hides nothing
                longest = _LONGEST_REFUSED_PAUSE_SECONDS if self.is_refused else _LONGEST_PAUSE_SECONDS
                pause = min(2 * pause, longest)

    def _note_refusal(self, error: SchedulerError) -> None:
        """An outage says nothing; a refusal that lasts empties the scope, and the next answer fills it again."""
        if isinstance(error, OwnAccessError) and self._refused_since is None:
            self._refused_since = time.monotonic()
        if self.is_refused and self._version:
            self._version = ""
            for name in list(self._objects):
                self._changed(self._objects.pop(name), None)

    def _hear(self) -> None:
        self._heard, self._refused_since = time.monotonic(), None

    def _once(self) -> None:
        """One watch, after a list when there is nothing to go on from."""
        scope = self.scope
        if not self._version:
            self._replace(self._cluster.list(scope.kind, scope.namespace, labels=scope.labels))
        events = self._cluster.watch(
            scope.kind,
            scope.namespace,
            labels=scope.labels,
            resource_version=self._version,
            timeout_seconds=self._watch_seconds,
        )
        for event in events:
            self._apply(event)
            if self._stopped.is_set():
                return
        self._hear()

    def _replace(self, listing: Listing) -> None:
        self.relists += 1
        new = {name: slimmed for manifest in listing for name, slimmed in self._readable(manifest)}
        for name in [name for name in self._objects if name not in new]:
            self._changed(self._objects.pop(name), None)
        for name, manifest in new.items():
            before = self._objects.get(name)
            if before is None or _version(before) != _version(manifest):
                self._objects[name] = manifest
                self._changed(before, manifest)
        self._version = listing.resource_version
        self._hear()

    def _apply(self, event: Event) -> None:
        self._hear()
        self._version = _version(event.manifest) or self._version
        if event.type == EventType.BOOKMARK:
            return
        for name, manifest in self._readable(event.manifest):
            before = self._objects.pop(name, None)
            if event.type != EventType.DELETED:
                self._objects[name] = manifest
                self._changed(before, manifest)
            elif before is not None:
                self._changed(before, None)

    def _readable(self, manifest: Manifest) -> list[tuple[str, Manifest]]:
        """The object by its name, or nothing when it makes no sense."""
        try:
            return [(manifest["metadata"]["name"], self._slim(manifest))]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            self.quarantined += 1
            self.last_error = f"an object of kind {self.scope.kind} makes no sense: {error!r}"
            return []


def _version(manifest: Manifest) -> str:
    metadata = manifest.get("metadata") or {}
    version = metadata.get("resourceVersion", "")
    return version if isinstance(version, str) else ""
