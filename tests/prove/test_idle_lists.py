"""Quiet time costs the API server no lists: its own count over five minutes, at 200 jobs that wait."""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.e2e import asked, idle
from tests.e2e.deployed import Deployed
from tests.e2e.support import Jobs
from tests.prove import record

REPLICAS: Final = 2
JOBS: Final = 200
SECONDS: Final = 300.0


@pytest.mark.timeout(1200)
def test_two_servers_list_each_kind_at_most_once_in_five_minutes(deployed: Deployed, jobs: Jobs) -> None:
    platform = deployed.platform
    with (
        deployed.changed(f"scheduling-server.replicas={REPLICAS}"),
        idle.waiting(jobs, JOBS) as ids,
        asked.counting(platform, idle.questions()) as counting,
    ):
        idle.settle(jobs, ids)
        before = counting.now()
        time.sleep(SECONDS)
        after = counting.now()
    lists = {key: after[key] - before[key] for key in after}
    assert max(lists.values()) <= REPLICAS, lists
    told = ", ".join(f"{key} {count}" for key, count in lists.items() if count) or "none"
    record.write(
        f"{REPLICAS} servers at {JOBS} waiting jobs list each kind at most once each in {SECONDS:g} s",
        f"lists counted by the API server for both together: {told}",
    )
