"""Install and uninstall pods that are taken away, twenty times each."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from scheduler.cluster.kubernetes import KubernetesCluster
from tests.e2e import pod_kills, pod_trials
from tests.e2e.pod_trials import Trial
from tests.e2e.support import AT_ONCE, Jobs
from tests.prove import record

pytestmark = pytest.mark.timeout(2 * 3600)

KILLS: Final = 20
SEED: Final = 20261121


@pytest.mark.parametrize("task", ["install", "uninstall"])
def test_nothing_stays_of_a_job_whose_task_pod_is_killed(task: str, jobs: Jobs, cluster: KubernetesCluster) -> None:
    kills, trials = pod_kills.seeded(task, SEED), list[Trial]()
    while sum(trial.is_hit for trial in trials) < KILLS and not any(trial.wrong for trial in trials):
        trials += pod_trials.run([next(kills) for _ in range(AT_ONCE)], jobs=jobs, cluster=cluster)
    hit = [trial for trial in trials if trial.is_hit]
    wrong = [fault for trial in trials for fault in trial.wrong]
    ends = ", ".join(f"{count} {end}" for end, count in Counter(trial.end for trial in hit).most_common())
    longest = max(trial.seconds_to_nothing for trial in hit)
    figure = f"{len(hit)} kills, {len(wrong)} faults; {ends}; nothing left at most {longest:.0f} s after the end"
    record.write(f"The {task} pod is killed at a seeded moment of its life", figure, seeds=[SEED])
    assert wrong == []
