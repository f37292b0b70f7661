"""How often an account asks the API server for what, as the API server itself counts it.

Priority and Fairness counts requests by the FlowSchema that they match; a schema for one account and one kind of
request therefore counts exactly those.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from scheduler.demo.installation import Platform

_METRIC: Final = re.compile(
    r'^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="([^"]+)",[^}]*\} (\S+)$', re.MULTILINE
)
_SETTLE_SECONDS: Final = 2.0
"""Until the API server sorts requests by a new schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Requests to count: of one account, with these verbs, for this resource."""

    account: str
    account_namespace: str
    verbs: tuple[str, ...]
    group: str = "*"
    resource: str = "*"
    namespaces: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    platform: Platform
    schemas: Mapping[str, str]
    """Key of the question -> name of its FlowSchema."""

    def now(self) -> dict[str, int]:
        text = self.platform.kubectl("get", "--raw", "/metrics").decode()
        counts = {name: int(float(count)) for name, count in _METRIC.findall(text)}
        return {key: counts.get(name, 0) for key, name in self.schemas.items()}


@contextmanager
def counting(platform: Platform, questions: Mapping[str, Question]) -> Iterator[Counting]:
    """Counts while the context is open; what was asked before does not count."""
    word = uuid.uuid4().hex[:8]
    schemas = {key: f"count-{word}-{number}" for number, key in enumerate(questions)}
    manifests = [_schema(schemas[key], question) for key, question in questions.items()]
    platform.apply(*manifests)
    try:
        time.sleep(_SETTLE_SECONDS)
        yield Counting(platform=platform, schemas=schemas)
    finally:
        platform.kubectl("delete", "flowschema", *schemas.values(), "--ignore-not-found")


def lists_of(accounts: Sequence[tuple[str, str]], kinds: Mapping[str, str]) -> dict[str, Question]:
    """A question for each (account, namespace) and each resource -> API group: how often is it listed?"""
    return {
        f"{account}: {resource}": Question(
            account=account, account_namespace=namespace, verbs=("list",), group=group, resource=resource
        )
        for account, namespace in accounts
        for resource, group in kinds.items()
    }


def _schema(name: str, question: Question) -> Mapping[str, Any]:
    account = {"name": question.account, "namespace": question.account_namespace}
    rule = {
        "apiGroups": [question.group],
        "resources": [question.resource],
        "verbs": list(question.verbs),
        "namespaces": list(question.namespaces),
    }
    return {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "metadata": {"name": name},
        "spec": {
            "matchingPrecedence": 500,
            "priorityLevelConfiguration": {"name": "workload-low"},
            "distinguisherMethod": {"type": "ByUser"},
            "rules": [{"subjects": [{"kind": "ServiceAccount", "serviceAccount": account}], "resourceRules": [rule]}],
        },
    }
