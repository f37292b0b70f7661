"""One of several holds it; none keeps it that is gone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from scheduler.cluster.fake import FakeCluster
from scheduler.jobs.lease import SECONDS, Lease
from tests.unit import world


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lease(cluster: FakeCluster, clock: Clock, holder: str) -> Lease:
    return Lease(cluster, name="janitor", namespace="platform", holder=holder, clock=clock)


def test_the_first_holds_it_and_keeps_it_by_renewing(cluster: FakeCluster, clock: Clock) -> None:
    one, two = lease(cluster, clock, "one"), lease(cluster, clock, "two")
    for _ in range(5):
        assert (one.hold(), two.hold()) == (True, False)
        clock.now += SECONDS - 1


def test_one_that_is_not_renewed_is_taken_over(cluster: FakeCluster, clock: Clock) -> None:
    one, two = lease(cluster, clock, "one"), lease(cluster, clock, "two")
    assert (one.hold(), two.hold()) == (True, False)
    clock.now += SECONDS

    assert two.hold()
    assert not one.hold()
    spec = cluster.get("Lease", "janitor", "platform")["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"], spec["leaseDurationSeconds"]) == ("two", 1, SECONDS)


def test_a_time_in_it_that_is_old_or_of_another_clock_means_nothing(cluster: FakeCluster, clock: Clock) -> None:
    assert lease(cluster, clock, "one").hold()
    old = {"spec": {"renewTime": "2001-01-01T00:00:00.000000Z"}}
    cluster.patch("Lease", "janitor", "platform", old)

    assert not lease(cluster, clock, "two").hold()


def test_what_is_given_back_is_free_at_once(cluster: FakeCluster, clock: Clock) -> None:
    one, two = lease(cluster, clock, "one"), lease(cluster, clock, "two")
    one.hold()
    two.give_back()
    assert not two.hold(), "only its holder can give it back"
    one.give_back()
    assert two.hold()


def test_of_many_that_reach_for_it_one_has_it(cluster: FakeCluster, clock: Clock) -> None:
    held: list[str] = []

    def reach(number: int) -> None:
        if lease(cluster, clock, f"holder-{number}").hold():
            held.append(f"holder-{number}")

    world.in_threads(8, reach)

    assert held == [cluster.get("Lease", "janitor", "platform")["spec"]["holderIdentity"]]
