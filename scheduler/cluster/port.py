"""What this project needs of a Kubernetes API server, in plain dictionaries.

Every call has a time limit and raises the classes of `scheduler.errors`, chained to the client's own:

    404                                   NotFoundError
    409 AlreadyExists or Conflict         ConflictError
    400, 422                              InvalidInputError (the API server's words as its one problem)
    401, 403                              OwnAccessError: our own token is not accepted, our own account lacks a right,
                                          or a quota or admission refuses the object
    413                                   TooLargeError
    410, or ERROR 410 inside a watch      ExpiredError: list again
    408, 429, 5xx, no answer in time      UnavailableError with `retry_after_seconds`

A kind is named as in its manifest; `scheduler.cluster.kinds` is the table of those that are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from scheduler.errors import ForbiddenError, SchedulerError
from scheduler.model.types import Manifest


class ExpiredError(SchedulerError):
    """A watch was asked to start at a version that the API server no longer remembers."""


class OwnAccessError(ForbiddenError):
    """The API server refuses the identity that we ask it with, whoever asked us."""


class EventType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """Nothing changed, but everything up to the manifest's resourceVersion has been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    type: EventType
    manifest: Manifest
    """The object as it is now, or as it last was; of a bookmark only its resourceVersion counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The objects of a kind at one moment; iterates over them."""

    items: tuple[Manifest, ...]
    resource_version: str
    """Of the list itself: where a watch goes on without a gap."""

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a bearer token belongs to, as the API server says."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Among others `authentication.kubernetes.io/pod-name` of a token that is bound to a pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    value: str = field(repr=False)
    expires: str
    """RFC 3339."""


class LogLines(Iterator[str], Protocol):
    """Lines of a log as they come."""

    def close(self) -> None:
        """Stop; may be called from another thread, whose `next` then ends."""
        ...


class Cluster(Protocol):
    """A Kubernetes API server, asked with one identity."""

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        """The object; NotFoundError without it. An empty namespace is for kinds that have none."""
        ...

    def list(
        self, kind: str, namespace: str = "", *, labels: Mapping[str, str | None] | None = None, may_lag: bool = False
    ) -> Listing:
        """The objects that carry all `labels` (a value of None: the key with any value). An empty namespace: all.

        With `may_lag` they may be those of a moment ago, and come at once: the API server answers from its cache
        without asking its store how far that is, for which it can wait a tenth of a second.
        """
        ...

    def create(self, manifest: Manifest) -> Manifest:
        """The object as stored. ConflictError when the name is taken."""
        ...

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str,
        patch: Mapping[str, object] | Sequence[Mapping[str, object]],
        *,
        type_: Literal["merge", "json"] = "merge",
    ) -> Manifest:
        """The object as stored after an RFC 7386 merge or an RFC 6902 patch.

        A merge patch with `metadata.resourceVersion` raises ConflictError when the object has changed since; a JSON
        patch whose `test` (or `remove`) does not apply raises InvalidInputError and changes nothing.
        """
        ...

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
        """Ask for the object's deletion, its dependants following in the background; NotFoundError without it.

        A pod with `grace_seconds` 0 is gone at once, whatever its node says.
        With `uid` only that very object, with `resource_version` only as it was read: else ConflictError.
        """
        ...

    def watch(
        self,
        kind: str,
        namespace: str = "",
        *,
        labels: Mapping[str, str | None] | None = None,
        resource_version: str,
        timeout_seconds: float,
    ) -> Iterator[Event]:
        """Changes after `resource_version`, until the server ends the watch after `timeout_seconds`.

        UnavailableError when the server stays silent for longer than that; ExpiredError when `resource_version` is
        too old.
        """
        ...

    def pod_logs(
        self, name: str, namespace: str, *, container: str = "", follow: bool = False, tail_lines: int | None = None
    ) -> LogLines:
        """Lines of a container's log without their line ends; with `follow` until the container ends."""
        ...

    def review_token(self, token: str, *, audiences: Sequence[str]) -> Caller | None:
        """Whose token it is; None when it is not valid for at least one of `audiences`."""
        ...

    def allowed(
        self, caller: Caller, *, verb: str, resource: str, namespace: str, subresource: str = "", name: str = ""
    ) -> bool:
        """Whether RBAC lets the caller do that with a resource of the group `modelops.dev`."""
        ...

    def request_token(self, account: str, namespace: str, *, audience: str, seconds: int) -> Token:
        """A fresh token of a ServiceAccount."""
        ...
