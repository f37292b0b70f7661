"""Documents that come over HTTP, and those of channels, which come without a pipeline."""

from __future__ import annotations

from typing import Final

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import load
from tests.unit.ir.iris import IR, problems

CHANNEL: Final = """\
kind: DataChannel
metadata: {name: flowers}
spec: {direction: source, type: file, schema: flower, config: {volume: a, path: b.csv, format: csv}}
---
kind: RecordSchema
metadata: {name: flower}
spec: {properties: {sepal: {type: number}}}
"""


def test_documents_over_http_must_bring_digests() -> None:
    assert problems(lambda: load.from_documents(load.from_text(IR).documents)) == [
        "Model/iris /spec: 'sha256' is missing; `modelops deploy` writes it",
        "Model/unused /spec: 'sha256' is missing; `modelops deploy` writes it",
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


def test_a_document_that_came_over_http_is_known_by_its_place_in_the_list() -> None:
    with pytest.raises(InvalidInputError) as refused:
        load.from_documents([1, {"kind": "Model"}])  # type: ignore[list-item]

    assert {problem.document for problem in refused.value.problems} == {"document 1", "document 2"}


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
