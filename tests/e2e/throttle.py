"""Lets the API server answer 429 to one account, by its own priority and fairness."""

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
        # one call at a time: a level without a seat still takes one when it has none at work
        "limited": {
            "nominalConcurrencyShares": 0,
            "borrowingLimitPercent": 0,
            "lendablePercent": 0,
            "limitResponse": {"type": "Reject"},
        },
    },
}


@contextmanager
def throttled(platform: Platform, *, account: str) -> Iterator[None]:
    """Until the context ends, and from a moment after it began: of the account's calls in the environment but its
    watches, those that come while another one is at work are refused.
    """
    platform.apply(_LEVEL, _schema(account))
    try:
        yield
    finally:
        for kind in ("flowschema", "prioritylevelconfiguration"):
            platform.kubectl("delete", kind, _NAME, "--ignore-not-found")


def _schema(account: str) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "serviceAccount": {"name": account, "namespace": NAMESPACE}}
    verbs = ["create", "get", "list", "patch"]
    calls = {"verbs": verbs, "apiGroups": ["*"], "resources": ["*"], "namespaces": [ENVIRONMENT]}
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
