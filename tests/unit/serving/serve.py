"""A server over fake models, and requests to it, for the tests of routes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from scheduler.model.tensors import Tensor
from scheduler.serving.config import ModelConfig
from scheduler.serving.repository import Repository
from scheduler.serving.runners import fake
from scheduler.serving.runners.port import Load
from scheduler.serving.signature import Signature

SIGNATURE = Signature(
    inputs=(Tensor(name="a", datatype="FP64"), Tensor(name="b", datatype="FP64", nullable=True)),
    outputs=(Tensor(name="total", datatype="FP64"), Tensor(name="maybe", datatype="FP64", nullable=True)),
    most_rows=1000,
)


def model(folder: Path, *, name: str = "delay", content: bytes = b"fine", type_: str = "fake") -> ModelConfig:
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256
    path.write_bytes(content)
    return ModelConfig(name=name, type=type_, sha256=sha256, path=path, signature=SIGNATURE)


def repository(*models: ModelConfig, seconds: float = 0.0, loaders: Mapping[str, Load] | None = None) -> Repository:
    """Models of type `fake`, none of them loaded; each call takes `seconds`."""

    def slow(path: Path, *, signature: Signature) -> fake.FakeRunner:
        fake.load(path, signature=signature)
        return fake.FakeRunner(signature=signature, seconds=seconds)

    return Repository(models, loaders=loaders or {"fake": slow if seconds else partial(fake.load)})


def tensor(name: str, data: list[Any], datatype: str = "FP64") -> Mapping[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data}


def request(a: list[Any], b: list[Any] | None = None, **more: Any) -> bytes:
    inputs = [tensor("a", a), tensor("b", b or [0.0] * len(a))]
    return orjson.dumps({"id": "42", "inputs": inputs, **more})
