"""JSON forms of a job and its parts, camelCase: annotations, task results, termination messages and HTTP bodies.

What is read here was written by other programs, or by anybody who may edit an annotation: wrong shapes become
defaults or None and never an exception.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from scheduler.model.job import TERMS, Diagnosis, Job, Ledger, Progress, Submission
from scheduler.model.pipeline import Scalar

_CAMEL: Final = {
    term: term.split("_", maxsplit=1)[0] + "".join(part.title() for part in term.split("_")[1:]) for term in TERMS
}


def parse(text: object) -> Mapping[str, Any]:
    """The JSON object that `text` holds; empty when it holds none."""
    if not isinstance(text, str):
        return {}
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if r"\u" in text:  # half a surrogate pair cannot be sent on as UTF-8
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def ledger_to_json(ledger: Ledger) -> dict[str, int]:
    """
    >>> ledger_to_json(Ledger(read=2, written=1, dead_lettered=1))["deadLettered"]
    1
    """
    return {camel: getattr(ledger, term) for term, camel in _CAMEL.items()}


def ledger_from_json(value: object) -> Ledger | None:
    """A missing term is 0; None when `value` is no object or a term no count."""
    if not isinstance(value, Mapping):
        return None
    terms = {term: value.get(camel, 0) for term, camel in _CAMEL.items()}
    if not all(_is_count(count) for count in terms.values()):
        return None
    return Ledger(**terms)


def progress_to_json(progress: Progress) -> dict[str, object]:
    return {
        "phase": progress.phase,
        "ledger": ledger_to_json(progress.ledger),
        "recordsPerSecond": progress.records_per_second,
        "total": progress.total,
        "message": progress.message,
        "updated": progress.updated,
    }


def progress_from_json(value: object) -> Progress | None:
    if not isinstance(value, Mapping):
        return None
    total = value.get("total")
    return Progress(
        phase=_text(value.get("phase")),
        ledger=ledger_from_json(value.get("ledger")) or Ledger(),
        records_per_second=_number(value.get("recordsPerSecond")) or 0.0,
        total=total if _is_count(total) else None,
        message=_text(value.get("message")),
        updated=_text(value.get("updated")),
    )


def diagnosis_to_json(diagnosis: Diagnosis) -> dict[str, str]:
    return {
        "category": diagnosis.category,
        "summary": diagnosis.summary,
        "detail": diagnosis.detail,
        "resolution": diagnosis.resolution,
    }


def diagnosis_from_json(value: object) -> Diagnosis | None:
    if not isinstance(value, Mapping) or not _text(value.get("summary")):
        return None
    return Diagnosis(
        category=_text(value.get("category")),
        summary=_text(value.get("summary")),
        detail=_text(value.get("detail")),
        resolution=_text(value.get("resolution")),
    )


def submission_to_json(submission: Submission) -> dict[str, object]:
    return {
        "pipeline": submission.pipeline,
        "revision": submission.revision,
        "parameters": dict(submission.parameters),
        "labels": dict(submission.labels),
        "deadlines": dict(submission.deadlines),
        "trigger": None if submission.trigger is None else dict(submission.trigger),
        "git": None if submission.git is None else dict(submission.git),
        "dataVersions": dict(submission.data_versions),
        "submittedBy": submission.submitted_by,
        "submittedAt": submission.submitted_at,
        "digests": dict(submission.digests),
    }


def submission_from_json(value: object) -> Submission:
    given = value if isinstance(value, Mapping) else {}
    revision, trigger, git = given.get("revision"), given.get("trigger"), given.get("git")
    return Submission(
        pipeline=_text(given.get("pipeline")),
        revision=revision if _is_count(revision) else None,
        parameters=_scalars(given.get("parameters")),
        labels=_texts(given.get("labels")),
        deadlines={key: count for key, count in _mapping(given.get("deadlines")).items() if _is_count(count)},
        trigger=trigger if isinstance(trigger, Mapping) else None,
        git=_texts(git) if isinstance(git, Mapping) else None,
        data_versions=_texts(given.get("dataVersions")),
        submitted_by=_text(given.get("submittedBy")),
        submitted_at=_text(given.get("submittedAt")),
        digests=_mapping(given.get("digests")),
    )


def job_to_json(job: Job) -> dict[str, object]:
    """The job as the HTTP API shows it."""
    records: dict[str, object] | None = None
    if job.records is not None:
        records = {**ledger_to_json(job.records), "perSecond": job.records_per_second}
    return {
        "id": job.id,
        "environment": job.environment,
        "state": job.state.value,
        "task": job.task,
        "reason": job.reason.value,
        "message": job.message,
        "diagnosis": None if job.diagnosis is None else diagnosis_to_json(job.diagnosis),
        "records": records,
        "progress": None if job.progress is None else progress_to_json(job.progress),
        "cleanup": job.cleanup.value,
        "leftovers": list(job.leftovers),
        "timestamps": dict(job.timestamps),
        "resourceVersion": job.resource_version,
        **submission_to_json(job.submission),
    }


def _mapping(value: object) -> dict[str, Any]:
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, Mapping) else {}


def _texts(value: object) -> dict[str, str]:
    return {key: item for key, item in _mapping(value).items() if isinstance(item, str)}


def _scalars(value: object) -> dict[str, Scalar]:
    return {
        key: item for key, item in _mapping(value).items() if item is None or isinstance(item, str | int | float | bool)
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
        return None
    return float(value)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large for a number")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
