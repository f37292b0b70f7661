"""The steps' texts with parameters and globals in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scheduler import expressions
from scheduler.errors import InvalidInputError
from scheduler.model.pipeline import FilterStep, MapStep, Scalar, ScoringFlow, Step
from scheduler.model.problem import Problem


def apply(
    flow: ScoringFlow, *, parameters: Mapping[str, Scalar], globals_: Mapping[str, Scalar]
) -> tuple[ScoringFlow, tuple[Problem, ...]]:
    """`flow` with every Bloblang text's expressions replaced by literals, and the problems of all its texts.

    To be done once: a value may itself hold `{{`.
    """
    scope = {"parameters": parameters, "globals": globals_}
    steps: list[Step] = []
    problems: list[Problem] = []
    for index, step in enumerate(flow.steps):
        try:
            steps.append(_applied(step, scope, document=f"ScoringFlow/{flow.name}", pointer=f"/spec/steps/{index}"))
        except InvalidInputError as error:
            problems.extend(error.problems)
    return replace(flow, steps=tuple(steps)), tuple(problems)


def _applied(step: Step, scope: expressions.Scope, *, document: str, pointer: str) -> Step:
    match step:
        case MapStep(mapping=text):
            applied = expressions.apply_bloblang(text, scope, document=document, pointer=f"{pointer}/map")
            return replace(step, mapping=applied)
        case FilterStep(condition=text):
            applied = expressions.apply_bloblang(text, scope, document=document, pointer=f"{pointer}/filter")
            return replace(step, condition=applied)
    return step
