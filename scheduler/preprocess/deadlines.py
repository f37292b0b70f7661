"""How long each phase of a job may take: the pipeline's word, or the job's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from scheduler.model.alike import nearest
from scheduler.model.pipeline import Deadlines
from scheduler.model.problem import Problem

PHASES: Final = ("queue", "install", "ready", "run", "finish")
LONGEST: Final = 30 * 24 * 3600


def resolve(declared: Deadlines, given: Mapping[str, int]) -> tuple[Deadlines, tuple[Problem, ...]]:
    """`declared` with the job's own seconds (phase -> seconds) laid over it, and every problem with those."""
    problems: list[Problem] = []
    accepted: dict[str, int] = {}
    for phase, seconds in sorted(given.items()):
        if phase not in PHASES:
            problems.append(_problem(phase, f"there is no deadline '{phase}'", nearest(phase, PHASES)))
        elif isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST:
            problems.append(_problem(phase, f"must be between 1s and 30d, not {seconds} seconds"))
        else:
            accepted[f"{phase}_seconds"] = seconds
    return replace(declared, **accepted), tuple(problems)


def _problem(phase: str, message: str, candidates: tuple[str, ...] = ()) -> Problem:
    pointer = f"/deadlines/{phase.replace('~', '~0').replace('/', '~1')}"
    return Problem(message=message, document="job", pointer=pointer, candidates=candidates)
