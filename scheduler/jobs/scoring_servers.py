"""Which scoring servers the platform has: every chart that a job may install and that declares model types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets
from scheduler.preprocess.services import ScoringServer

JOB: Final = "scoring-pipeline"
"""The chart that a job installs: its dependencies are all the charts with a job face."""


def installed(subcharts: Path | None = None) -> tuple[ScoringServer, ...]:
    """The servers by name, with the `supportedModels` of each chart's values.yaml; a chart without any is left out."""
    folder = subcharts or assets.charts() / "subcharts"
    charts = sorted(str(entry["name"]) for entry in _yaml(folder / JOB / "Chart.yaml").get("dependencies") or ())
    found = []
    for chart in charts:
        types = tuple(str(item) for item in _yaml(folder / chart / "values.yaml").get("supportedModels") or ())
        if types:
            found.append(ScoringServer(chart=chart, types=types))
    return tuple(found)


def model_types(servers: Sequence[ScoringServer] | None = None) -> tuple[str, ...]:
    """The types that these servers score, or those whose charts are here, by name."""
    given = installed() if servers is None else servers
    return tuple(sorted({model_type for server in given for model_type in server.types}))


def _yaml(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return loaded
