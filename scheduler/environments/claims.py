"""What a namespace's labels say of whose it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from scheduler import names
from scheduler.model.types import Manifest
from scheduler.tekton import view

POD_SECURITY: Final = "pod-security.kubernetes.io/enforce"


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
