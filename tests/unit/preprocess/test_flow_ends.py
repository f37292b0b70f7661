"""Channels of type `test` at the ends of a compiled flow; the golden job `test-data` shows a whole one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from scheduler.model.pipeline import DataChannel, Field, FieldType, RecordSchema
from scheduler.preprocess import flow_ends
from tests.unit.preprocess.test_flow import FLIGHT, SCORED, channel, compiled

SOURCE = DataChannel(
    name="made-up",
    direction="source",
    type="test",
    schema=replace(FLIGHT, fields=(*FLIGHT.fields, Field(name="tail", type=FieldType.STRING))),
    config={"seed": 7, "count": 500, "rate": 2.5, "badShare": 0.25},
    data_version="v7",
)
ENDLESS = replace(SOURCE, config={**SOURCE.config, "count": 0})
SINK = DataChannel(name="checked", direction="sink", type="test", schema=SCORED, config={})
REJECTS = replace(SINK, name="rejects", schema=RecordSchema(name="r", fields=()))


def test_a_source_makes_up_records_of_the_channels_own_schema() -> None:
    made = compiled(source=SOURCE)
    told: dict[str, Any] = yaml.safe_load(made.engine)
    given = told["input"]["modelops_test"]
    assert [field["name"] for field in given.pop("fields")] == ["carrier", "hour", "stops", "plane", "tail"]
    assert given == {
        "seed": 7, "count": 500, "rate": 2.5, "bad_share": 0.25, "rows": 64, "period": "50ms", "in_flight": 8,
    }  # fmt: skip
    decode = told["pipeline"]["processors"][0]["modelops_decode"]
    assert decode["format"] == "json-lines"
    assert [field["name"] for field in decode["fields"]] == [field.name for field in FLIGHT.fields]
    assert made.runner["source"] == {"type": "test", "count": 500, "dataVersion": "v7"}


def test_a_source_without_end_is_followed() -> None:
    made = compiled(source=ENDLESS)
    assert made.runner["source"] == {"type": "test", "count": 0, "dataVersion": "v7", "follow": True}
    assert yaml.safe_load(made.engine)["output"]["modelops_file"]["flush"] is True


@pytest.mark.parametrize(
    "dead_letters", [None, REJECTS, channel("rejects", format="csv")], ids=["none", "test", "file"]
)
def test_a_sink_has_no_path_whatever_the_dead_letters_have(dead_letters: DataChannel | None) -> None:
    made = compiled(sink=SINK, dead_letters=dead_letters)
    told: dict[str, Any] = yaml.safe_load(made.engine)
    output = told["output"]["modelops_test"]
    assert not {"path", "compression"} & output.keys()
    assert told["pipeline"]["processors"][-1]["modelops_encode"]["format"] == "json-lines"
    assert made.runner["sink"] == {"type": "test", "irDigest": "sha256:1"}
    if dead_letters is None:
        assert "dead_letters" not in output
    elif dead_letters is REJECTS:
        assert output["dead_letters"] == {"format": "json-lines"}
        assert made.runner["deadLetters"] == {"type": "test", "maxRatio": 0.01}
    else:
        assert output["dead_letters"]["path"] == "/data/data/rejects.csv"


def test_a_file_beside_dead_letters_that_are_only_counted() -> None:
    output = yaml.safe_load(compiled(dead_letters=REJECTS).engine)["output"]["modelops_file"]
    assert (output["path"], output["dead_letters"]) == ("/data/data/delays.csv", {"format": "json-lines"})


def test_only_files_need_a_claim() -> None:
    other = channel("delays", volume="archive")
    assert flow_ends.claims([SOURCE, SINK, REJECTS]) == []
    assert flow_ends.claims([SOURCE, other, channel("rejects")]) == ["archive", "data"]
