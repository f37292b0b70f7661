"""Fields are followed through the steps; what cannot be known is never refused."""

from __future__ import annotations

from scheduler.ir import fields
from scheduler.model.pipeline import (
    Field,
    FieldType,
    FilterStep,
    MapStep,
    Model,
    RecordSchema,
    ScoreStep,
    ScoringFlow,
    Step,
)


def schema(name: str, /, **types: FieldType) -> RecordSchema:
    return RecordSchema(
        name=name, fields=tuple(Field(name=each, type=kind, required=True) for each, kind in types.items())
    )


D, S, I32 = FieldType.DOUBLE, FieldType.STRING, FieldType.INT32
MODEL = Model(
    name="m", type="pmml", artifact="m.pmml", sha256="", inputs=schema("takes", x=D), outputs=schema("gives", y=D)
)
MAP = MapStep(name="map", mapping="root = this")
SCORE = ScoreStep(name="score", model="m", inputs=("x",), output="y")


def faults(*steps: Step, given: RecordSchema, wanted: RecordSchema, models: tuple[Model, ...] = (MODEL,)) -> list[str]:
    flow = ScoringFlow(name="f", input=given, output=wanted, steps=steps)
    found = fields.faults(flow, {model.name: model for model in models})
    return [f"{fault.pointer}: {fault.message}" for fault in found]


def test_a_step_adds_its_output_for_the_steps_behind_it() -> None:
    again = ScoreStep(name="again", model="m2", inputs=("y",), output="z")
    second = Model(
        name="m2", type="pmml", artifact="m.pmml", sha256="", inputs=schema("takes", y=D), outputs=schema("gives", z=D)
    )

    assert not faults(SCORE, again, given=schema("in", x=D), wanted=schema("out", x=D, z=D), models=(MODEL, second))


def test_nothing_is_known_to_be_missing_behind_a_map() -> None:
    assert not faults(MAP, SCORE, given=schema("in", a=S), wanted=schema("out", x=S, y=D, b=S))


def test_what_a_step_adds_behind_a_map_is_known() -> None:
    assert faults(MAP, SCORE, given=schema("in", a=S), wanted=schema("out", y=S)) == [
        "/spec/output/schema: 'y' is double, schema 'out' says string"
    ]


def test_a_filter_changes_no_field() -> None:
    step = FilterStep(name="f", condition="true")

    assert faults(step, SCORE, given=schema("in", a=S), wanted=schema("out", y=D)) == [
        "/spec/steps/1/score/inputs/0: the record has no field 'x' at this step"
    ]


def test_a_null_may_be_kept_away_by_a_filter_and_is_not_judged() -> None:
    nullable = RecordSchema(name="in", fields=(Field(name="x", type=D, nullable=True),))

    assert not faults(SCORE, given=nullable, wanted=schema("out", y=D))


def test_a_model_that_could_not_be_built_is_not_judged() -> None:
    assert not faults(SCORE, given=schema("in", x=S), wanted=schema("out", y=D, z=D), models=())


def test_the_output_of_a_wrong_choice_is_not_judged() -> None:
    step = ScoreStep(name="score", model="m", inputs=("x",), output="y", model_output="z")

    assert faults(step, given=schema("in", x=D), wanted=schema("out", y=S)) == [
        "/spec/steps/0/score/modelOutput: model 'm' has no output 'z'"
    ]


def test_an_input_that_the_model_does_not_require_may_be_left_out() -> None:
    optional = Field(name="w", type=D)
    model = Model(
        name="m",
        type="pmml",
        artifact="m.pmml",
        sha256="",
        inputs=RecordSchema(name="takes", fields=(*MODEL.inputs.fields, optional)),
        outputs=MODEL.outputs,
    )

    assert not faults(SCORE, given=schema("in", x=D), wanted=schema("out", y=D), models=(model,))


def test_an_input_named_twice_is_told_once() -> None:
    step = ScoreStep(name="score", model="m", inputs=("x", "x"), output="y")

    assert faults(step, given=schema("in", x=D), wanted=schema("out", y=D)) == [
        "/spec/steps/0/score/inputs/1: the input 'x' stands here twice"
    ]


def test_an_output_may_take_the_place_of_a_field() -> None:
    step = ScoreStep(name="score", model="m", inputs=("x",), output="x")

    assert not faults(step, given=schema("in", x=I32), wanted=schema("out", x=D))
