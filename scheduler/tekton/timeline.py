"""When a job entered each of its states, as far as the cluster knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from scheduler.model.job import JobState
from scheduler.tekton import view
from scheduler.tekton.facts import Facts


def of(facts: Facts, state: JobState) -> Mapping[str, str]:
    """State -> RFC 3339 time, in the order of a job's life; states whose time nobody noted are absent."""
    finishing = facts.uninstall.created_at or facts.wait.completed_at
    found = {
        JobState.QUEUED: view.text(facts.run, "metadata", "creationTimestamp"),
        JobState.INSTALLING: facts.install.started_at,
        JobState.RUNNING: _scoring_start(facts),
        JobState.DRAINING: view.text(facts.drain, "at"),
        JobState.CANCELLING: view.text(facts.cancelled_by, "at"),
        JobState.FINISHING: finishing,
    }
    if state.is_finished:
        found[state] = view.text(facts.run, "status", "completionTime")
    return {entered.value: at for entered, at in found.items() if at}


def _scoring_start(facts: Facts) -> str:
    """When `wait` ended, less the seconds that it counted."""
    seconds = facts.wait.outcome.get("seconds")
    if not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        return ""
    try:
        ended = datetime.fromisoformat(facts.wait.completed_at)
        return (ended - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return ""
