"""Folder, text or documents become one checked IR, the same whichever way they come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.errors import InvalidInputError, NotFoundError
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

IR = """\
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
PMML = b"<PMML/>"
SHA256 = "9cf3b23f2c3bfd5f4eb7ba1d6ad9d0f5a5a9b0e2a9e1b3e7d9e6a3a6e5c4b3a2"

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


def test_a_folder_is_all_its_documents_but_for_hidden_ones(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "other.yaml").write_text("kind: Nonsense")
    (folder / ".hidden.yaml").write_text("kind: Nonsense")
    (folder / "notes.txt").write_text("kind: Nonsense")

    assert load.from_folder(folder).digest == load.from_text(IR).digest


def test_a_single_file_is_an_ir_too(folder: Path) -> None:
    loaded = load.from_folder(str(folder / "ir.yaml"))

    assert loaded.artifacts["iris"] == folder / "models" / "iris.pmml"


def test_digests_are_filled_in_from_the_files(folder: Path) -> None:
    loaded = load.from_folder(folder, fill_digests=True)

    assert loaded.pipeline.models[0].sha256 == hashlib.sha256(PMML).hexdigest()
    assert load.from_documents(loaded.documents).pipeline == loaded.pipeline
    assert loaded.artifacts == dict.fromkeys(("iris", "unused"), folder / "models" / "iris.pmml")


def test_documents_over_http_must_bring_digests() -> None:
    assert problems(lambda: load.from_documents(load.from_text(IR).documents)) == [
        "Model/iris /spec: 'sha256' is missing; `modelops deploy` writes it",
        "Model/unused /spec: 'sha256' is missing; `modelops deploy` writes it",
    ]


def test_a_model_with_a_digest_need_not_bring_its_file(folder: Path) -> None:
    (folder / "models" / "iris.pmml").unlink()
    text = IR.replace("artifact: models/iris.pmml,", f"artifact: models/iris.pmml, sha256: {SHA256},")
    (folder / "ir.yaml").write_text(text)

    loaded = load.from_folder(folder, fill_digests=True)

    assert loaded.artifacts == {}
    assert loaded.pipeline.models[0].sha256 == SHA256


def test_links_do_not_lead_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text("password: hunter2")
    (outside / "iris.pmml").write_bytes(PMML)
    (folder / "models" / "iris.pmml").unlink()
    (folder / "models" / "iris.pmml").symlink_to(outside / "iris.pmml")
    (folder / "linked.yaml").symlink_to(outside / "secret.yaml")

    assert problems(lambda: load.from_folder(folder)) == [
        "ir.yaml:30 Model/iris /spec/artifact: the file is a link that leads out of the IR folder",
        "ir.yaml:34 Model/unused /spec/artifact: the file is a link that leads out of the IR folder",
        "linked.yaml: the file is a link that leads out of the IR folder",
    ]


def test_what_cannot_be_read_is_told_with_the_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def refused(path: Path, mode: str = "r", **more: Any) -> Any:
        if path.suffix in {".yml", ".pmml"}:
            raise PermissionError(13, "Permission denied")
        return real(path, mode, **more)

    (folder / "more.yml").write_text("kind: Model")
    monkeypatch.setattr(Path, "open", refused)

    assert problems(lambda: load.from_folder(folder)) == [
        "ir.yaml:30 Model/iris /spec/artifact: 'models/iris.pmml' cannot be read: Permission denied",
        "ir.yaml:34 Model/unused /spec/artifact: 'models/iris.pmml' cannot be read: Permission denied",
        "more.yml: the file cannot be read: Permission denied",
    ]


def test_links_within_the_folder_are_followed(folder: Path) -> None:
    (folder / "models" / "iris.pmml").rename(folder / "models" / "real.pmml")
    (folder / "models" / "iris.pmml").symlink_to("real.pmml")

    assert load.from_folder(folder).digest == load.from_text(IR).digest


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no folder or file"):
        load.from_folder(tmp_path / "absent")


def test_an_empty_folder_has_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no file of an IR"):
        load.from_folder(tmp_path)


def test_names_are_not_looked_up_when_a_file_cannot_be_read(folder: Path) -> None:
    (folder / "ir.yaml").write_text(IR.replace("kind: RecordSchema\nmetadata: {name: flower}", "kind: [").rstrip("}\n"))
    (folder / "more.yaml").write_text("kind: Model\nmetadata: {name: more}\nspec: {type: pml}")

    told = problems(lambda: load.from_folder(folder))

    unsupported = "no scoring server supports model type 'pml' (there are 'pmml', 'python-script', 'python-binary')"
    assert told == [
        "ir.yaml:38: not valid YAML: a ',' or the closing bracket is missing",
        f"more.yaml:3 Model/more /spec/type: {unsupported}",
        "more.yaml:3 Model/more /spec: 'artifact' is missing",
        "more.yaml:3 Model/more /spec: 'inputs' is missing",
        "more.yaml:3 Model/more /spec: 'outputs' is missing",
    ]


@pytest.mark.parametrize("document", [5, None, "kind: Model", ["kind"]])
def test_what_is_no_document_is_a_problem(document: object) -> None:
    assert problems(lambda: load.from_documents([document])) == [  # type: ignore[list-item]
        "document 1: a document is a mapping with 'kind', 'metadata' and 'spec'"
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "NaN and infinity are not accepted: the value must be a finite number"),
        (float("-inf"), "NaN and infinity are not accepted: the value must be a finite number"),
        (1 << 64, "the number does not fit into 64 bits; quote it if it is text"),
        ("\udc00", "the text is not valid Unicode (half of a surrogate pair)"),
        ({1: 2}, "a key is text: quote 1"),
        ({"\udc00": 2}, "the text is not valid Unicode (half of a surrogate pair)"),
        (b"x", "a bytes is no JSON value"),
    ],
)
def test_documents_of_others_hold_values_of_json_only(value: object, message: str) -> None:
    documents = [{"kind": "Model", "metadata": {"name": "x"}, "spec": {"type": [value]}}]

    assert problems(lambda: load.from_documents(documents)) == [f"Model/x /spec/type/0: {message}"]


CHANNEL = """\
kind: DataChannel
metadata: {name: flowers}
spec: {direction: source, type: file, schema: flower, config: {volume: a, path: b.csv, format: csv}}
---
kind: RecordSchema
metadata: {name: flower}
spec: {properties: {sepal: {type: number}}}
"""


def test_channels_are_loaded_without_a_pipeline() -> None:
    (given,) = load.channels_from_text(CHANNEL)

    assert given.channel.name == "flowers"
    assert given.schema["spec"]["order"] == ["sepal"]
    assert load.channels_from_documents([given.schema, given.document]) == (given,)


def test_only_channels_and_their_schemas_are_registered() -> None:
    text = f"{CHANNEL}---\n{IR.split('---')[1]}"

    assert problems(lambda: load.channels_from_text(text, file="c.yaml"))[0] == (
        "c.yaml:10 ScoringFlow/classify /kind: a ScoringFlow cannot stand here, only 'DataChannel' or 'RecordSchema'"
    )
    assert problems(lambda: load.channels_from_text(CHANNEL.split("---")[1])) == ["no document is a DataChannel"]


def test_a_channel_brings_its_schema() -> None:
    assert problems(lambda: load.channels_from_text(CHANNEL.split("---", maxsplit=1)[0])) == [
        "3 DataChannel/flowers /spec/schema: no RecordSchema is named 'flower'"
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "iris.pmml").write_bytes(PMML)
    (tmp_path / "ir.yaml").write_text(IR)
    return tmp_path


def problems(loading: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidInputError) as refused:
        loading()
    return [str(problem) for problem in refused.value.problems]


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


def test_a_document_without_a_name_is_known_by_its_place_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(IR)
    (tmp_path / "b.yaml").write_text("kind: Model\nmetadata: {name: m}\n---\nkind: Model\n")

    with pytest.raises(InvalidInputError) as refused:
        load.from_folder(tmp_path)

    told = {problem.document for problem in refused.value.problems if (problem.file, problem.line) >= ("b.yaml", 4)}
    assert told == {"document 2"}


def test_a_document_that_came_over_http_is_known_by_its_place_in_the_list() -> None:
    with pytest.raises(InvalidInputError) as refused:
        load.from_documents([1, {"kind": "Model"}])  # type: ignore[list-item]

    assert {problem.document for problem in refused.value.problems} == {"document 1", "document 2"}
