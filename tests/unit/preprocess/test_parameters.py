"""Parameters: defaults, what a job sets, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scheduler.model.pipeline import Parameter, ParameterType, Scalar
from scheduler.preprocess import parameters

from .pipelines import FLOW, PIPELINE, THRESHOLD

OWN = Parameter(name="limit", type="integer", required=True)
TWO = replace(
    PIPELINE,
    flows=(
        replace(FLOW, parameters=(replace(THRESHOLD, default=0.9), OWN)),
        replace(FLOW, name="second", parameters=(OWN,)),
    ),
)


def test_a_default_stands_until_the_job_sets_a_value() -> None:
    assert parameters.resolve(PIPELINE, {})[0].pipeline == {"threshold": 0.5}
    assert parameters.resolve(PIPELINE, {"threshold": 1})[0].pipeline == {"threshold": 1}


def test_a_flows_own_parameter_hides_the_pipelines() -> None:
    found, problems = parameters.resolve(TWO, {"limit": 3, "second.limit": 4})

    assert problems == ()
    assert found.flows == {
        "score-flights": {"threshold": 0.9, "limit": 3},
        "second": {"threshold": 0.5, "limit": 4},
    }


def test_all_problems_come_at_once() -> None:
    _, problems = parameters.resolve(TWO, {"treshold": 0.1, "threshold": "high"})

    assert problems[0].candidates[0] == "threshold"
    assert "score-flights.threshold" in problems[0].candidates
    assert [str(replace(problem, candidates=())) for problem in problems] == [
        "job /parameters/treshold: pipeline 'flight-delay' has no parameter 'treshold'",
        "job /parameters/threshold: parameter 'threshold' must be a number, not 'high'",
        "job /parameters/threshold: parameter 'threshold' of flow 'score-flights' must be a number, not 'high'",
        "job /parameters/limit: parameter 'limit' of flow 'score-flights' has no default; the job must set it",
        "job /parameters/limit: parameter 'limit' of flow 'second' has no default; the job must set it",
    ]


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        ("integer", 1.5, "must be a whole number, not 1.5"),
        ("integer", True, "must be a whole number, not true"),
        ("number", None, "must be a number, not null"),
        ("number", float("inf"), "must be a finite number, not inf"),
        ("string", 1, "must be a string, not 1"),
        ("boolean", "true", "must be true or false, not 'true'"),
        ("string", "x" * 5000, "must be at most 4096 characters long, not 5000"),
    ],
)
def test_a_value_has_its_parameters_type(type_: ParameterType, value: Scalar, words: str) -> None:
    pipeline = replace(PIPELINE, parameters=(Parameter(name="p", type=type_, default=None),))

    _, problems = parameters.resolve(pipeline, {"p": value})

    assert [problem.message for problem in problems] == [f"parameter 'p' {words}"]


def test_an_enumerated_parameter_lists_what_it_may_be() -> None:
    pipeline = replace(PIPELINE, parameters=(Parameter(name="p", type="string", default="a", enum=("a", "b")),))

    _, problems = parameters.resolve(pipeline, {"p": "c"})

    assert [(problem.message, problem.candidates) for problem in problems] == [
        ("parameter 'p' cannot be 'c'", ("a", "b"))
    ]
