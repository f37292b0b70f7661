"""The job's chart holds the sub-charts with a job face, and what was written by hand stays."""

from __future__ import annotations

import json

import pytest
import yaml

from scheduler.assembly import umbrella
from scheduler.assembly.subchart import SubChart
from scheduler.assembly.umbrella import MARK, Texts

GIVEN = Texts(
    chart=f"name: scoring-pipeline\n{MARK}dependencies:\n  - name: gone\n",
    values=f"global:\n  # -- Shared.\n  render: job\n{MARK}gone:\n  enabled: true\n",
    schema=json.dumps({"properties": {"global": {"type": "object"}, "gone": {}}, "additionalProperties": False}),
)
FLOW = SubChart(name="flow", version="1.0.0", description="", faces=frozenset({"job"}))
SERVER = SubChart(name="server", version="0.2.0", description="", faces=frozenset({"builds", "job"}), is_server=True)
OTHER = SubChart(name="other", version="3.0.0", description="", faces=frozenset({"applications"}))


def test_charts_with_a_job_face_are_dependencies_in_the_platforms_order() -> None:
    made = umbrella.updated(GIVEN, [SERVER, OTHER, FLOW])

    assert yaml.safe_load(made.chart) == {
        "name": "scoring-pipeline",
        "dependencies": [
            {"name": "server", "version": "0.2.0", "repository": "file://../server", "condition": "server.enabled"},
            {"name": "flow", "version": "1.0.0", "repository": "file://../flow", "condition": "flow.enabled"},
        ],
    }


def test_a_scoring_server_is_off_until_a_model_needs_it() -> None:
    made = umbrella.updated(GIVEN, [SERVER, FLOW])

    assert yaml.safe_load(made.values) == {
        "global": {"render": "job"},
        "server": {"enabled": False},
        "flow": {"enabled": True},
    }


def test_the_schema_stays_closed_around_them() -> None:
    schema = json.loads(umbrella.updated(GIVEN, [SERVER, FLOW]).schema)

    assert list(schema["properties"]) == ["global", "server", "flow"]
    assert schema["additionalProperties"] is False
    assert all(part["description"] for name, part in schema["properties"].items() if name != "global")


def test_what_was_made_is_made_again_to_the_byte() -> None:
    made = umbrella.updated(GIVEN, [SERVER, FLOW])

    assert umbrella.updated(made, [SERVER, FLOW]) == made


def test_a_text_without_its_mark_is_left_alone() -> None:
    with pytest.raises(ValueError, match=r"Chart.yaml of scoring-pipeline has lost its line"):
        umbrella.updated(Texts(chart="name: x\n", values=GIVEN.values, schema=GIVEN.schema), [FLOW])
