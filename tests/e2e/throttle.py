"""Lets the API server answer 429 to one account for one kind of call, by its own priority and fairness."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, Platform

_NAME: Final = f"{ENVIRONMENT}-throttled"
_API: Final = "flowcontrol.apiserver.k8s.io/v1"
_LEVEL: Final[dict[str, Any]] = {
    "apiVersion": _API,
    "kind": "PriorityLevelConfiguration",
    "metadata": {"name": _NAME},
    "spec": {
        "type": "Limited",
        # no seat, and none to borrow: everything is refused
        "limited": {
            "nominalConcurrencyShares": 0,
            "borrowingLimitPercent": 0,
            "lendablePercent": 0,
            "limitResponse": {"type": "Reject"},
        },
    },
}


@contextmanager
def throttled(platform: Platform, *, account: str, verb: str, group: str, resource: str) -> Iterator[None]:
    """Within a second or so, until the context ends: 429 for the account's calls of this verb in the environment."""
    platform.apply(_LEVEL, _schema(account, verb, group, resource))
    try:
        yield
    finally:
        kinds = ("flowschema", "prioritylevelconfiguration")
        for kind in kinds:
            platform.kubectl("delete", kind, _NAME, "--ignore-not-found")


def _schema(account: str, verb: str, group: str, resource: str) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "serviceAccount": {"name": account, "namespace": NAMESPACE}}
    calls = {"verbs": [verb], "apiGroups": [group], "resources": [resource], "namespaces": [ENVIRONMENT]}
    return {
        "apiVersion": _API,
        "kind": "FlowSchema",
        "metadata": {"name": _NAME},
        "spec": {
            "matchingPrecedence": 100,
            "priorityLevelConfiguration": {"name": _NAME},
            "rules": [{"subjects": [subject], "resourceRules": [calls]}],
        },
    }
