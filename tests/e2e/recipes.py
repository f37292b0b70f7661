"""Small pipelines for tests: three channels of their own, one flow, one model, all named after the test."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from scheduler.model.types import Document

CLAIM: Final = "e2e-data"
BATCH: Final = 256
"""Records that a `score` step sends at once."""
DOUBLE: Final = b"""\
from collections.abc import Iterable

import numpy as np


def double(values: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    return values * 2.0, ["score"]
"""
REFUSES_13: Final = b"""\
from collections.abc import Iterable

import numpy as np


def double(values: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    if (values == 13.0).any():
        raise ValueError("13 is no value")
    return values * 2.0, ["score"]
"""
NEEDS_2_GIB: Final = b"""\
from collections.abc import Iterable

import numpy as np


def double(values: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    waste = np.ones(2 << 27)
    return values * 2.0 * waste[0], ["score"]
"""
ENDS_ITSELF: Final = b"import os\n\nos._exit(7)\n" + DOUBLE
SLOW_TO_LOAD: Final = b"import time\n\ntime.sleep(120.0)\n" + DOUBLE
PMML: Final = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">
  <Header description="Twice the value"/>
  <DataDictionary numberOfFields="2">
    <DataField name="value" optype="continuous" dataType="double"/>
    <DataField name="score" optype="continuous" dataType="double"/>
  </DataDictionary>
  <RegressionModel modelName="twice" functionName="regression">
    <MiningSchema>
      <MiningField name="value"/>
      <MiningField name="score" usageType="target"/>
    </MiningSchema>
    <RegressionTable intercept="0">
      <NumericPredictor name="value" coefficient="2"/>
    </RegressionTable>
  </RegressionModel>
</PMML>
"""
SLEEP: Final = b"""\
import time
from collections.abc import Iterable

import numpy as np


def sleep(values: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    time.sleep(1.0)
    return values * 2.0, ["score"]
"""
PREPARE: Final[Document] = {"name": "prepare", "map": "root = this"}
WASTE: Final[Document] = {"name": "prepare", "map": "let waste = range(0, this.id * 200000000)\nroot = this"}
"""Needs several GiB for its first record."""
DROP_EMPTY: Final[Document] = {"name": "valued", "filter": "this.value != null"}
SCORE: Final[Document] = {
    "name": "score",
    "score": {"model": "twice", "inputs": ["value"], "output": "score", "batch": {"count": BATCH, "period": "50ms"}},
}
ITEM: Final[Document] = {
    "properties": {
        "id": {"type": "integer", "format": "int64"},
        "value": {"type": "number", "format": "double", "nullable": True},
    },
    "required": ["id"],
}
"""What the source's records look like."""
_ID: Final = ITEM["properties"]["id"]
_NUMBER: Final = {"type": "number", "format": "double"}
_MAYBE: Final = ITEM["properties"]["value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a test varies; everything else of the IR follows."""

    name: str
    """Of the pipeline, and the beginning of its files' names."""
    steps: tuple[Document, ...] = (SCORE,)
    artifact: bytes = DOUBLE
    model_type: str = "python-script"
    memory: str = ""
    """Of the model; empty: as much as the chart gives."""
    format: Literal["csv", "json-lines"] = "csv"
    is_gzip: bool = False
    sink_format: Literal["csv", "json-lines"] = "json-lines"
    is_sink_gzip: bool = False
    folder: str = ""
    """Of the sink, on its volume; empty: the volume's root."""
    max_ratio: float | None = None
    """Of dead letters; None: no channel for them, the first one fails the job."""
    volume: str = CLAIM
    sink_volume: str = ""
    """Empty: the same."""
    is_uploaded: bool = True
    """False: the model is in the store already, or it is not meant to be."""
    is_followed: bool = False
    """Of the source: then the pipeline streams."""
    generated: Mapping[str, object] | None = None
    """Configuration of a test source; None: the source is a file. Without `count` the pipeline streams."""
    is_checked: bool = False
    """True: sink and dead letters are test sinks."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the pipeline's spec."""

    @property
    def source(self) -> str:
        return f"{self.name}.{_suffix(self.format, is_gzip=self.is_gzip)}"

    @property
    def sink(self) -> str:
        name = f"{self.name}.scored.{_suffix(self.sink_format, is_gzip=self.is_sink_gzip)}"
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def rejects(self) -> str:
        return f"{self.name}.rejects.jsonl"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.artifact).hexdigest()

    def documents(self) -> list[dict[str, Any]]:
        """The IR, its model with its digest."""
        channels = [
            self._channel("items", "source", "item", self._source_file() if self.generated is None else None),
            self._channel("scored", "sink", "scored-item", None if self.is_checked else self._sink_file()),
        ]
        if self.max_ratio is not None:
            rejects = None if self.is_checked else _file(self.volume, self.rejects, "json-lines", is_gzip=False)
            channels.append(self._channel("rejects", "sink", "item", rejects))
        return [
            _document("ScoringPipeline", self.name, {**self._pipeline(), **self.extra}, apiVersion="modelops/v1"),
            _document(
                "ScoringFlow",
                "flow",
                {"input": {"schema": "item"}, "output": {"schema": "scored-item"}, "steps": list(self.steps)},
            ),
            self._model(),
            _document("RecordSchema", "item", ITEM),
            _schema("scored-item", {"id": _ID, "value": _MAYBE, "score": _NUMBER}, required=["id", "score"]),
            _schema("model-input", {"value": _MAYBE}, required=[]),
            _schema("model-output", {"score": _NUMBER}, required=["score"]),
            *channels,
        ]

    def source_of(self, rows: Iterable[Mapping[str, object]]) -> bytes:
        """The rows as the source's file."""
        if self.format == "csv":
            lines = ["id,value", *(f"{row['id']},{_cell(row['value'])}" for row in rows)]
        else:
            lines = [json.dumps(row) for row in rows]
        text = "".join(f"{line}\n" for line in lines).encode()
        return gzip.compress(text) if self.is_gzip else text

    def _pipeline(self) -> dict[str, Any]:
        letters = {} if self.max_ratio is None else {"deadLetters": {"channel": "rejects", "maxRatio": self.max_ratio}}
        ends = {"source": {"channel": "items"}, "sink": {"channel": "scored"}, **letters}
        is_endless = self.is_followed or (self.generated is not None and "count" not in self.generated)
        return {"mode": "streaming" if is_endless else "batch", **ends, "flows": ["flow"]}

    def _model(self) -> dict[str, Any]:
        suffix = {"python-script": "py", "python-binary": "joblib", "pmml": "pmml"}.get(self.model_type, "model")
        spec = {
            "type": self.model_type,
            "artifact": f"models/twice.{suffix}",
            "sha256": self.sha256,
            "inputs": {"schema": "model-input"},
            "outputs": {"schema": "model-output"},
            **({"memory": self.memory} if self.memory else {}),
        }
        return _document("Model", "twice", spec)

    def _source_file(self) -> dict[str, object]:
        config = _file(self.volume, self.source, self.format, is_gzip=self.is_gzip)
        return {**config, "follow": True} if self.is_followed else config

    def _sink_file(self) -> dict[str, object]:
        return _file(self.sink_volume or self.volume, self.sink, self.sink_format, is_gzip=self.is_sink_gzip)

    def _channel(self, name: str, direction: str, schema: str, file: Mapping[str, object] | None) -> dict[str, Any]:
        """A file, or a channel of type `test` where there is none."""
        made_up = self.generated if direction == "source" else None
        kind = (
            {"type": "test", "config": dict(made_up or {})} if file is None else {"type": "file", "config": dict(file)}
        )
        return _document("DataChannel", name, {"direction": direction, "schema": schema, **kind})


def slow(name: str) -> Recipe:
    """A job that scores 128 records a second."""
    score = {**SCORE["score"], "batch": {"count": 128, "period": "50ms"}}
    return Recipe(name=name, steps=({**SCORE, "score": score},), artifact=SLEEP)


def failing(*ids: int) -> Document:
    """A map that fails for these records."""
    listed = ", ".join(map(str, ids))
    text = f'root = if [{listed}].contains(this.id) {{ throw("no good record") }} else {{ this }}'
    return {"name": "prepare", "map": text}


def rows(count: int) -> list[dict[str, object]]:
    """Records 1 to `count`, whose value is half their id."""
    return [{"id": number, "value": number / 2} for number in range(1, count + 1)]


def without_values(given: Iterable[Mapping[str, object]], *ids: int) -> list[dict[str, object]]:
    """The same records, those of `ids` with an empty value."""
    return [{**row, "value": None if row["id"] in ids else row["value"]} for row in given]


def _document(kind: str, name: str, spec: Mapping[str, Any], **more: str) -> dict[str, Any]:
    return {**more, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _schema(name: str, properties: Mapping[str, Any], *, required: list[str]) -> dict[str, Any]:
    return _document("RecordSchema", name, {"properties": dict(properties), "required": required})


def _suffix(format_: str, *, is_gzip: bool) -> str:
    return ("csv" if format_ == "csv" else "jsonl") + (".gz" if is_gzip else "")


def _file(volume: str, path: str, format_: str, *, is_gzip: bool) -> dict[str, object]:
    """A file channel's configuration."""
    compression = {"compression": "gzip"} if is_gzip else {}
    return {"volume": volume, "path": path, "format": format_, **compression}


def _cell(value: object) -> object:
    return "" if value is None else value
