"""What must stay possible later: each door of the design that the loader holds open."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import load, read
from scheduler.ir.source import Source, Sourced
from scheduler.model.pipeline import ScoreStep, SecretRef
from scheduler.model.problem import Problem
from scheduler.model.types import Document

SHORT = """\
dialect: short/v1
pipeline: celsius
from: readings
to: converted
stages:
  - convert: {with: celsius, fields: [fahrenheit], into: celsius}
columns:
  fahrenheit: number
  celsius: number
"""


class Short:
    """A small foreign dialect: stages and columns instead of documents."""

    def claims(self, document: Document) -> bool:
        return document.get("dialect") == "short/v1"

    def convert(self, document: Document, source: Source) -> Sequence[Sourced]:
        if "stages" not in document:
            raise InvalidInputError([Sourced(document=document, source=source).problem("'stages' are missing")])
        name = document["pipeline"]
        schemas = [self._schema(column, document, source) for column in document["columns"]]
        return [self._pipeline(name, document, source), self._flow(name, document, source), *schemas]

    def _pipeline(self, name: str, document: Document, source: Source) -> Sourced:
        spec = {
            "mode": document.get("mode", "batch"),
            "source": {"channel": document["from"]},
            "sink": {"channel": document["to"]},
            "flows": [name],
        }
        moved = {"/metadata/name": "/pipeline", "/spec/source/channel": "/from", "/spec/mode": "/mode"}
        return self._sourced("ScoringPipeline", name, spec, source, moved)

    def _flow(self, name: str, document: Document, source: Source) -> Sourced:
        steps = []
        moved = {"/spec/steps": "/stages"}
        for index, stage in enumerate(document["stages"]):
            ((step, given),) = stage.items()
            score = {"model": given["with"], "inputs": given["fields"], "output": given["into"]}
            steps.append({"name": step, "score": score})
            there = f"/stages/{index}/{step}"
            here = f"/spec/steps/{index}/score"
            moved |= {f"{here}/model": f"{there}/with", f"{here}/inputs": f"{there}/fields"}
        first, last = document["columns"]
        spec = {"input": {"schema": first}, "output": {"schema": last}, "steps": steps}
        return self._sourced("ScoringFlow", name, spec, source, moved)

    def _schema(self, column: str, document: Document, source: Source) -> Sourced:
        spec = {"properties": {column: {"type": document["columns"][column]}}}
        moved = {f"/spec/properties/{column}/type": f"/columns/{column}"}
        return self._sourced("RecordSchema", column, spec, source, moved)

    def _sourced(self, kind: str, name: str, spec: Document, source: Source, moved: dict[str, str]) -> Sourced:
        document = {"apiVersion": "modelops/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        return Sourced(document=document, source=Source(file=source.file, places=source.places, moved=moved))


MODEL = """\
kind: Model
metadata: {name: celsius}
spec: {type: pmml, artifact: celsius.pmml, inputs: {schema: fahrenheit}, outputs: {schema: celsius}}
"""


def test_a_front_end_turns_another_dialect_into_documents() -> None:
    pipeline = load.from_text(f"{SHORT}---\n{MODEL}", front_ends=[Short()]).pipeline

    assert [flow.name for flow in pipeline.flows] == ["celsius"]
    assert [model.name for model in pipeline.models] == ["celsius"]


REST = "'boolean', 'number', 'string', 'array', 'object')"


def test_problems_of_a_foreign_dialect_point_at_what_its_author_wrote() -> None:
    text = SHORT.replace("with: celsius", "with: celsus").replace("celsius: number", "celsius: int")

    with pytest.raises(InvalidInputError) as refused:
        load.from_text(f"{text}mode: request-response\n---\n{MODEL}", file="short.yaml", front_ends=[Short()])

    assert [str(problem) for problem in refused.value.problems] == [
        "short.yaml:6 ScoringFlow/celsius /stages/0/convert/with: no Model is named 'celsus' (there is 'celsius')",
        "short.yaml:9 RecordSchema/celsius /columns/celsius: 'int' is not accepted (there are 'integer', " + REST,
        (
            "short.yaml:10 ScoringPipeline/celsius /mode: mode 'request-response' is not built yet "
            "(built: 'batch' or 'streaming')"
        ),
    ]


def test_a_front_ends_own_problems_are_told_with_all_others() -> None:
    with pytest.raises(InvalidInputError) as refused:
        load.from_text("dialect: short/v1\n---\nkind: Modell\n", file="short.yaml", front_ends=[Short()])

    assert [problem.message for problem in refused.value.problems] == [
        "'stages' are missing",
        "'Modell' is no kind of document",
    ]


def test_documents_of_others_may_bring_their_positions() -> None:
    given = read.parse(SHORT.replace("number", "nmber"), file="short.yaml")

    with pytest.raises(InvalidInputError) as refused:
        load.from_documents(
            [each.document for each in given], sources=[each.source for each in given], front_ends=[Short()]
        )

    assert {(problem.file, problem.line) for problem in refused.value.problems} >= {
        ("short.yaml", 8),
        ("short.yaml", 9),
    }


def test_what_a_front_end_makes_is_held_to_the_values_of_json() -> None:
    class Careless(Short):
        def _schema(self, column: str, document: Document, source: Source) -> Sourced:
            return self._sourced("RecordSchema", column, {"properties": object()}, source, {"/spec": "/columns"})

    with pytest.raises(InvalidInputError) as refused:
        load.from_text(SHORT, front_ends=[Careless()])

    assert (
        Problem(
            message="a object is no JSON value", pointer="/columns/properties", line=7, document="RecordSchema/celsius"
        )
        in refused.value.problems
    )


IR = """\
apiVersion: modelops/v1
kind: ScoringPipeline
metadata: {name: celsius}
spec:
  mode: batch
  source: {channel: readings, dataVersion: v7}
  sink: {channel: converted}
  flows: [celsius]
  env: [{name: TOKEN, secretRef: {name: weather, key: token}}]
---
kind: ScoringFlow
metadata: {name: celsius}
spec:
  input: {schema: fahrenheit}
  output: {schema: celsius}
  steps: [{name: convert, score: {model: celsius, inputs: [fahrenheit], output: celsius}}]
---
kind: RecordSchema
metadata: {name: fahrenheit}
spec: {properties: {fahrenheit: {type: number}}}
---
kind: RecordSchema
metadata: {name: celsius}
spec: {properties: {celsius: {type: number}}}
---
kind: DataChannel
metadata: {name: readings}
spec:
  {direction: source, type: file, schema: fahrenheit, dataVersion: v1, config: {volume: a, path: b, format: csv}}
---
"""


def test_a_containers_environment_may_come_from_a_secret() -> None:
    pipeline = load.from_text(IR + MODEL).pipeline

    assert pipeline.environment_variables == {"TOKEN": SecretRef(name="weather", key="token")}


def test_every_source_accepts_a_version_of_its_data() -> None:
    pipeline = load.from_text(IR + MODEL).pipeline

    assert pipeline.source.data_version == "v7"
    assert [channel.data_version for channel in pipeline.channels] == ["v1"]


def test_a_score_step_names_its_model_and_nothing_of_it() -> None:
    (step,) = load.from_text(IR + MODEL).pipeline.flows[0].steps

    assert isinstance(step, ScoreStep)
    assert step.model == "celsius"
