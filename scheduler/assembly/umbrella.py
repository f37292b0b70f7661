"""The three files of the chart `scoring-pipeline` that name sub-charts, and the platform's list of them. Pure.

What a job's charts share (`global`) is written by hand; everything below the mark is made from the sub-charts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from scheduler.assembly.subchart import SubChart

MARK: Final = "# made by `python -m scheduler.assembly` from the charts with a job face; a test compares\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Of one chart."""

    chart: str
    """Chart.yaml"""
    values: str
    """values.yaml"""
    schema: str
    """values.schema.json"""


def updated(given: Texts, subcharts: Sequence[SubChart]) -> Texts:
    """The chart with exactly those sub-charts that have a job face; ValueError when a text has lost its mark."""
    of_job = [chart for chart in subcharts if "job" in chart.faces]
    return Texts(
        chart=_above(given.chart, "Chart.yaml") + "dependencies:\n" + "".join(map(_dependency, of_job)),
        values=_above(given.values, "values.yaml") + "\n".join(map(_switch, of_job)),
        schema=_schema(json.loads(given.schema), of_job),
    )


def listed(subcharts: Sequence[SubChart]) -> str:
    """The names of all sub-charts, switched on or off, as YAML."""
    names = [chart.name for chart in subcharts if chart.name != "common"]
    return "# made by `python -m scheduler.assembly` from Chart.yaml; a test compares\n" + "".join(
        f"- {name}\n" for name in names
    )


def _above(text: str, what: str) -> str:
    before, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"{what} of scoring-pipeline has lost its line {MARK.strip()!r}")
    return before + mark


def _dependency(chart: SubChart) -> str:
    return (
        f"  - name: {chart.name}\n"
        f"    version: {json.dumps(chart.version)}\n"
        f"    repository: file://../{chart.name}\n"
        f"    condition: {chart.name}.enabled\n"
    )


def _switch(chart: SubChart) -> str:
    about = "a model of the job needs it" if chart.is_server else "the job has it"
    return f"{chart.name}:\n  # -- Whether {about}.\n  enabled: {'false' if chart.is_server else 'true'}\n"


def _schema(given: dict[str, Any], charts: Sequence[SubChart]) -> str:
    shared = given["properties"]["global"]
    given["properties"] = {"global": shared, **{chart.name: _of_values(chart) for chart in charts}}
    return json.dumps(given, indent=2) + "\n"


def _of_values(chart: SubChart) -> dict[str, Any]:
    switch = {"description": "Whether an umbrella chart takes this chart in.", "type": "boolean"}
    return {
        "description": f"Values of the chart {chart.name}, checked by its own schema.",
        "type": "object",
        "properties": {"enabled": switch},
    }
