"""One whole IR, and what reading a wrong one says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from scheduler.errors import InvalidInputError

IR: Final = """\
apiVersion: modelops/v1
kind: ScoringPipeline
metadata: {name: iris, description: Which iris is it?}
spec:
  mode: batch
  source: {channel: flowers, dataVersion: v2}
  sink: {channel: answers}
  deadLetters: {channel: rejects, maxRatio: 0.25}
  deadlines: {run: 90m, finish: 30s}
  flows: [classify]
  parameters:
    - {name: least, type: integer, default: 3, description: Shortest petal, enum: [3, 4]}
    - {name: region, type: string}
  env: [{name: TOKEN, secretRef: {name: lookup, key: token}}]
---
kind: ScoringFlow
metadata: {name: classify}
spec:
  input: {schema: flower}
  output: {schema: answer}
  parameters: [{name: strict, type: boolean, default: false}]
  steps:
    - {name: long, filter: 'this.petal > {{ parameters.least }}', onError: drop}
    - name: species
      score: {model: iris, inputs: [petal, sepal], output: species, modelOutput: label, batch: {count: 8, period: 1s}}
    - {name: tidy, map: root = this, onError: fail}
---
kind: Model
metadata: {name: iris}
spec: {type: pmml, artifact: models/iris.pmml, inputs: {schema: flower}, outputs: {schema: label}}
---
kind: Model
metadata: {name: unused}
spec: {type: pmml, artifact: models/iris.pmml, inputs: {schema: flower}, outputs: {schema: label}}
---
kind: RecordSchema
metadata: {name: flower}
spec: {properties: {sepal: {type: number}, petal: {type: number, nullable: true}}, required: [sepal]}
---
kind: RecordSchema
metadata: {name: label}
spec: {properties: {label: {type: string, description: Species}}}
---
kind: RecordSchema
metadata: {name: answer}
spec:
  properties:
    at: {type: object, properties: {day: {type: string, format: date}}, required: [day]}
    codes: {type: array, items: {type: integer, format: int32}}
---
kind: DataChannel
metadata: {name: flowers}
spec:
  {direction: source, type: file, schema: flower, dataVersion: v1, config: {volume: a, path: b.csv, format: csv}}
"""
PMML: Final = b"<PMML/>"


def write(folder: Path) -> Path:
    """The IR as a folder."""
    (folder / "models").mkdir()
    (folder / "models" / "iris.pmml").write_bytes(PMML)
    (folder / "ir.yaml").write_text(IR)
    return folder


def problems(loading: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidInputError) as refused:
        loading()
    return [str(problem) for problem in refused.value.problems]
