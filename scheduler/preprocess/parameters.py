"""Values of the parameters: the declared default, or what the job sets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scheduler.model.alike import nearest
from scheduler.model.pipeline import Parameter, Scalar, ScoringPipeline
from scheduler.model.problem import Problem

MAX_STRING: Final = 4096

_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "string": ((str,), "a string"),
    "number": ((int, float), "a number"),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Name -> value, as the pipeline itself and as each of its flows sees them."""

    pipeline: Mapping[str, Scalar]
    flows: Mapping[str, Mapping[str, Scalar]]
    """Flow -> the pipeline's parameters and its own; its own hide the pipeline's of the same name."""


def resolve(pipeline: ScoringPipeline, given: Mapping[str, Scalar]) -> tuple[Parameters, tuple[Problem, ...]]:
    """Every parameter's value, and every problem with it.

    A job sets `name` (the pipeline's parameter and each flow's of that name) or `flow.name` (that flow's alone). Where
    its value is missing or wrong another of its type stands in, so that texts are checked without a second complaint.
    """
    problems = list(_unknown(pipeline, given))
    common = _values(pipeline.parameters, given, owner="", problems=problems)
    flows = {
        flow.name: {**common, **_values(flow.parameters, given, owner=flow.name, problems=problems)}
        for flow in pipeline.flows
    }
    return Parameters(pipeline=common, flows=flows), tuple(problems)


def _unknown(pipeline: ScoringPipeline, given: Mapping[str, Scalar]) -> list[Problem]:
    known = {parameter.name for parameter in pipeline.parameters}
    for flow in pipeline.flows:
        for parameter in flow.parameters:
            known |= {parameter.name, f"{flow.name}.{parameter.name}"}
    return [
        _problem(name, f"pipeline '{pipeline.name}' has no parameter '{name}'", candidates=nearest(name, known))
        for name in sorted(set(given) - known)
    ]


def _values(
    declared: tuple[Parameter, ...], given: Mapping[str, Scalar], *, owner: str, problems: list[Problem]
) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {}
    for parameter in declared:
        key = next((key for key in (f"{owner}.{parameter.name}", parameter.name) if key in given), "")
        value = given[key] if key else parameter.default
        values[parameter.name] = value
        told = len(problems)
        if not key and parameter.required:
            problems.append(_problem(parameter.name, f"{_named(parameter, owner)} has no default; the job must set it"))
        elif fault := _fault(parameter, value, is_default=not key):
            candidates = tuple(str(item) for item in parameter.enum)
            shown = key or parameter.name
            problems.append(_problem(shown, f"{_named(parameter, owner)} {fault}", candidates=candidates))
        if len(problems) > told:
            values[parameter.name] = _stand_in(parameter)
    return values


def _stand_in(parameter: Parameter) -> Scalar:
    """A value that fits; as text one that a volume and a path may be called, and that no other parameter has."""
    if parameter.enum:
        return parameter.enum[0]
    text = f"x-{parameter.name.replace('_', '-').lower()}-x"
    values: Mapping[str, Scalar] = {"string": text, "number": 1, "integer": 1, "boolean": False}
    return values[parameter.type]


def _fault(parameter: Parameter, value: Scalar, *, is_default: bool) -> str:
    if is_default and value is None:
        return ""
    types, spoken = _TYPES[parameter.type]
    if not isinstance(value, types) or (isinstance(value, bool) and parameter.type != "boolean"):
        return f"must be {spoken}, not {_shown(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, not {value}"
    if isinstance(value, str) and len(value) > MAX_STRING:
        return f"must be at most {MAX_STRING} characters long, not {len(value)}"
    if parameter.enum and value not in parameter.enum:
        return f"cannot be {_shown(value)}"
    return ""


def _named(parameter: Parameter, owner: str) -> str:
    return f"parameter '{parameter.name}' of flow '{owner}'" if owner else f"parameter '{parameter.name}'"


def _shown(value: Scalar) -> str:
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _problem(name: str, message: str, *, candidates: tuple[str, ...] = ()) -> Problem:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return Problem(message=message, pointer=f"/parameters/{escaped}", document="job", candidates=candidates)
