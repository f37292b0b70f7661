"""How an API server treats objects, as pure functions: what the fake is made of."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from scheduler.cluster import kinds
from scheduler.cluster.port import Event, EventType
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem
from scheduler.model.types import Manifest

Key: TypeAlias = tuple[str, str, str]
"""Kind, namespace, name."""


@dataclass(frozen=True, slots=True)
class Change:
    version: int
    kind: str
    before: Manifest | None
    after: Manifest | None


def key(manifest: Manifest) -> Key:
    kind, metadata = manifest["kind"], manifest["metadata"]
    namespace, namespaced = metadata.get("namespace", ""), kinds.known(kind).namespaced
    if not metadata.get("name") or bool(namespace) != namespaced:
        message = "a name is required" if not metadata.get("name") else f"namespace '{namespace}' does not fit the kind"
        raise InvalidInputError([Problem(pointer="metadata", message=f"{kind}: {message}")])
    return kind, namespace, metadata["name"]


def check_update(kind: str, old: Manifest, new: Manifest) -> None:
    """What the API server and Tekton's webhook refuse to change."""
    if old.get("immutable") and any(old.get(part) != new.get(part) for part in ("data", "binaryData", "immutable")):
        raise InvalidInputError([Problem(pointer="data", message="field is immutable when `immutable` is set")])
    if kind == "PipelineRun" and old.get("spec") != new.get("spec"):
        conditions = old.get("status", {}).get("conditions", ())
        if any(condition["status"] in {"True", "False"} for condition in conditions):
            message = "Once the PipelineRun is complete, no updates are allowed"
            raise InvalidInputError([Problem(message=f"admission webhook denied the request: {message}")])


def matches(manifest: Manifest | None, labels: Mapping[str, str | None] | None) -> bool:
    if manifest is None:
        return False
    have = manifest["metadata"].get("labels") or {}
    return all(key in have and want in {None, have[key]} for key, want in (labels or {}).items())


def event(change: Change, namespace: str, labels: Mapping[str, str | None] | None) -> Event | None:
    """The change as a watch with this selector shows it: objects that stop to match are deleted for it."""
    shown = change.after or change.before
    if shown is None or namespace not in {"", shown["metadata"].get("namespace", "")}:
        return None
    before, after = matches(change.before, labels), matches(change.after, labels)
    if not before and not after:
        return None
    type_ = EventType.DELETED if not after else EventType.MODIFIED if before else EventType.ADDED
    return Event(type=type_, manifest=copy.deepcopy(shown))


def steps(patch: Mapping[str, object] | Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
    return [] if isinstance(patch, Mapping) else patch


def without(manifest: Mapping[str, Any], key: str) -> Manifest:
    return {name: value for name, value in manifest.items() if name != key}
