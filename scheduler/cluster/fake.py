"""A `Cluster` in memory: the same contract as the real one, for tests of everything above it.

It stores, versions, labels, watches, patches and collects garbage. It runs nothing: a test plays Tekton and the
kubelet with `set_status`, `logs` and `put`.
"""

from __future__ import annotations

import copy
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from scheduler.cluster import kinds, patches, semantics
from scheduler.cluster.port import Caller, Event, EventType, ExpiredError, Listing, Token
from scheduler.errors import ConflictError, InvalidInputError, NotFoundError
from scheduler.model.problem import Problem
from scheduler.model.types import Manifest

_WITH_STATUS: Final = frozenset({"Deployment", "Job", "Namespace", "PipelineRun", "Pod", "TaskRun"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that one user or group may do with a resource of `modelops.dev`; `*` stands for anything."""

    subject: str
    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"
    name: str = "*"


@dataclass
class FakeCluster:
    """All objects of one imaginary API server. Safe for many threads."""

    rules: set[Rule] = field(default_factory=set)
    """What `allowed` says yes to."""
    tokens: dict[str, tuple[Caller, tuple[str, ...]]] = field(default_factory=dict)
    """Token -> whose it is and for which audiences."""
    logs: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    """(namespace, pod, container) -> lines."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(method, kind) of every call, in order."""

    def __post_init__(self) -> None:
        self._objects: dict[semantics.Key, Manifest] = {}
        self._history: list[semantics.Change] = []
        self._version = 1
        self._oldest = 0
        self._changed = threading.Condition(threading.RLock())

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        with self._changed:
            self.calls.append(("get", kind))
            return copy.deepcopy(self._stored(kind, name, namespace))

    def list(
        self, kind: str, namespace: str = "", *, labels: Mapping[str, str | None] | None = None, may_lag: bool = False
    ) -> Listing:
        del may_lag  # it never does
        kinds.known(kind)
        with self._changed:
            self.calls.append(("list", kind))
            found = [
                copy.deepcopy(manifest)
                for (of_kind, of_namespace, _), manifest in sorted(self._objects.items())
                if of_kind == kind and namespace in {"", of_namespace} and semantics.matches(manifest, labels)
            ]
            return Listing(items=tuple(found), resource_version=str(self._version))

    def create(self, manifest: Manifest) -> Manifest:
        kind = manifest["kind"]
        with self._changed:
            self.calls.append(("create", kind))
            key = semantics.key(manifest)
            if key in self._objects:
                plural = kinds.known(kind).plural
                raise ConflictError(f"could not create {kind} '{key[2]}': {plural} \"{key[2]}\" already exists")
            stored = copy.deepcopy(dict(manifest))
            if kind in _WITH_STATUS:
                stored.pop("status", None)
            stored["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": _now(), "generation": 1}
            return self._store(key, stored)

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str,
        patch: Mapping[str, object] | Sequence[Mapping[str, object]],
        *,
        type_: Literal["merge", "json"] = "merge",
    ) -> Manifest:
        with self._changed:
            self.calls.append(("patch", kind))
            old = self._stored(kind, name, namespace)
            new = patches.merged(old, patch) if type_ == "merge" else patches.stepped(old, semantics.steps(patch))
            expected = new["metadata"].get("resourceVersion")
            if expected != old["metadata"]["resourceVersion"]:
                raise ConflictError(f"could not patch {kind} '{name}': the object has been modified")
            if kind in _WITH_STATUS:
                new = {**new, "status": old["status"]} if "status" in old else semantics.without(new, "status")
            semantics.check_update(kind, old, new)
            return copy.deepcopy(old) if new == old else self._store((kind, namespace, name), new)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        del grace_seconds  # what is deleted here is gone at once
        with self._changed:
            self.calls.append(("delete", kind))
            found = self._stored(kind, name, namespace)
            for part, wanted in (("uid", uid), ("resourceVersion", resource_version)):
                if wanted and found["metadata"][part] != wanted:
                    raise ConflictError(f"could not delete {kind} '{name}': its {part} is not {wanted}")
            self._remove((kind, namespace, name))

    def watch(
        self,
        kind: str,
        namespace: str = "",
        *,
        labels: Mapping[str, str | None] | None = None,
        resource_version: str,
        timeout_seconds: float,
    ) -> Iterator[Event]:
        self.calls.append(("watch", kind))
        seen, deadline = int(resource_version), time.monotonic() + timeout_seconds
        while True:
            with self._changed:
                if seen < self._oldest:
                    raise ExpiredError(f"could not watch {kind}: too old resource version: {seen} ({self._oldest})")
                remaining = deadline - time.monotonic()
                if self._version == seen and remaining > 0:
                    self._changed.wait(remaining)
                changes = [change for change in self._history if change.version > seen and change.kind == kind]
                seen = self._version
            for change in changes:
                event = semantics.event(change, namespace, labels)
                if event:
                    yield event
            if time.monotonic() >= deadline:
                version = {"resourceVersion": str(seen)}
                yield Event(type=EventType.BOOKMARK, manifest={"kind": kind, "metadata": version})
                return

    def pod_logs(
        self, name: str, namespace: str, *, container: str = "", follow: bool = False, tail_lines: int | None = None
    ) -> _Lines:
        del follow  # a fake container has ended
        with self._changed:
            self.calls.append(("logs", "Pod"))
            pod = self._stored("Pod", name, namespace)
        containers = [entry["name"] for entry in pod["spec"]["containers"]]
        if not container and len(containers) > 1:
            message = f"a container name must be specified for pod {name}, choose one of: {containers}"
            raise InvalidInputError([Problem(message=message)])
        lines = self.logs.get((namespace, name, container or containers[0]), [])
        return _Lines(lines[-tail_lines:] if tail_lines else lines)

    def review_token(self, token: str, *, audiences: Sequence[str]) -> Caller | None:
        self.calls.append(("create", "TokenReview"))
        caller, accepted = self.tokens.get(token, (None, ()))
        return caller if set(accepted) & set(audiences) else None

    def allowed(
        self, caller: Caller, *, verb: str, resource: str, namespace: str, subresource: str = "", name: str = ""
    ) -> bool:
        self.calls.append(("create", "SubjectAccessReview"))
        asked = (verb, f"{resource}/{subresource}" if subresource else resource, namespace, name)
        return any(
            rule.subject in {caller.name, *caller.groups}
            and all(
                have in {"*", want}
                for have, want in zip((rule.verb, rule.resource, rule.namespace, rule.name), asked, strict=True)
            )
            for rule in self.rules
        )

    def request_token(self, account: str, namespace: str, *, audience: str, seconds: int) -> Token:
        found = self.get("ServiceAccount", account, namespace)
        name = f"system:serviceaccount:{namespace}:{account}"
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        value = uuid.uuid4().hex
        self.tokens[value] = (Caller(name=name, uid=found["metadata"]["uid"], groups=groups), (audience,))
        return Token(value=value, expires=_stamp(datetime.now(UTC) + timedelta(seconds=seconds)))

    # What only a test does -------------------------------------------------------------------------------------------

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object as it is given, status included."""
        with self._changed:
            key = semantics.key(manifest)
            old = self._objects.get(key)
            stored = copy.deepcopy(dict(manifest))
            defaults = {"uid": str(uuid.uuid4()), "creationTimestamp": _now(), "generation": 1}
            stored["metadata"] = {**defaults, **(old["metadata"] if old else {}), **stored["metadata"]}
            return self._store(key, stored)

    def set_status(self, kind: str, name: str, namespace: str, status: Mapping[str, object]) -> Manifest:
        """Lay `status` upon the object's status, as its controller would."""
        with self._changed:
            old = self._stored(kind, name, namespace)
            new = {**old, "status": patches.merged(old.get("status", {}), status)}
            return self._store((kind, namespace, name), new)

    def forget_history(self) -> None:
        """From now on every older resourceVersion is expired."""
        with self._changed:
            self._history.clear()
            self._version += 1
            self._oldest = self._version
            self._changed.notify_all()

    # Inside ----------------------------------------------------------------------------------------------------------

    def _stored(self, kind: str, name: str, namespace: str) -> Manifest:
        plural = kinds.known(kind).plural
        found = self._objects.get((kind, namespace, name))
        if found is None:
            raise NotFoundError(f"could not find {kind} '{name}': {plural} \"{name}\" not found")
        return found

    def _store(self, key: semantics.Key, manifest: Manifest) -> Manifest:
        self._version += 1
        metadata = {**manifest["metadata"], "resourceVersion": str(self._version)}
        stored = {**manifest, "apiVersion": kinds.known(key[0]).api_version, "metadata": metadata}
        self._history.append(semantics.Change(self._version, key[0], self._objects.get(key), stored))
        self._objects[key] = stored
        self._changed.notify_all()
        return copy.deepcopy(stored)

    def _remove(self, key: semantics.Key) -> None:
        gone = self._objects.pop(key)
        self._version += 1
        last = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self._version)}}
        self._history.append(semantics.Change(self._version, key[0], last, None))
        living = {manifest["metadata"]["uid"] for manifest in self._objects.values()}
        for other, manifest in list(self._objects.items()):
            owners = [owner["uid"] for owner in manifest["metadata"].get("ownerReferences", ())]
            if owners and not living & set(owners) and other in self._objects:
                self._remove(other)
        self._changed.notify_all()


class _Lines:
    """The lines that are there; a fake container has ended."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._lines)

    def close(self) -> None:
        self._lines = iter(())


def _now() -> str:
    return _stamp(datetime.now(UTC))


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
