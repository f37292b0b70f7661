"""Texts of steps."""

from __future__ import annotations

from dataclasses import replace

from scheduler.model.pipeline import FilterStep, MapStep
from scheduler.preprocess import texts

from .pipelines import FLOW


def test_maps_and_filters_get_literals_and_scores_stay() -> None:
    flow, problems = texts.apply(FLOW, parameters={"threshold": 0.7}, globals_={})

    assert problems == ()
    assert flow.steps[:2] == FLOW.steps[:2]
    assert flow.steps[2] == MapStep(name="decide", mapping="root = this\nroot.late = this.probability >= 0.7\n")


def test_the_problems_of_all_steps_are_reported_with_their_place() -> None:
    steps = (
        MapStep(name="a", mapping="root = {{ x }}"),
        FilterStep(name="b", condition='"{{ parameters.p }}" == this'),
    )
    _, problems = texts.apply(replace(FLOW, steps=steps), parameters={"p": 1}, globals_={})

    assert [(problem.document, problem.pointer) for problem in problems] == [
        ("ScoringFlow/score-flights", "/spec/steps/0/map"),
        ("ScoringFlow/score-flights", "/spec/steps/1/filter"),
    ]
