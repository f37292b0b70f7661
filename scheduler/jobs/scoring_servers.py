"""Which scoring servers the platform has: every sub-chart that declares model types."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from scheduler import assets
from scheduler.preprocess.services import ScoringServer

_PATTERN: Final = "scoring-server-*/values.yaml"


def installed(subcharts: Path | None = None) -> tuple[ScoringServer, ...]:
    """The servers by name, with the `supportedModels` of each chart's values.yaml; a chart without any is left out."""
    folder = subcharts or assets.charts() / "subcharts"
    found = []
    for path in sorted(folder.glob(_PATTERN)):
        values = yaml.safe_load(path.read_text()) or {}
        types = tuple(str(item) for item in values.get("supportedModels") or ())
        if types:
            found.append(ScoringServer(chart=path.parent.name, types=types))
    return tuple(found)
