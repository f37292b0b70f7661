"""One line before and one after every change: who, what, where, and how it came out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from scheduler.cluster.port import Caller
from scheduler.errors import SchedulerError

_log = logging.getLogger("modelops.audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody is about to change."""

    verb: str
    resource: str
    name: str
    environment: str
    caller: Caller
    request_id: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """Filled in by whoever makes the change."""

    name: str = ""
    """When it became known only with the change."""
    before: object = None
    after: object = None


@contextmanager
def recorded(change: Change) -> Iterator[Outcome]:
    """Write the line before the effect; after it the one with its outcome, also when it fails."""
    outcome = Outcome()
    _write(change, "begin", change.name, {})
    try:
        yield outcome
    except SchedulerError as error:
        _write(change, "refused", outcome.name or change.name, {"error": type(error).__name__, "detail": str(error)})
        raise
    except BaseException as error:
        _write(change, "failed", outcome.name or change.name, {"error": type(error).__name__})
        raise
    _write(change, "done", outcome.name or change.name, {"before": outcome.before, "after": outcome.after})


def _write(change: Change, phase: str, name: str, more: Mapping[str, object]) -> None:
    line = {
        "audit": phase,
        "requestId": change.request_id,
        "caller": change.caller.name,
        "groups": list(change.caller.groups),
        "verb": change.verb,
        "resource": change.resource,
        "environment": change.environment,
        "name": name,
        **change.details,
        **more,
    }
    _log.info("%s", json.dumps(line, ensure_ascii=True, sort_keys=False, default=str))
