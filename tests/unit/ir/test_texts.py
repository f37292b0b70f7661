"""Expressions in an IR are looked at where it is read."""

from __future__ import annotations

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import load
from tests.unit.ir.iris import IR


def _with_filter(text: str) -> str:
    (found,) = [line for line in IR.splitlines() if "filter:" in line]
    return IR.replace(found, f"    - {{name: large, filter: '{text}'}}")


def test_a_parameter_that_nobody_declares_has_its_place_and_is_told_once() -> None:
    with pytest.raises(InvalidInputError) as refused:
        load.from_text(_with_filter("{{ parameters.leest }} + {{ parameters.leest }} > 1"), file="ir.yaml")

    (problem,) = refused.value.problems
    assert (problem.message, problem.candidates[0]) == ("no parameter is named 'leest'", "parameters.least")
    assert (problem.file, problem.document) == ("ir.yaml", "ScoringFlow/classify")
    assert problem.line > 0
    assert problem.pointer.endswith("/filter")


def test_parameters_under_a_misspelt_key_are_not_told_to_be_unknown_as_well() -> None:
    text = _with_filter("this.petal > {{ parameters.least }}").replace("  parameters:", "  paramters:")

    with pytest.raises(InvalidInputError) as refused:
        load.from_text(text)

    assert {problem.pointer for problem in refused.value.problems} == {"/spec/paramters"}


def test_a_channel_of_an_environment_sees_no_parameters() -> None:
    text = """\
kind: DataChannel
metadata: {name: flowers}
spec:
  direction: source
  type: file
  schema: flower
  config: {volume: garden, path: '{{ parameters.day }}.csv', format: csv}
---
kind: RecordSchema
metadata: {name: flower}
spec: {properties: {petal: {type: number}}}
"""
    with pytest.raises(InvalidInputError, match="no parameter is named 'day'"):
        load.channels_from_text(text)
    assert load.channels_from_text(text.replace("{{ parameters.day }}", "{{ globals.logLevel }}"))
