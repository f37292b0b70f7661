"""Folder, text or documents become one checked IR, the same whichever way they come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import load
from scheduler.model import canonical
from scheduler.model.pipeline import (
    Batch,
    ChannelRef,
    DataChannel,
    DeadLetters,
    Deadlines,
    Field,
    FieldType,
    FilterStep,
    MapStep,
    Model,
    OnError,
    Parameter,
    RecordSchema,
    ScoreStep,
    ScoringFlow,
    ScoringPipeline,
    SecretRef,
)
from tests.unit.ir.iris import IR, PMML

FLOWER = RecordSchema(
    name="flower",
    fields=(
        Field(name="sepal", type=FieldType.DOUBLE, required=True),
        Field(name="petal", type=FieldType.DOUBLE, nullable=True),
    ),
)
LABEL = RecordSchema(name="label", fields=(Field(name="label", type=FieldType.STRING, description="Species"),))
ANSWER = RecordSchema(
    name="answer",
    fields=(
        Field(
            name="at",
            type=FieldType.OBJECT,
            properties=(Field(name="day", type=FieldType.DATE, required=True),),
        ),
        Field(name="codes", type=FieldType.ARRAY, items=Field(name="items", type=FieldType.INT32)),
    ),
)


def test_the_whole_pipeline_is_built() -> None:
    assert load.from_text(IR).pipeline == ScoringPipeline(
        name="iris",
        description="Which iris is it?",
        mode="batch",
        source=ChannelRef(channel="flowers", data_version="v2"),
        sink=ChannelRef(channel="answers"),
        flows=(
            ScoringFlow(
                name="classify",
                input=FLOWER,
                output=ANSWER,
                parameters=(Parameter(name="strict", type="boolean", default=False),),
                steps=(
                    FilterStep(name="long", condition="this.petal > {{ parameters.least }}", on_error=OnError.DROP),
                    ScoreStep(
                        name="species",
                        model="iris",
                        inputs=("petal", "sepal"),
                        output="species",
                        model_output="label",
                        batch=Batch(count=8, period_milliseconds=1_000),
                    ),
                    MapStep(name="tidy", mapping="root = this", on_error=OnError.FAIL),
                ),
            ),
        ),
        models=(Model(name="iris", type="pmml", artifact="models/iris.pmml", sha256="", inputs=FLOWER, outputs=LABEL),),
        channels=(
            DataChannel(
                name="flowers",
                direction="source",
                type="file",
                schema=FLOWER,
                config={"volume": "a", "path": "b.csv", "format": "csv", "compression": "none"},
                data_version="v1",
            ),
        ),
        parameters=(
            Parameter(name="least", type="integer", default=3, description="Shortest petal", enum=(3, 4)),
            Parameter(name="region", type="string", required=True),
        ),
        dead_letters=DeadLetters(channel="rejects", max_ratio=0.25),
        deadlines=Deadlines(run_seconds=5_400, finish_seconds=30),
        environment_variables={"TOKEN": SecretRef(name="lookup", key="token")},
    )


def test_memory_may_be_given_for_the_flow_and_for_each_model() -> None:
    asked = IR.replace("flows: [classify]", "flows: [classify]\n  memory: 4Gi")
    asked = asked.replace("spec: {type: pmml,", "spec: {memory: 512Mi, type: pmml,", 1)
    pipeline = load.from_text(asked).pipeline

    assert (pipeline.memory, [model.memory for model in pipeline.models]) == ("4Gi", ["512Mi"])
    with pytest.raises(InvalidInputError, match="an amount of memory"):
        load.from_text(asked.replace("4Gi", "4 GB"))


def test_the_digest_is_that_of_the_documents() -> None:
    loaded = load.from_text(IR)

    assert loaded.digest == canonical.digest(loaded.documents)
    assert [(each["kind"], each["metadata"]["name"]) for each in loaded.documents] == [
        ("DataChannel", "flowers"),
        ("Model", "iris"),
        ("Model", "unused"),
        ("RecordSchema", "answer"),
        ("RecordSchema", "flower"),
        ("RecordSchema", "label"),
        ("ScoringFlow", "classify"),
        ("ScoringPipeline", "iris"),
    ]


def test_how_an_ir_is_written_does_not_change_its_digest(folder: Path) -> None:
    split = folder / "split"
    split.mkdir()
    for number, text in enumerate(reversed(IR.split("---\n"))):
        (split / f"{number}.yml").write_text(text)
    (split / "models").mkdir()
    (split / "models" / "iris.pmml").write_bytes(PMML)
    in_json = [{"apiVersion": "modelops/v1", **each} for each in load.from_text(IR).documents]

    digests = {
        load.from_text(IR).digest,
        load.from_folder(split).digest,
        load.from_text(json.dumps(in_json), file="ir.json").digest,
    }

    assert len(digests) == 1


def test_the_order_of_columns_survives_keys_being_sorted() -> None:
    loaded = load.from_text(IR)
    kept = json.loads(canonical.json_bytes(loaded.documents))

    again = load.from_documents(kept, require_digests=False)

    assert again.pipeline == loaded.pipeline
    assert [each.name for each in again.pipeline.models[0].inputs.fields] == ["sepal", "petal"]


def test_another_order_of_columns_is_another_ir() -> None:
    turned = IR.replace(
        "{sepal: {type: number}, petal: {type: number, nullable: true}}",
        "{petal: {type: number, nullable: true}, sepal: {type: number}}",
    )

    assert load.from_text(turned).digest != load.from_text(IR).digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "iris.pmml").write_bytes(PMML)
    (tmp_path / "ir.yaml").write_text(IR)
    return tmp_path
