"""What every `Lint` does: one suite for the fake and for the real engine."""

from __future__ import annotations

import pytest
import yaml

from scheduler.lint.bento import BentoLint
from scheduler.lint.fake import FakeLint
from scheduler.lint.port import Lint
from tests import programs


def _fake() -> Lint:
    return FakeLint()


def _real() -> Lint:
    return BentoLint(programs.bento())


@pytest.fixture(params=[pytest.param(_fake, id="fake"), pytest.param(_real, id="bento", marks=pytest.mark.bento)])
def lint(request: pytest.FixtureRequest) -> Lint:
    made: Lint = request.param()
    return made


def configuration(mapping: str = "root = this") -> str:
    fields = [{"name": "id", "type": "int64"}]
    document = {
        "input": {"modelops_file": {"path": "/data/v/in.csv", "format": "csv"}},
        "pipeline": {
            "processors": [
                {"modelops_decode": {"step": "decode", "format": "csv", "fields": fields}},
                {"modelops_map": {"step": "score-flights.features", "mapping": mapping}},
                {"modelops_encode": {"step": "encode", "format": "csv", "fields": fields}},
            ]
        },
        "output": {"modelops_file": {"path": "/data/v/out.csv", "format": "csv", "header": ["id"]}},
    }
    return yaml.safe_dump(document, sort_keys=False)


def test_a_compiled_flow_has_no_problem(lint: Lint) -> None:
    assert lint.check(configuration()) == ()


@pytest.mark.parametrize(
    "mapping",
    [
        'root.a = env("MODELOPS_CANARY")',
        'root.a = file("/etc/hostname")',
        'import "/etc/passwd"',
        'from "/etc/passwd"',
        "root.a = hostname()",
        'root.a = "${MODELOPS_CANARY}"',
    ],
)
def test_nothing_outside_of_the_record_can_be_named(lint: Lint, mapping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELOPS_CANARY", "canary-4711")
    problems = lint.check(configuration(mapping))
    assert problems
    assert "canary-4711" not in str(problems)
    assert "root:" not in str(problems)


def test_a_problem_names_its_step_and_its_place(lint: Lint) -> None:
    text = configuration('root.a = env("HOME")')
    (problem,) = lint.check(text)
    assert problem.pointer == "/pipeline/processors/1/modelops_map/mapping"
    assert text.splitlines()[problem.line - 1].strip().startswith("mapping:")
    assert problem.message.startswith("step 'score-flights.features': ")


def test_text_that_is_no_yaml(lint: Lint) -> None:
    (problem,) = lint.check("a: [")
    assert problem.line == 1


def test_the_same_text_has_the_same_problems(lint: Lint) -> None:
    text = configuration('root.a = env("HOME")')
    assert lint.check(text) == lint.check(text) != ()
