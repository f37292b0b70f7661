"""Grants that are not asked for twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from scheduler.errors import NotFoundError
from scheduler.jobs import granted
from scheduler.jobs.granted import Granted
from tests.unit.world import FakeStore

A, B = "a" * 64, "b" * 64


@dataclass
class Counting(FakeStore):
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def grant(self, sha256: str, environment: str) -> None:
        self.asked[sha256, environment] += 1
        super().grant(sha256, environment)


def test_a_grant_is_asked_for_again_only_after_a_while() -> None:
    store, now = Counting(artifacts={A, B}), [0.0]
    remembered = Granted(store, clock=lambda: now[0])

    for sha256, environment in [(A, "one"), (A, "one"), (A, "two"), (B, "one"), (A, "one")]:
        remembered.grant(sha256, environment)
    assert store.asked == {(A, "one"): 1, (A, "two"): 1, (B, "one"): 1}

    now[0] = granted.SECONDS
    remembered.grant(A, "one")
    assert store.asked[A, "one"] == 2


def test_a_refusal_is_not_remembered() -> None:
    store = Counting()
    remembered = Granted(store, clock=lambda: 0.0)
    with pytest.raises(NotFoundError):
        remembered.grant(A, "one")

    store.artifacts.add(A)
    remembered.grant(A, "one")

    assert store.grants == {(A, "one")}


def test_what_the_store_has_lost_is_noticed() -> None:
    store, now = Counting(artifacts={A}), [0.0]
    remembered = Granted(store, clock=lambda: now[0])
    remembered.grant(A, "one")
    store.artifacts.clear()

    now[0] = granted.SECONDS
    with pytest.raises(NotFoundError):
        remembered.grant(A, "one")
