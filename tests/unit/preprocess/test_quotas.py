"""What pods ask for, held against a ResourceQuota."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.preprocess import quotas
from scheduler.preprocess.quotas import Lack
from scheduler.preprocess.resources import Totals

ASKED = Totals(pods=2, request_cpu_millicores=50, limit_memory_bytes=896 * 2**20)


def quota(hard: dict[str, str] | None = None, *expressions: dict[str, Any]) -> dict[str, Any]:
    spec = {"hard": hard or {}, **({"scopeSelector": {"matchExpressions": list(expressions)}} if expressions else {})}
    return {"kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": spec}


def test_each_limit_that_is_exceeded_is_told_as_the_quota_names_it() -> None:
    hard = {"pods": "1", "cpu": "49m", "limits.memory": "895Mi", "limits.cpu": "0", "services": "0"}

    assert list(quotas.lacking(ASKED, quota(hard))) == [
        Lack(quota="q", resource="pods", need="2", hard="1"),
        Lack(quota="q", resource="cpu", need="0.05", hard="49m"),
        Lack(quota="q", resource="limits.memory", need="896Mi", hard="895Mi"),
    ]


def test_what_is_just_enough_is_enough() -> None:
    assert list(quotas.lacking(ASKED, quota({"pods": "2", "cpu": "50m", "limits.memory": "896Mi"}))) == []


@pytest.mark.parametrize(
    ("operator", "values", "of_class", "of_none"),
    [("In", ["a"], True, False), ("NotIn", ["a"], False, True), ("Exists", [], True, False)],
)
def test_a_quota_counts_the_pods_of_its_scope(
    *, operator: str, values: list[str], of_class: bool, of_none: bool
) -> None:
    scoped = quota({}, {"scopeName": "PriorityClass", "operator": operator, "values": values})

    assert (quotas.counts(scoped, "a"), quotas.counts(scoped, "")) == (of_class, of_none)
    assert quotas.counts(quota(), "a")
    assert not quotas.counts(quota({}, {"scopeName": "Terminating", "operator": "Exists"}), "a")
