"""What jobs have left in their environments, looked at because somebody asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scheduler.jobs import orphans
from scheduler.jobs.clean import clean
from scheduler.jobs.orphans import Orphan, Verdict
from scheduler.jobs.ports import Ports
from scheduler.release import remains

SECONDS: Final = 45.0
"""For everything that is removed in one request; what is not reached is told as still to do."""


class Action(StrEnum):
    REMOVED = "removed"
    WOULD_REMOVE = "would remove"
    WAITS = "waits"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One release that is not its job's any more."""

    orphan: Orphan
    action: Action
    message: str = ""


def leftovers(
    environments: Iterable[str], *, is_dry_run: bool, ports: Ports, clock: Callable[[], float] = time.monotonic
) -> tuple[Leftover, ...]:
    """Every release that nobody will remove by itself, and what was done to it: nothing in a dry run.

    Asks the API server for everything; the watches may not have told of it.
    """
    deadline = clock() + SECONDS
    found: list[Leftover] = []
    for environment in environments:
        for release in orphans.present(environment, ports=ports, kinds=remains.KINDS):
            orphan = orphans.look(environment, release, ports=ports)
            if orphan.verdict is not Verdict.KEEP:
                found.append(_seen_to(orphan, is_dry_run=is_dry_run or clock() >= deadline, ports=ports))
    return tuple(found)


def _seen_to(orphan: Orphan, *, is_dry_run: bool, ports: Ports) -> Leftover:
    if orphan.verdict is Verdict.WAIT:
        return Leftover(orphan=orphan, action=Action.WAITS)
    if is_dry_run:
        return Leftover(orphan=orphan, action=Action.WOULD_REMOVE)
    done = clean(orphan, ports=ports)
    return Leftover(orphan=orphan, action=Action.REMOVED if done.is_gone else Action.FAILED, message=done.message)
