"""Deadlines of a job over those of its pipeline."""

from __future__ import annotations

from scheduler.model.pipeline import Deadlines
from scheduler.preprocess import deadlines


def test_a_job_changes_only_the_deadlines_it_names() -> None:
    found, problems = deadlines.resolve(Deadlines(), {"run": 60, "queue": 5})

    assert problems == ()
    assert found == Deadlines(run_seconds=60, queue_seconds=5)


def test_every_wrong_deadline_is_reported() -> None:
    _, problems = deadlines.resolve(Deadlines(), {"rum": 60, "ready": 0, "install": True, "finish": 10**9})

    assert [str(problem) for problem in problems] == [
        "job /deadlines/finish: must be between 1s and 30d, not 1000000000 seconds",
        "job /deadlines/install: must be between 1s and 30d, not True seconds",
        "job /deadlines/ready: must be between 1s and 30d, not 0 seconds",
        "job /deadlines/rum: there is no deadline 'rum' (there are 'run', 'finish', 'install', 'queue', 'ready')",
    ]
