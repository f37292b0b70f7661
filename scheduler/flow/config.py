"""`runner.json` as `preprocess.flow` wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    path: Path
    format: str
    """csv | json-lines"""
    is_gzip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Records that the engine makes up; they stand nowhere."""

    count: int
    """0: without end, until the flow is drained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Records that the engine checks and counts; they are written nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    url: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerConfig:
    release: str
    flow: str
    source: File | Generated
    sink: File | Checked
    dead_letters: File | Checked | None = None
    max_ratio: float = 0.0
    """Dead letters of all records read, above which the flow fails."""
    required: tuple[str, ...] = ()
    """Columns that a CSV source must have."""
    services: tuple[Service, ...] = ()
    ready_seconds: float = 300
    run_seconds: float = 7200
    """0: no deadline."""
    is_followed: bool = False
    """Whether the source has no end of its own and is read until the flow is drained."""
    data_version: str = ""
    ir_digest: str = ""


def load(folder: Path) -> RunnerConfig:
    """The configuration mounted in `folder`; KeyError or ValueError for anything that pre-processing never writes."""
    return parse(json.loads((folder / "runner.json").read_text()))


def parse(document: Mapping[str, Any]) -> RunnerConfig:
    dead_letters = document.get("deadLetters")
    return RunnerConfig(
        release=document["release"],
        flow=document["flow"],
        source=_source(document["source"]),
        sink=_end(document["sink"]),
        dead_letters=_end(dead_letters) if dead_letters else None,
        max_ratio=float(dead_letters["maxRatio"]) if dead_letters else 0.0,
        required=tuple(document["source"].get("required", ())),
        services=tuple(Service(url=item["url"], model=item["model"]) for item in document.get("services", ())),
        ready_seconds=float(document["readySeconds"]),
        run_seconds=float(document["runSeconds"]),
        is_followed=document["source"].get("follow", False),
        data_version=document["source"].get("dataVersion", ""),
        ir_digest=document["sink"].get("irDigest", ""),
    )


def _source(document: Mapping[str, Any]) -> File | Generated:
    return Generated(count=int(document["count"])) if document.get("type") == "test" else _file(document)


def _end(document: Mapping[str, Any]) -> File | Checked:
    return Checked() if document.get("type") == "test" else _file(document)


def _file(document: Mapping[str, Any]) -> File:
    return File(
        path=Path(document["path"]), format=document["format"], is_gzip=document.get("compression", "none") == "gzip"
    )
