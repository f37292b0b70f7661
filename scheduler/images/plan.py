"""Which images are built, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from scheduler.errors import InvalidInputError
from scheduler.images.step import BuildStep
from scheduler.model.problem import Problem


def order(steps: Iterable[BuildStep]) -> tuple[BuildStep, ...]:
    """The steps, each behind those named in its `after`; by name where that leaves a choice.

    Two builds of one name, an unknown name in `after` and a cycle are refused, every one of them at once.
    """
    given = sorted(steps, key=lambda step: step.name)
    problems = [*_doubles(given), *_unknown(given)]
    if problems:
        raise InvalidInputError(problems)
    placed: dict[str, BuildStep] = {}
    waiting = given
    while waiting:
        ready = [step for step in waiting if all(name in placed for name in step.after)]
        if not ready:
            raise InvalidInputError([_cycle(waiting)])
        placed.update((step.name, step) for step in ready)
        waiting = [step for step in waiting if step.name not in placed]
    return tuple(placed.values())


def only(steps: Sequence[BuildStep], wanted: Sequence[str]) -> tuple[BuildStep, ...]:
    """Those of the ordered steps that are wanted, and those that they come after; all of them when none is named."""
    known = {step.name: step for step in steps}
    problems = [
        Problem(message=f"no image is named '{name}'", candidates=tuple(known)) for name in wanted if name not in known
    ]
    if problems:
        raise InvalidInputError(problems)
    needed: set[str] = set()
    open_ = list(wanted or known)
    while open_:
        name = open_.pop()
        if name not in needed:
            needed.add(name)
            open_ += known[name].after
    return tuple(step for step in steps if step.name in needed)


def _doubles(steps: Sequence[BuildStep]) -> list[Problem]:
    charts: dict[str, list[str]] = {}
    for step in steps:
        charts.setdefault(step.name, []).append(step.chart)
    return [
        Problem(message=f"image '{name}' is built more than once (in {', '.join(places)})", pointer="/builds")
        for name, places in charts.items()
        if len(places) > 1
    ]


def _unknown(steps: Sequence[BuildStep]) -> list[Problem]:
    known = [step.name for step in steps]
    return [
        Problem(
            document=f"{step.chart}/values.yaml",
            pointer="/builds",
            message=f"'{step.name}' comes after '{name}', which nothing builds",
            candidates=tuple(get_close_matches(name, known, n=3) or known),
        )
        for step in steps
        for name in step.after
        if name not in known
    ]


def _cycle(waiting: Sequence[BuildStep]) -> Problem:
    """One way round: from any waiting step along `after` until a name comes again."""
    stuck = {step.name: step for step in waiting}
    path = [min(stuck)]
    while True:
        following = next(name for name in stuck[path[-1]].after if name in stuck)
        if following in path:
            names = " -> ".join([*path[path.index(following) :], following])
            return Problem(pointer="/builds", message=f"builds wait for each other: {names}")
        path.append(following)
