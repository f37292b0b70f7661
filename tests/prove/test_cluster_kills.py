"""The local cluster comes back: `up` killed at ten seeded moments, and every component killed once."""

from __future__ import annotations

import os
from typing import Final

import pytest

from scheduler.devcluster import startup
from tests import real_cluster
from tests.e2e import cluster_kills
from tests.prove import record

pytestmark = [
    pytest.mark.timeout(900),
    real_cluster.LOCAL_ONLY,
]

SEED: Final = 20
MOMENTS: Final = cluster_kills.moments(SEED, 10)


@pytest.mark.parametrize("half", ["first", "second"])
def test_up_killed_anywhere_is_finished_by_the_next(half: str) -> None:
    chosen = MOMENTS[:5] if half == "first" else MOMENTS[5:]
    found = [cluster_kills.kill_up(moment) for moment in chosen]
    seconds, at_work = [one for one, _ in found], sum(is_so for _, is_so in found)
    assert at_work >= len(chosen) - 2, "it was done before most of the moments: look for them earlier"
    when = ", ".join(f"{moment:.1f}" for moment in chosen)
    record.write(
        f"`cluster up` killed after {when} s (of about {cluster_kills.UP_SECONDS:.0f}); the next `up` finishes it",
        f"ready again after {cluster_kills.shown(seconds)} each time (limit {cluster_kills.READY_SECONDS} s); "
        f"{at_work} of {len(chosen)} were at work when killed",
        seeds=[SEED],
    )


def test_every_component_killed_once_is_back_with_the_next_up() -> None:
    machine = startup.machine(os.environ)
    seconds = {name: cluster_kills.kill(machine, name) for name in cluster_kills.COMPONENTS}
    slowest = max(seconds, key=lambda name: seconds[name])
    record.write(
        f"each of the local cluster's {len(seconds)} components killed once, then `cluster up`",
        f"ready again after {cluster_kills.shown(list(seconds.values()))} (slowest: {slowest}; "
        f"limit {cluster_kills.READY_SECONDS} s)",
    )
