"""A job for people: its words, its rows, its progress. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scheduler.client.scheduling import JobJson
from scheduler.model.job import JobState

COLUMNS: Final = ("ID", "PIPELINE", "REV", "STATE", "TASK", "READ", "WRITTEN", "CLEANUP", "SUBMITTED", "MESSAGE")
_TERMS: Final = (
    ("read", "read"),
    ("written", "written"),
    ("deadLettered", "dead-lettered"),
    ("dropped", "dropped"),
    ("filtered", "filtered"),
    ("split", "split"),
    ("folded", "folded"),
)
_MESSAGE_LENGTH: Final = 60


def is_finished(job: JobJson) -> bool:
    """Whether nothing more will happen to it; a state that this version does not know may still change."""
    try:
        return JobState(job["state"]).is_finished
    except ValueError:
        return False


def row(job: JobJson) -> Sequence[object]:
    """One line of the list."""
    records = counts(job)
    message = job["message"] if len(job["message"]) <= _MESSAGE_LENGTH else f"{job['message'][: _MESSAGE_LENGTH - 1]}…"
    return (
        job["id"],
        job["pipeline"],
        job["revision"],
        job["state"],
        job["task"],
        records.get("read"),
        records.get("written"),
        job["cleanup"],
        job["submittedAt"],
        message,
    )


def facts(job: JobJson) -> Sequence[tuple[str, object]]:
    """Everything about one job, in the order in which it is looked for."""
    diagnosis: Mapping[str, Any] = job["diagnosis"] or {}
    progress: Mapping[str, Any] = job["progress"] or {}
    revision = f"revision {job['revision']}" if job["revision"] else ""
    return (
        ("id", job["id"]),
        ("pipeline", " ".join(part for part in (job["pipeline"], revision) if part)),
        ("environment", job["environment"]),
        ("state", " ".join(part for part in (job["state"], f"({job['reason']})" if job["reason"] else "") if part)),
        ("task", job["task"]),
        ("message", job["message"]),
        ("cause", diagnosis.get("summary")),
        ("detail", diagnosis.get("detail")),
        ("what to do", diagnosis.get("resolution")),
        ("records", ledger(counts(job))),
        ("of", progress.get("total")),
        ("per second", per_second(job) or None),
        ("cleanup", job["cleanup"]),
        ("left over", job["leftovers"]),
        ("parameters", job["parameters"]),
        ("labels", job["labels"]),
        ("data versions", job["dataVersions"]),
        ("git", job["git"]),
        ("trigger", job["trigger"]),
        ("deadlines", deadlines(job["deadlines"])),
        ("digests", _digests(job["digests"])),
        ("submitted", f"{job['submittedAt']} by {job['submittedBy']}"),
        *((f"  {state}", time) for state, time in job["timestamps"].items()),
    )


def counts(job: JobJson) -> Mapping[str, int]:
    """The terms of the ledger: the final ones, else those of the progress so far; empty before there are any."""
    found = job["records"] or (job["progress"] or {}).get("ledger") or {}
    return {key: found[key] for key, _ in _TERMS if key in found}


def ledger(terms: Mapping[str, int]) -> str:
    """The terms in words, those that are 0 left out but for the first two.

    >>> ledger({"read": 1000, "written": 990, "filtered": 10, "split": 0})
    '1,000 read, 990 written, 10 filtered'
    """
    shown = [(key, word) for key, word in _TERMS if key in terms and (terms[key] or key in {"read", "written"})]
    return ", ".join(f"{terms[key]:,} {word}" for key, word in shown)


def per_second(job: JobJson) -> float:
    records, progress = job["records"] or {}, job["progress"] or {}
    return float(records.get("perSecond") or progress.get("recordsPerSecond") or 0)


def total(job: JobJson) -> int | None:
    """Records in the source, once they are counted."""
    return (job["progress"] or {}).get("total")


def line(job: JobJson) -> str:
    """One line about where the job is, for output that is no terminal."""
    speed = per_second(job)
    parts = [
        job["state"],
        job["task"],
        ledger(counts(job)),
        f"{speed:,.0f}/s" if speed and not is_finished(job) else "",
        job["message"],
    ]
    return " · ".join(part for part in parts if part)


def deadlines(seconds_of: Mapping[str, int]) -> Mapping[str, str]:
    """
    >>> deadlines({"ready": 300, "run": 0})
    {'ready': '300s', 'run': 'none'}
    """
    return {phase: f"{seconds}s" if seconds else "none" for phase, seconds in seconds_of.items()}


def _digests(digests: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in digests.items() if isinstance(value, str)}
