"""What a namespace's labels say of whose it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from scheduler import names
from scheduler.model.types import Manifest
from scheduler.tekton import view

POD_SECURITY: Final = "pod-security.kubernetes.io/enforce"
PART_OF: Final[Mapping[str, str]] = {"app.kubernetes.io/part-of": "modelops"}
"""Label of every platform's accounts, wherever they are."""
_INSTANCE: Final = "app.kubernetes.io/instance"
_DOMAINS: Final = (
    "modelops.dev/",
    "app.kubernetes.io/",
    "helm.sh/",
    "meta.helm.sh/",
    "pod-security.kubernetes.io/",
)
"""Of the labels and annotations that helm and the chart put on a namespace."""


class Claim(StrEnum):
    """Whose a namespace is, as one platform sees it."""

    ABSENT = "absent"
    FREE = "free"
    """It is there, and no platform's."""
    OURS = "ours"
    OTHERS = "others"
    """Another platform's."""
    GOING = "going"
    """It is being deleted."""


class State(StrEnum):
    """What an environment's namespace is good for."""

    READY = "ready"
    KEPT = "kept"
    """Labels and data are there, accounts are not: it was an environment, or is to become one."""
    GOING = "going"
    """It is being deleted."""


def claim(namespace: Manifest | None, *, platform: str) -> Claim:
    """`platform` is the label's value."""
    if namespace is None:
        return Claim.ABSENT
    if is_going(namespace):
        return Claim.GOING
    owner = owner_of(namespace)
    if not owner:
        return Claim.FREE
    return Claim.OURS if owner == platform else Claim.OTHERS


def state(namespace: Manifest, *, accounts: Collection[str]) -> State:
    """`accounts` are the names of the ServiceAccounts in it."""
    if is_going(namespace):
        return State.GOING
    return State.READY if {names.RUNNER_ACCOUNT, names.SCORING_ACCOUNT} <= set(accounts) else State.KEPT


def owner_of(namespace: Manifest) -> str:
    """The platform that it belongs to; empty: none."""
    return view.text(labels_of(namespace), names.PLATFORM)


def is_going(namespace: Manifest) -> bool:
    is_asked = bool(view.text(namespace, "metadata", "deletionTimestamp"))
    return is_asked or view.text(namespace, "status", "phase") == "Terminating"


def labels_of(namespace: Manifest) -> Mapping[str, str]:
    return view.mapping(namespace, "metadata", "labels")


def needed(environment: str, *, platform: str) -> Mapping[str, str]:
    """The labels that make a namespace an environment; the chart sets them on those that it makes."""
    return {names.ENVIRONMENT: environment, names.PLATFORM: platform, POD_SECURITY: "restricted"}


def residents(accounts: Iterable[Manifest], *, platform: str) -> tuple[str, ...]:
    """The other platforms whose accounts are in a namespace; `accounts` are those in it with the labels `PART_OF`.

    Accounts of jobs say whose they are as namespaces do, others by the platform's name alone.
    """
    found = {view.text(labels_of(one), names.PLATFORM) or view.text(labels_of(one), _INSTANCE) for one in accounts}
    return tuple(sorted(found - {platform, ""}))


def taking(namespace: Manifest, *, platform: str, release: str, of: str) -> dict[str, Any]:
    """The patch that makes a namespace the platform's, and its release's (in the namespace `of`) for helm.

    It does nothing to a namespace that has changed since it was read.
    """
    return {
        "metadata": {
            "resourceVersion": namespace["metadata"]["resourceVersion"],
            "labels": {names.PLATFORM: platform, "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": of},
        }
    }


def giving_back(namespace: Manifest, *, before: Manifest) -> dict[str, Any]:
    """The patch that takes back what helm and the chart have put on the namespace since it was as `before`."""

    def part(kind: str) -> dict[str, str | None]:
        now, then = view.mapping(namespace, "metadata", kind), view.mapping(before, "metadata", kind)
        theirs = sorted(key for key in {*now, *then} if key.startswith(_DOMAINS))
        return {key: then.get(key) for key in theirs if now.get(key) != then.get(key)}

    return {"metadata": {"labels": part("labels"), "annotations": part("annotations")}}
