"""Flows to the engine's configuration: the whole text, and every reason why there is none."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler.errors import InvalidInputError
from scheduler.model.pipeline import (
    Batch,
    ChannelRef,
    DataChannel,
    DeadLetters,
    Field,
    FieldType,
    FilterStep,
    MapStep,
    Model,
    OnError,
    RecordSchema,
    Scalar,
    ScoreStep,
    ScoringFlow,
    ScoringPipeline,
    Step,
)
from scheduler.preprocess import flow
from scheduler.preprocess.channels import Channels
from scheduler.preprocess.flow import CompiledFlow
from scheduler.preprocess.parameters import Parameters
from scheduler.preprocess.services import Candidate
from scheduler.settings import Globals

GOLDEN = Path(__file__).parent / "flow.golden.yaml"

FLIGHT = RecordSchema(
    name="flight",
    fields=(
        Field(name="carrier", type=FieldType.STRING, required=True),
        Field(name="hour", type=FieldType.INT32, nullable=True),
        Field(name="stops", type=FieldType.ARRAY, items=Field(name="", type=FieldType.STRING)),
        Field(name="plane", type=FieldType.OBJECT, properties=(Field(name="seats", type=FieldType.INT64),)),
    ),
)
SCORED = RecordSchema(
    name="scored",
    fields=(
        Field(name="carrier", type=FieldType.STRING, required=True),
        Field(name="late", type=FieldType.DOUBLE, required=True),
    ),
)
DELAY = Model(
    name="delay",
    type="pmml",
    artifact="delay.pmml",
    sha256="0" * 64,
    inputs=RecordSchema(
        name="in",
        fields=(
            Field(name="hour", type=FieldType.DOUBLE, nullable=True),
            Field(name="carrier", type=FieldType.STRING, required=True),
        ),
    ),
    outputs=RecordSchema(name="out", fields=(Field(name="probability", type=FieldType.DOUBLE),)),
)
SCORE = ScoreStep(
    name="score", model="delay", inputs=("carrier", "hour"), output="late", batch=Batch(count=64), on_error=OnError.DROP
)
STEPS: tuple[Step, ...] = (
    FilterStep(name="departed", condition="this.hour != null && this.hour < {{ parameters.until }}"),
    MapStep(
        name="features",
        mapping='root = this\nroot.name = {{ parameters.name }}\nroot.level = {{ globals["logLevel"] }}',
        on_error=OnError.FAIL,
    ),
    SCORE,
)


def channel(name: str, **config: object) -> DataChannel:
    schema, direction = (FLIGHT, "source") if name == "flights" else (SCORED, "sink")
    return DataChannel(
        name=name,
        direction="source" if direction == "source" else "sink",
        type="file",
        schema=schema,
        config={"volume": "data", "path": f"{name}.csv", "format": "csv", **config},
        data_version="v7" if direction == "source" else "",
    )


def compiled(
    steps: tuple[Step, ...] = STEPS,
    *,
    more: tuple[ScoringFlow, ...] = (),
    source: DataChannel | None = None,
    sink: DataChannel | None = None,
    dead_letters: DataChannel | None = None,
    globals_: Globals | None = None,
    candidates: int = 1,
) -> CompiledFlow:
    first = ScoringFlow(name="score-flights", input=FLIGHT, output=SCORED, steps=steps)
    pipeline = ScoringPipeline(
        name="p",
        description="",
        mode="batch",
        source=ChannelRef(channel="flights"),
        sink=ChannelRef(channel="delays"),
        flows=(first, *more),
        models=(DELAY,),
        dead_letters=DeadLetters(channel="rejects", max_ratio=0.01) if dead_letters else None,
    )
    route = (Candidate(model=DELAY, url="http://jx-pmml-1:8080"),) * candidates
    given: dict[str, Scalar] = {"until": 24, "name": 'a "quoted" name'}
    return flow.compile_(
        pipeline,
        ends=Channels(
            source=source or channel("flights", compression="gzip"),
            sink=sink or channel("delays", format="json-lines"),
            dead_letters=dead_letters,
        ),
        routes={"delay": route},
        parameters=Parameters(pipeline=given, flows={one.name: given for one in pipeline.flows}),
        globals_=globals_ or Globals(),
        release="jx",
        ir_digest="sha256:1",
    )


def engine(**more: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(compiled(**more).engine)
    return loaded


def problems(**more: Any) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        compiled(**more)
    return [str(problem) for problem in caught.value.problems]


def test_the_whole_text() -> None:
    text = compiled(dead_letters=channel("rejects", format="json-lines")).engine
    if os.environ.get("MODELOPS_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_equal_input_gives_equal_text() -> None:
    assert compiled() == compiled()


def test_what_the_runner_is_told() -> None:
    assert compiled(dead_letters=channel("rejects", format="json-lines")).runner == {
        "release": "jx",
        "flow": "score-flights",
        "source": {
            "path": "/data/data/flights.csv",
            "format": "csv",
            "compression": "gzip",
            "required": ["carrier"],
            "dataVersion": "v7",
        },
        "sink": {
            "path": "/data/data/delays.csv",
            "format": "json-lines",
            "compression": "none",
            "irDigest": "sha256:1",
        },
        "deadLetters": {
            "path": "/data/data/rejects.csv",
            "format": "json-lines",
            "compression": "none",
            "maxRatio": 0.01,
        },
        "services": [{"url": "http://jx-pmml-1:8080", "model": "delay"}],
        "steps": [
            {"name": "score-flights.departed", "kind": "filter", "onError": "dead-letter"},
            {"name": "score-flights.features", "kind": "map", "onError": "fail"},
            {"name": "score-flights.score", "kind": "score", "onError": "drop"},
        ],
        "readySeconds": 300,
        "runSeconds": 7200,
    }


def test_without_dead_letters() -> None:
    assert "dead_letters" not in engine()["output"]["modelops_file"]
    assert compiled().runner["deadLetters"] is None


def test_flow_after_flow() -> None:
    second = ScoringFlow(
        name="round", input=SCORED, output=SCORED, steps=(MapStep(name="features", mapping="root = this"),)
    )
    steps = [next(iter(step.values())) for step in engine(more=(second,))["pipeline"]["processors"]]
    assert [step["step"] for step in steps] == [
        "decode",
        "score-flights.departed",
        "score-flights.features",
        "score-flights.score",
        "round.features",
        "encode",
    ]
    assert [field["name"] for field in steps[0]["fields"]] == [field.name for field in FLIGHT.fields]
    assert compiled(more=(second,)).name == "score-flights+round"


def test_batches_are_as_large_as_the_largest_score_step_wants() -> None:
    assert engine()["input"]["modelops_file"]["rows"] == 64
    assert engine(steps=())["input"]["modelops_file"]["rows"] == flow.BATCH
    small = replace(SCORE, name="small", output="other", model_output="probability", batch=Batch(count=8))
    both = engine(steps=(SCORE, small))
    assert both["input"]["modelops_file"]["rows"] == 64
    assert both["pipeline"]["processors"][2]["modelops_score"]["rows"] == 8


def test_a_source_that_is_followed() -> None:
    """Batches wait for the shortest period that a score step allows, and are in their files at once."""
    patient = replace(SCORE, name="patient", output="other", model_output="probability", batch=Batch(count=300))
    quick = replace(SCORE, batch=Batch(count=64, period_milliseconds=20))
    made = compiled(steps=(quick, patient), source=channel("flights", follow=True))
    told = yaml.safe_load(made.engine)
    assert {key: told["input"]["modelops_file"][key] for key in ("follow", "period", "rows")} == {
        "follow": True,
        "period": "20ms",
        "rows": 300,
    }
    assert told["output"]["modelops_file"]["flush"] is True
    assert made.runner["source"]["follow"] is True
    assert engine(steps=(), source=channel("flights", follow=True))["input"]["modelops_file"]["period"] == "50ms"
    assert not {"follow", "period"} & engine()["input"]["modelops_file"].keys()


@pytest.mark.parametrize(
    ("level", "written"), [("debug", "DEBUG"), ("info", "INFO"), ("warning", "WARN"), ("error", "ERROR")]
)
def test_log_level(level: str, written: str) -> None:
    assert engine(globals_=Globals(log_level=level))["logger"]["level"] == written


def test_traces() -> None:
    assert "tracer" not in engine()
    given = Globals(trace_endpoint="https://collector.example:4318", trace_sample_ratio=0.25)
    assert engine(globals_=given)["tracer"]["open_telemetry_collector"] == {
        "http": [{"address": "collector.example:4318", "secure": True}],
        "sampling": {"enabled": True, "ratio": 0.25},
        "tags": {"service.name": "scoring-flow"},
    }


@pytest.mark.parametrize("key", ["map", "filter"])
def test_variables_are_refused(key: str) -> None:
    step = MapStep(name="s", mapping="${X}") if key == "map" else FilterStep(name="s", condition='"${X}" == ""')
    (problem,) = problems(steps=(step,))
    assert problem.startswith(f"ScoringFlow/score-flights /spec/steps/0/{key}: '${{' is not allowed")


def test_every_problem_at_once() -> None:
    steps = (
        MapStep(name="empty", mapping="  "),
        replace(SCORE, name="a", model="other"),
        replace(SCORE, name="b", inputs=("hour", "huor")),
        replace(SCORE, name="c", model_output="p"),
    )
    found = problems(steps=steps, source=channel("flights", format="xml", path="a${B}"))
    assert found == [
        "ScoringFlow/score-flights /spec/steps/0/map: is empty",
        (
            "ScoringFlow/score-flights /spec/steps/1/score/model: model 'other' has 0 candidates; "
            "exactly one is built so far (there is 'delay')"
        ),
        (
            "ScoringFlow/score-flights /spec/steps/2/score/inputs: model 'delay' has no input 'huor' "
            "(there are 'hour', 'carrier')"
        ),
        (
            "ScoringFlow/score-flights /spec/steps/2/score/inputs: input 'carrier' of model 'delay' is required, "
            "but not given"
        ),
        (
            "ScoringFlow/score-flights /spec/steps/3/score/modelOutput: model 'delay' has no output 'p' "
            "(there is 'probability')"
        ),
        "ScoringPipeline/p: channel 'flights': '${' is not allowed in its path",
        "ScoringPipeline/p: channel 'flights': format 'xml' is not known (known: csv, json-lines)",
    ]


def test_a_weighted_route_is_not_built_yet() -> None:
    (problem,) = problems(candidates=2)
    assert "model 'delay' has 2 candidates; exactly one is built so far" in problem


def test_an_unknown_parameter_is_a_problem() -> None:
    (problem,) = problems(steps=(MapStep(name="m", mapping="root.a = {{ parameters.untl }}"),))
    assert "no parameter is named 'untl'" in problem
