"""A client that is not ours, Triton's, against our scoring servers as they run in a pod: a Python script, and PMML."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from tests.unit.serving.documents import TREE
from tests.unit.serving.test_program import running, wait_until_ready

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what gevent says of the interpreter is not about us
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(180)]

SCRIPT: Final = """\
from collections.abc import Iterable

import numpy as np


def score(rows: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    if (rows == 13.0).any():
        raise ValueError("13 is no value")
    return np.column_stack([rows.sum(axis=1), rows[:, 0]]), ["total", "first"]
"""
PYTHON: Final[dict[str, Any]] = {
    "name": "sum",
    "type": "python-script",
    "inputs": [{"name": "a", "datatype": "FP64"}, {"name": "b", "datatype": "FP64"}],
    "outputs": [{"name": "total", "datatype": "FP64"}, {"name": "first", "datatype": "FP64"}],
}
PMML: Final[dict[str, Any]] = {
    "name": "tree",
    "type": "pmml",
    "inputs": [
        {"name": "dep_delay", "datatype": "FP64", "nullable": True},
        {"name": "carrier", "datatype": "BYTES"},
        {"name": "weekend", "datatype": "BOOL"},
    ],
    "outputs": [{"name": "minutes", "datatype": "FP64"}],
}


def served(folder: Path, runner: str, model: dict[str, Any], content: str) -> Iterator[Any]:
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    (folder / sha256).write_text(content)
    (folder / "models.json").write_text(json.dumps({"models": [{**model, "sha256": sha256}]}))
    words = [f"--runner={runner}", f"--config={folder / 'models.json'}", f"--models={folder}", "--host=127.0.0.1"]
    with running(words) as (_, url):
        wait_until_ready(url)
        client = triton.InferenceServerClient(url.removeprefix("http://"), network_timeout=30, connection_timeout=30)
        yield client
        client.close()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield from served(tmp_path_factory.mktemp("python"), "python", PYTHON, SCRIPT)


@pytest.fixture(scope="module")
def pmml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield from served(tmp_path_factory.mktemp("pmml"), "pmml", PMML, TREE)


def tensor(name: str, values: list[Any], *, is_binary: bool, datatype: str = "FP64") -> Any:
    dtype = {"FP64": np.float64, "BOOL": np.bool_, "BYTES": np.object_, "FP32": np.float32}[datatype]
    made = triton.InferInput(name, [len(values)], datatype)
    made.set_data_from_numpy(np.array(values, dtype=dtype), binary_data=is_binary)
    return made


def both(is_binary: bool, a: list[float], b: list[float]) -> list[Any]:
    return [tensor("a", a, is_binary=is_binary), tensor("b", b, is_binary=is_binary)]


def test_health_and_metadata(python: Any) -> None:
    assert python.is_server_live()
    assert python.is_server_ready()
    assert python.is_model_ready("sum")
    assert {"binary_tensor_data", "model_repository"} <= set(python.get_server_metadata()["extensions"])
    metadata = python.get_model_metadata("sum")
    assert metadata["inputs"] == [{**one, "shape": [-1]} for one in PYTHON["inputs"]]
    assert metadata["outputs"] == [{**one, "shape": [-1]} for one in PYTHON["outputs"]]
    assert python.is_model_ready("sum", metadata["versions"][0])
    assert not python.is_model_ready("sum", "another")


@pytest.mark.parametrize("is_binary_in", [False, True], ids=["json in", "binary in"])
@pytest.mark.parametrize("is_binary_out", [False, True], ids=["json out", "binary out"])
def test_inference(python: Any, is_binary_in: bool, is_binary_out: bool) -> None:
    wanted = [triton.InferRequestedOutput("total", binary_data=is_binary_out)]
    answer = python.infer("sum", both(is_binary_in, [1.0, 0.1, -2.5], [2.0, 0.2, 2.5]), outputs=wanted, request_id="7")
    assert answer.get_response()["id"] == "7"
    assert answer.as_numpy("total").tolist() == [3.0, 0.1 + 0.2, 0.0]
    assert answer.as_numpy("first") is None


@pytest.mark.parametrize("is_binary", [False, True])
def test_all_outputs_without_asking(python: Any, is_binary: bool) -> None:
    answer = python.infer("sum", both(is_binary, [1.0], [2.0]))
    assert [answer.as_numpy(name).tolist() for name in ("total", "first")] == [[3.0], [1.0]]


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda binary: [tensor("a", [1.0], is_binary=binary)], "b"),
        (lambda binary: [*both(binary, [1.0], [2.0]), tensor("c", [1.0], is_binary=binary)], "c"),
        (lambda binary: both(binary, [1.0, 2.0], [2.0]), r"input 'b': shape \[1\]"),
        (
            lambda binary: [
                tensor("a", [1.0], is_binary=binary),
                tensor("b", ["x"], is_binary=binary, datatype="BYTES"),
            ],
            "b",
        ),
        (lambda binary: both(binary, [1.0, 13.0], [2.0, 2.0]), "13 is no value"),
    ],
    ids=["missing", "unknown", "lengths", "datatype", "poison"],
)
def test_wrong_tensors_are_refused_by_name(python: Any, is_binary: bool, wrong: Any, words: str) -> None:
    with pytest.raises(InferenceServerException, match=words) as refused:
        python.infer("sum", wrong(is_binary))
    assert str(refused.value.status()) == "400"
    assert python.is_server_ready()


def test_an_unknown_model(python: Any) -> None:
    with pytest.raises(InferenceServerException, match="no model is named 'other'"):
        python.infer("other", both(True, [1.0], [2.0]))


def test_the_repository(python: Any) -> None:
    assert [(entry["name"], entry["state"]) for entry in python.get_model_repository_index()] == [("sum", "READY")]
    python.unload_model("sum")
    try:
        assert not python.is_model_ready("sum")
        assert [entry["state"] for entry in python.get_model_repository_index()] == ["UNAVAILABLE"]
        with pytest.raises(InferenceServerException, match="UNAVAILABLE"):
            python.infer("sum", both(True, [1.0], [2.0]))
    finally:
        python.load_model("sum")
    assert python.infer("sum", both(True, [1.0], [2.0])).as_numpy("total").tolist() == [3.0]


@pytest.mark.java
@pytest.mark.parametrize("is_binary", [False, True])
def test_pmml_with_a_missing_value(pmml: Any, is_binary: bool) -> None:
    """The companion tensor says which value is missing: missing is not zero."""
    inputs = [
        tensor("dep_delay", [0.0, 0.0, 10.0, 1.0], is_binary=is_binary),
        tensor("dep_delay.null", [False, True, False, False], is_binary=is_binary, datatype="BOOL"),
        tensor("carrier", ["B6", "B6", "B6", "UA"], is_binary=is_binary, datatype="BYTES"),
        tensor("weekend", [False, False, False, False], is_binary=is_binary, datatype="BOOL"),
    ]
    assert pmml.infer("tree", inputs).as_numpy("minutes").tolist() == [0.0, 99.0, 30.0, 10.0]
    assert pmml.get_model_metadata("tree")["inputs"][1] == {"name": "dep_delay.null", "datatype": "BOOL", "shape": [-1]}
