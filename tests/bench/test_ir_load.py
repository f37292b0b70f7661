"""How long an IR takes to load: 1,000 steps with 1,000 models; half and twice of it show how it grows."""

from __future__ import annotations

import time

from scheduler.ir import load
from tests.bench.record import Bench

STEPS_A_FLOW = 250
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_every_step_and_model_of_a_large_ir_is_loaded(bench: Bench) -> None:
    bench.of(
        "IR, loading", "YAML text to the checked pipeline, one score step a model; processor time, the best of three."
    )
    took: dict[int, float] = {}
    for size in (500, 1_000, 2_000) if bench.is_full else (500,):
        text = ir_of(size)
        took[size], loaded = seconds(text)
        bench.figure(f"{size:,} steps and models, {len(text) / 1024:.0f} KiB", took[size], "s")
        assert [model.name for model in loaded.pipeline.models] == sorted(f"m{number}" for number in range(size))
        assert sum(len(flow.steps) for flow in loaded.pipeline.flows) == size
    if bench.is_full:
        bench.figure("1,000 / 500", took[1_000] / took[500], "times", at_most=2.5)


def seconds(text: str) -> tuple[float, load.Loaded]:
    """CPU time, the best of three, and what was loaded."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        loaded = load.from_text(text)
        best = min(best, time.process_time() - started)
    return best, loaded


def ir_of(size: int) -> str:
    """An IR with `size` score steps, 250 a flow, each with a model of its own."""
    flows = range(-(-size // STEPS_A_FLOW))
    return "\n---\n".join(
        [_pipeline(len(flows)), _SCHEMAS, *(_flow(number, size) for number in flows), *map(_model, range(size))]
    )


def _pipeline(flows: int) -> str:
    names = ", ".join(f"f{number}" for number in range(flows))
    return (
        "apiVersion: modelops/v1\nkind: ScoringPipeline\nmetadata: {name: large}\n"
        f"spec: {{mode: batch, source: {{channel: all}}, sink: {{channel: scored}}, flows: [{names}]}}"
    )


_SCHEMAS = """\
kind: RecordSchema
metadata: {name: point}
spec:
  properties:
    x: {type: number}
    y: {type: number}
  required: [x, y]
---
kind: RecordSchema
metadata: {name: score}
spec:
  properties: {value: {type: number}}
  required: [value]"""


def _flow(number: int, size: int) -> str:
    steps = range(number * STEPS_A_FLOW, min(size, (number + 1) * STEPS_A_FLOW))
    lines = "\n".join(
        f"    - name: s{step}\n"
        f"      score: {{model: m{step}, inputs: [x, y], output: value{step}, batch: {{count: 256, period: 50ms}}}}\n"
        "      onError: dead-letter"
        for step in steps
    )
    return (
        f"kind: ScoringFlow\nmetadata: {{name: f{number}}}\n"
        f"spec:\n  input: {{schema: point}}\n  output: {{schema: point}}\n  steps:\n{lines}"
    )


def _model(number: int) -> str:
    return (
        f"kind: Model\nmetadata: {{name: m{number}, description: Model {number}}}\n"
        f"spec:\n  type: pmml\n  artifact: models/m{number}.pmml\n  sha256: {SHA256}\n"
        "  inputs: {schema: point}\n  outputs: {schema: score}"
    )
