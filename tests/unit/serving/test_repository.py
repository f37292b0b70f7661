"""Loading, unloading and their states."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.model.job import Reason
from scheduler.serving import config
from scheduler.serving.faults import ModelNotReadyError, ModelRefusedError
from scheduler.serving.repository import State
from scheduler.serving.runners import fake
from tests.unit.serving import serve


def test_ready_means_every_model(tmp_path: Path) -> None:
    repository = serve.repository(serve.model(tmp_path), serve.model(tmp_path, name="other"))

    repository.load("delay")
    assert not repository.is_ready
    repository.load("other")
    assert repository.is_ready


def test_a_model_that_is_loaded_again_closes_the_old_one(tmp_path: Path) -> None:
    repository = serve.repository(serve.model(tmp_path))
    repository.load("delay")
    _, runner = repository.loaded("delay")

    repository.load("delay")

    assert isinstance(runner, fake.FakeRunner)
    assert runner.is_closed
    assert repository.loaded("delay")[1] is not runner


def test_a_refused_model_keeps_its_reason(tmp_path: Path) -> None:
    repository = serve.repository(serve.model(tmp_path, content=fake.BROKEN))

    with pytest.raises(ModelRefusedError, match="the file is broken"):
        repository.load("delay")

    assert repository.entry("delay").state is State.UNAVAILABLE
    with pytest.raises(ModelNotReadyError, match="'delay' is UNAVAILABLE: the file is broken"):
        repository.loaded("delay")


def test_a_type_that_this_server_does_not_serve_is_refused(tmp_path: Path) -> None:
    repository = serve.repository(serve.model(tmp_path, type_="onnx"))
    with pytest.raises(ModelRefusedError, match="is of type 'onnx'; this server serves fake"):
        repository.load("delay")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(b"other"), Reason.MODEL_DIGEST_MISMATCH),
        (lambda path: path.unlink(), Reason.MODEL_MISSING),
    ],
    ids=["other content", "absent"],
)
def test_a_file_without_the_right_digest_is_refused(tmp_path: Path, damage: object, reason: Reason) -> None:
    model = serve.model(tmp_path)
    damage(model.path)  # type: ignore[operator]
    with pytest.raises(ModelRefusedError) as caught:
        serve.repository(model).load("delay")
    assert caught.value.reason is reason


def test_unknown_names_are_answered_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no model is named 'x'"):
        serve.repository(serve.model(tmp_path)).load("x")


def test_a_configuration_is_read_with_its_tensors(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    model = {
        "name": "delay",
        "type": "pmml",
        "sha256": "ab" * 32,
        "inputs": [{"name": "hour", "datatype": "FP64", "nullable": True}],
        "outputs": [{"name": "probability", "datatype": "FP64"}],
    }
    path.write_text(json.dumps({"models": [model]}))

    (loaded,) = config.load(path, models=Path("/models"))

    assert loaded.path == Path("/models") / ("ab" * 32)
    assert loaded.version == "abababababab"
    assert [(tensor.name, tensor.nullable) for tensor in loaded.signature.inputs] == [("hour", True)]


def test_a_bad_configuration_is_refused_with_all_problems(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    good = {"name": "a", "type": "pmml", "sha256": "ab" * 32, "inputs": [{"name": "x", "datatype": "FP64"}]}
    good["outputs"] = good["inputs"]
    bad = {"name": "", "sha256": "xyz", "inputs": [], "outputs": [{"name": "y", "datatype": "FP8"}]}
    path.write_text(json.dumps({"models": [good, good, bad]}))

    with pytest.raises(InvalidInputError) as caught:
        config.load(path, models=tmp_path)

    assert sorted(problem.pointer for problem in caught.value.problems) == [
        *("/models", "/models/2", "/models/2", "/models/2/inputs", "/models/2/outputs/0", "/models/2/sha256")
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"models": []}'])
def test_a_configuration_without_models_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError):
        config.load(path, models=tmp_path)
