"""Query fields of the list of jobs, as a filter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from scheduler.errors import InvalidInputError
from scheduler.jobs.listing import Filter
from scheduler.jobs.ports import stamp
from scheduler.model.job import JobState
from scheduler.model.problem import Problem


def parse(*, states: Iterable[JobState], pipeline: str, labels: Iterable[str], since: str, until: str) -> Filter:
    """InvalidInputError lists every field that says nothing that could be meant."""
    problems: list[Problem] = []
    pairs: dict[str, str] = {}
    for text in labels:
        key, found, value = text.partition("=")
        if not found or not key:
            problems.append(Problem(pointer="query:label", message=f"'{text}' is not `key=value`"))
        pairs[key] = value
    times = {name: _utc(name, text, problems) for name, text in (("since", since), ("until", until)) if text}
    if problems:
        raise InvalidInputError(problems)
    return Filter(states=frozenset(states), pipeline=pipeline, labels=pairs, **times)


def _utc(name: str, text: str, problems: list[Problem]) -> str:
    """As Kubernetes writes times; a time without a zone is UTC."""
    try:
        # a '+' that was not escaped comes as a blank
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return stamp(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC))
    except (OverflowError, ValueError):
        problems.append(Problem(pointer=f"query:{name}", message=f"'{text}' is no time such as 2026-01-31T10:00:00Z"))
        return ""
