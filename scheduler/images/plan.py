"""Which images are built, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from scheduler.errors import InvalidInputError
from scheduler.images.step import BuildStep
from scheduler.model.problem import Problem


def order(steps: Iterable[BuildStep]) -> tuple[BuildStep, ...]:
    """The steps, each behind those named in its `after`; by name where that leaves a choice.

    Two builds of one name, an unknown name in `after` and circles are refused, every one of them at once.
    """
    given = sorted(steps, key=lambda step: step.name)
    problems = [*_doubles(given), *_unknown(given), *_circles(given)]
    if problems:
        raise InvalidInputError(problems)
    placed: dict[str, BuildStep] = {}
    waiting = given
    while waiting:
        ready = [step for step in waiting if all(name in placed for name in step.after)]
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


def _circles(steps: Sequence[BuildStep]) -> list[Problem]:
    """One way round of each group of steps that all wait for each other; who only waits for such a group is in none."""
    after: dict[str, list[str]] = {step.name: [] for step in steps}
    for step in steps:
        after[step.name] += (name for name in step.after if name in after)
    behind = {name: _reached(name, after) for name in after}
    told: set[str] = set()
    problems = []
    for name in sorted(after):
        group = {other for other in behind[name] if name in behind[other]}
        if group and name not in told:
            told |= group
            way = " -> ".join(_way_round(name, group, after))
            problems.append(Problem(pointer="/builds", message=f"builds wait for each other: {way}"))
    return problems


def _reached(name: str, after: Mapping[str, Sequence[str]]) -> set[str]:
    """All that a step waits for, directly or not; itself only when it is in a circle."""
    found: set[str] = set()
    open_ = [name]
    while open_:
        new = [one for one in after[open_.pop()] if one not in found]
        found.update(new)
        open_ += new
    return found


def _way_round(start: str, group: set[str], after: Mapping[str, Sequence[str]]) -> list[str]:
    """From any step of the group along `after` until a name comes again."""
    path = [start]
    while True:
        following = next(name for name in after[path[-1]] if name in group)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)
