"""A chart in a folder, as far as it is read without helm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scheduler.errors import NotFoundError
from scheduler.model.types import Values


def named(folder: Path) -> str:
    """Name and version, as a release's status has them: `scoring-pipeline-0.1.0`; NotFoundError without a chart."""
    metadata = _read(folder / "Chart.yaml")
    return f"{metadata.get('name', folder.name)}-{metadata.get('version', '0')}"


def defaults(folder: Path) -> Values:
    """The values that it has of its own, those of its sub-charts left out."""
    return _read(folder / "values.yaml")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFoundError(f"there is no chart in {path.parent}: {path.name}: {error.strerror}") from error
    return found if isinstance(found, dict) else {}
