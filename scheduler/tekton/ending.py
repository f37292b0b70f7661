"""How a finished job ended: state, reason, task and words, from the strongest evidence to the weakest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from scheduler.model import job_json
from scheduler.model.job import Cleanup, Diagnosis, JobState, Reason
from scheduler.tekton import diagnosis, pipeline_run, reasons, view
from scheduler.tekton.facts import Facts

QUEUE_DEADLINE_MODE: Final = "queue-deadline"
"""`mode` of a cancellation that the server itself asked for because the job waited too long."""
DRAIN_MODE: Final = "drain"
"""`mode` of a cancellation that took the place of a drain, because the job had nothing to drain yet."""
_SOMEBODY: Final = "somebody with access to the cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Where a job is, or how it ended."""

    state: JobState
    task: str = ""
    reason: Reason = Reason.NONE
    message: str = ""
    diagnosis: Diagnosis | None = None


def of(facts: Facts) -> Ending:
    """How the scoring ended, and then what the teardown adds to it."""
    scoring = _scoring(facts)
    if scoring.state == JobState.SUCCEEDED and facts.cleanup != Cleanup.CLEAN:
        return _with_teardown(scoring, facts)
    janitor = _words(facts.janitor)
    message = f"{scoring.message}; {janitor}".removeprefix("; ") if janitor else scoring.message
    if scoring.state == JobState.SUCCEEDED:
        return replace(scoring, message=message)
    found = scoring.diagnosis or diagnosis.of(scoring.reason, detail=scoring.message)
    if found and found.detail == scoring.message:
        found = replace(found, detail=message)
    return replace(scoring, message=message, diagnosis=found)


def _scoring(facts: Facts) -> Ending:
    said = facts.wait.outcome.get("outcome")
    if said == "Succeeded":
        return Ending(state=JobState.SUCCEEDED, reason=_good_reason(facts), message=_words(facts.wait.outcome))
    if said == "Failed":
        return _unfinished(facts) if facts.drain else _failed_in_wait(facts)
    if facts.install.outcome.get("outcome") == "Failed" and not facts.is_cancelled:
        return _failed("install", facts.install.outcome)
    if facts.is_cancelled:
        return _cancelled(facts)
    return _without_outcome(facts)


def _failed_in_wait(facts: Facts) -> Ending:
    """Whoever removes the release before `wait` has begun is Tekton.

    Seen: it counts a task whose pod was deleted as failed, begins with `finally`, runs the task once more after all,
    and then what comes after it.
    """
    found = _failed("wait", facts.wait.outcome)
    is_torn_down = facts.uninstall.exists and facts.uninstall.created_at < facts.wait.created_at
    if found.reason is Reason.RELEASE_DELETED and is_torn_down:
        message = "the pod of task install was ended from outside, and the teardown began before it was run again"
        return Ending(state=JobState.FAILED, task="install", reason=Reason.TASK_POD_LOST, message=message)
    return found


def _unfinished(facts: Facts) -> Ending:
    """A batch that was drained: nobody failed, and nothing is published."""
    found = _failed("wait", facts.wait.outcome)
    if found.reason != Reason.DRAINED:
        return found
    by = str(facts.drain.get("by", "")) or _SOMEBODY
    return replace(found, state=JobState.CANCELLED, message=f"drained by {by}: {found.message}")


def _good_reason(facts: Facts) -> Reason:
    said = reasons.named(str(facts.wait.outcome.get("reason", "")))
    if said in {Reason.COMPLETED_BY_REQUEST, Reason.DRAINED}:
        return said
    return Reason.COMPLETED


def _failed(task: str, outcome: Mapping[str, Any]) -> Ending:
    given = str(outcome.get("reason", ""))
    reason = reasons.named(given)
    unknown = f"{given}: " if reason == Reason.TEKTON and given not in {"", Reason.TEKTON.value} else ""
    state = JobState.TIMED_OUT if reason in reasons.DEADLINES else JobState.FAILED
    if reason == Reason.CANCELLED:
        state = JobState.CANCELLED
    return Ending(
        state=state,
        task=task,
        reason=reason,
        message=unknown + _words(outcome),
        diagnosis=job_json.diagnosis_from_json(outcome.get("diagnosis")),
    )


def _cancelled(facts: Facts) -> Ending:
    by = str(facts.cancelled_by.get("by", "")) or _SOMEBODY
    task = "wait" if facts.wait.exists else "install" if facts.install.exists else ""
    if facts.cancelled_by.get("mode") == QUEUE_DEADLINE_MODE:
        limit = pipeline_run.deadlines_of(facts.submission).queue_seconds
        why = view.text(facts.cancelled_by, "why")
        message = f"the job waited longer than its queue deadline of {limit} s" + (f": {why}" if why else "")
        return Ending(state=JobState.TIMED_OUT, task=task, reason=Reason.QUEUE_DEADLINE, message=message)
    if facts.cancelled_by.get("mode") == DRAIN_MODE:
        message = f"drained by {by} before it scored"
        return Ending(state=JobState.CANCELLED, task=task, reason=Reason.DRAINED, message=message)
    how = ", by force" if facts.cancelled_by.get("mode") == pipeline_run.FORCE else ""
    return Ending(state=JobState.CANCELLED, task=task, reason=Reason.CANCELLED, message=f"cancelled by {by}{how}")


def _without_outcome(facts: Facts) -> Ending:
    """No program could say how it ended: Tekton's own reasons, of the first task that failed or of the run."""
    failed = [(task, found) for task, found in (("install", facts.install), ("wait", facts.wait)) if found.has_failed]
    is_late = facts.condition.reason in reasons.TIMEOUTS
    for task, found in failed:
        if is_late and found.condition.reason == reasons.TASK_CANCELLED:
            continue  # how Tekton ends the tasks of a run that is late
        condition = found.condition
        reason = reasons.of_task_run(condition.reason, task=task, message=condition.message)
        return _told_by_tekton(task, reason, condition.reason, condition.message)
    if is_late:
        task = "wait" if facts.wait.exists else "install"
        reason = reasons.DEADLINE_OF_TASK[task]
        return _told_by_tekton(task, reason, facts.condition.reason, facts.condition.message)
    if facts.wait.is_done or facts.condition.status == "True":
        message = "task wait ended without saying how the scoring ended"
        return Ending(state=JobState.FAILED, task="wait", reason=Reason.COUNTS_LOST, message=message)
    return _told_by_tekton("", Reason.TEKTON, facts.condition.reason, facts.condition.message)


def _told_by_tekton(task: str, reason: Reason, word: str, message: str) -> Ending:
    state = JobState.TIMED_OUT if reason in reasons.DEADLINES else JobState.FAILED
    said = f"{word}: {message}" if message else word
    if reason is Reason.TASK_POD_LOST:
        said = f"the pod of task {task} was ended from outside ({said})"
    return Ending(state=state, task=task, reason=reason, message=said)


def _with_teardown(scoring: Ending, facts: Facts) -> Ending:
    """A job whose result is published has succeeded, even if its teardown has not: the reason tells of that."""
    uninstall = facts.uninstall
    reason = Reason.LEAKED
    if uninstall.condition.reason in reasons.TIMEOUTS or uninstall.outcome.get("reason") == Reason.FINISH_DEADLINE:
        reason = Reason.FINISH_DEADLINE
    words = _words(uninstall.outcome) or uninstall.condition.message or "task uninstall did not prove that it is gone"
    words = "; ".join(part for part in (words, _words(facts.janitor)) if part)
    message = f"{scoring.message}; its release is not proven gone: {words}".removeprefix("; ")
    found = diagnosis.of(reason, detail=words)
    return replace(scoring, task="uninstall", reason=reason, message=message, diagnosis=found)


def _words(outcome: Mapping[str, Any]) -> str:
    message = outcome.get("message")
    return message if isinstance(message, str) else ""
