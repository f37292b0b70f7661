"""From what the cluster shows of a run to the job that people see. Pure, and total: nothing makes it raise.

What Tekton calls Failed or Cancelled is not the job's state: a failing teardown turns a good run into a failed one.
So the scoring and the teardown are read separately, from the outcomes that our own programs left in the task runs,
and Tekton's reasons are asked only where a program could not leave one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from scheduler.model import job_json
from scheduler.model.job import Cleanup, Job, JobState, Progress, Submission
from scheduler.model.types import Manifest
from scheduler.tekton import ending, pending, pipeline_run, task_facts, timeline, view
from scheduler.tekton.ending import Ending
from scheduler.tekton.facts import Facts, facts_of
from scheduler.tekton.task_facts import TaskFacts

_SCORING_PHASES: Final = frozenset({"running", "draining", "finished"})


def project(
    run: Manifest, *, task_runs: Iterable[Manifest] = (), pods: Iterable[Manifest] = (), is_lagging: bool = False
) -> Job:
    """The job that this run is, with the task runs and task pods that bear its id.

    A job is over when its run and all its task runs are, so that what is said of its end never changes. `is_lagging`
    says that some task runs are still to be heard of: then it is not over, whatever the run says.
    """
    facts = facts_of(run, task_runs, pods, is_lagging=is_lagging)
    found = _now(facts)
    records = job_json.ledger_from_json(facts.wait.outcome.get("ledger"))
    if records is None and facts.progress is not None:
        records = facts.progress.ledger
    leftovers = (facts.janitor or facts.uninstall.outcome).get("leftovers")
    return Job(
        id=view.text(run, "metadata", "name"),
        environment=view.text(run, "metadata", "namespace"),
        state=found.state,
        cleanup=_cleanup(facts),
        submission=_submission(facts),
        task=found.task,
        reason=found.reason,
        message=found.message,
        diagnosis=found.diagnosis,
        records=records,
        records_per_second=_rate(facts),
        progress=_progress(facts),
        leftovers=tuple(str(item) for item in leftovers) if isinstance(leftovers, list) else (),
        timestamps=timeline.of(facts, found.state),
        resource_version=view.text(run, "metadata", "resourceVersion"),
    )


def has_untold(run: Manifest, task_runs: Iterable[Manifest]) -> bool:
    """Whether the run has ended with a task run that is not among these: one watch is ahead of the other."""
    if not task_facts.condition_of(run).is_final:
        return False
    told = {view.text(task_run, "metadata", "name") for task_run in task_runs}
    made = (child for child in view.items(run, "status", "childReferences") if child.get("kind") == "TaskRun")
    return any(view.text(child, "name") not in told for child in made)


def _submission(facts: Facts) -> Submission:
    """What was asked, with the digest of the charts that `install` used."""
    submission = facts.submission
    charts = facts.install.outcome.get("chartDigest")
    return replace(submission, digests={**submission.digests, "charts": charts}) if charts else submission


def _now(facts: Facts) -> Ending:
    if facts.is_over:
        return ending.of(facts)
    task, found = _task_at_work(facts)
    message = facts.progress.message if facts.progress else ""
    if found.exists and not found.has_started and not found.is_done:
        message = pending.sentence(task, found.condition, no_node=facts.no_node.get(task, ""))  # quota, image, no node
    return Ending(state=_state_on_the_way(facts), task=task, message=message)


def _state_on_the_way(facts: Facts) -> JobState:
    if facts.status == pipeline_run.PENDING:
        return JobState.QUEUED
    if facts.is_cancelled and not facts.wait.outcome:
        return JobState.CANCELLING
    if facts.condition.is_final or facts.uninstall.exists or facts.wait.is_done or facts.install.has_failed:
        return JobState.FINISHING
    if facts.wait.exists:
        return _state_while_waiting(facts)
    return JobState.INSTALLING if facts.install.has_started or facts.install.is_done else JobState.QUEUED


def _state_while_waiting(facts: Facts) -> JobState:
    phase = facts.progress.phase if facts.progress else ""
    if phase not in _SCORING_PHASES:
        return JobState.INSTALLING
    return JobState.DRAINING if phase == "draining" or facts.drain else JobState.RUNNING


def _task_at_work(facts: Facts) -> tuple[str, TaskFacts]:
    for task, found in (("uninstall", facts.uninstall), ("wait", facts.wait), ("install", facts.install)):
        if found.exists:
            return task, found
    return "", task_facts.ABSENT


def _cleanup(facts: Facts) -> Cleanup:
    """Clean is only what the uninstall program or the janitor proved; what nobody proved counts as leaked."""
    if facts.cleanup is not None:
        return facts.cleanup
    if not facts.is_over:
        return Cleanup.PENDING if facts.install.has_started or facts.install.is_done else Cleanup.NOT_NEEDED
    return Cleanup.LEAKED if facts.install.has_started else Cleanup.NOT_NEEDED


def _progress(facts: Facts) -> Progress | None:
    """Once the scoring is over what `wait` said of its end: the pod's own word may be older, or gone."""
    outcome = facts.wait.outcome
    if job_json.ledger_from_json(outcome.get("ledger")) is None:
        return facts.progress
    end = {"phase": "finished", "recordsPerSecond": _rate(facts), "updated": facts.wait.completed_at}
    return job_json.progress_from_json({**outcome, **end})


def _rate(facts: Facts) -> float | None:
    """Records read a second: over the whole scoring when it is over, as last measured before."""
    ledger = job_json.ledger_from_json(facts.wait.outcome.get("ledger"))
    seconds = facts.wait.outcome.get("seconds")
    if ledger is not None and isinstance(seconds, int | float) and seconds > 0:
        return round(ledger.read / seconds, 1)
    return facts.progress.records_per_second if facts.progress else None
