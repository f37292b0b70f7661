"""Task pods that are taken away: nothing of the job is left, and its state says what happened."""

from __future__ import annotations

from itertools import islice
from typing import Final

import pytest

from scheduler.cluster.kubernetes import KubernetesCluster
from tests.e2e import pod_kills, pod_trials
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

EACH: Final = 3
SEED: Final = 1


def test_no_release_stays_half_made_when_task_pods_are_killed(jobs: Jobs, cluster: KubernetesCluster) -> None:
    kills = [kill for task in ("install", "uninstall") for kill in islice(pod_kills.seeded(task, SEED), EACH)]

    trials = pod_trials.run(kills, jobs=jobs, cluster=cluster)

    assert [fault for trial in trials for fault in trial.wrong] == []
    assert {trial.kill.task for trial in trials if trial.is_hit} == {"install", "uninstall"}
