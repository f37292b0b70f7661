"""The type of a model is one that a scoring server supports: the schema knows its form, the charts know its names."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import load
from tests.bench.test_ir_load import ir_of

IR = ir_of(1)


def problems(model_type: str, model_types: Collection[str] | None) -> list[str]:
    """What is said of an IR whose model is of that type."""
    documents = [dict(document) for document in load.from_text(IR).documents]
    model = next(document for document in documents if document["kind"] == "Model")
    model["spec"] = {**model["spec"], "type": model_type}
    try:
        loaded = load.from_documents(documents, model_types=model_types)
    except InvalidInputError as error:
        return [f"{problem.pointer} {problem.message} {', '.join(problem.candidates)}" for problem in error.problems]
    assert [each.type for each in loaded.pipeline.models] == [model_type]
    return []


@pytest.mark.parametrize("model_type", ["linear-csv", "onnx"])
@pytest.mark.parametrize("known", [("linear-csv", "onnx", "pmml"), None])
def test_any_type_that_a_server_supports_is_accepted(model_type: str, known: Collection[str] | None) -> None:
    assert problems(model_type, known) == []


def test_a_type_without_a_server_is_refused_with_those_that_there_are() -> None:
    assert problems("linear-cvs", ("pmml", "linear-csv")) == [
        "/spec/type no scoring server supports model type 'linear-cvs' linear-csv, pmml"
    ]


def test_a_type_that_is_not_built_yet_is_told_so() -> None:
    assert problems("onnx", ("linear-csv", "pmml")) == [
        "/spec/type model type 'onnx' is not built yet (built: 'linear-csv' or 'pmml') "
    ]


@pytest.mark.parametrize("known", [("pmml",), None])
def test_what_is_no_name_is_no_type(known: Collection[str] | None) -> None:
    (told,) = problems("Linear CSV", known)

    assert told.startswith("/spec/type 'Linear CSV' is not a name: ")
