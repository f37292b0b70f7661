"""Looking channels up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from scheduler import expressions
from scheduler.model.pipeline import DataChannel, Field, FieldType, RecordSchema, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.preprocess import channels

from .pipelines import FLIGHT, PIPELINE, REJECTS, SCORED, SINK, SOURCE

SCOPE: expressions.Scope = {"parameters": {"year": 2013, "up": "../other.csv"}, "globals": {"logLevel": "info"}}


def resolve(
    registry: Sequence[DataChannel],
    pipeline: ScoringPipeline = PIPELINE,
    data_versions: Mapping[str, str] | None = None,
) -> tuple[channels.Channels | None, tuple[Problem, ...]]:
    return channels.resolve(
        pipeline,
        registry=registry,
        data_versions=data_versions or {},
        own_scope=SCOPE,
        registry_scope={"parameters": {}, "globals": SCOPE["globals"]},
    )


def test_channels_come_from_the_ir_first_and_then_from_the_registry() -> None:
    other_rejects = replace(REJECTS, config={**REJECTS.config, "path": "other.jsonl"})

    found, problems = resolve([SOURCE, SINK, other_rejects])

    assert problems == ()
    assert found == channels.Channels(source=SOURCE, sink=SINK, dead_letters=REJECTS)


def test_a_missing_channel_lists_those_that_would_fit_nearest_first() -> None:
    flight = replace(SOURCE, name="flight")
    _, problems = resolve([replace(SOURCE, name="arrivals"), flight, SINK])

    assert problems == (
        Problem(
            message="no data channel is named 'flights' in the pipeline or its environment",
            document="ScoringPipeline/flight-delay",
            pointer="/spec/source/channel",
            candidates=("flight (source, file, schema flight)", "arrivals (source, file, schema flight)"),
        ),
    )


def test_when_nothing_fits_whatever_there_is_is_listed() -> None:
    bare = replace(PIPELINE, channels=(), dead_letters=None)
    _, problems = resolve([], bare)

    assert [problem.candidates for problem in problems] == [(), ()]

    _, problems = resolve([SINK], bare)

    assert problems[0].candidates == ("delays (sink, file, schema scored-flight)",)


def test_the_irs_own_channels_are_candidates_too_and_hide_others_of_their_name() -> None:
    own = replace(SOURCE, name="flihgts")
    _, problems = resolve([own, SINK], replace(PIPELINE, channels=(REJECTS, own)))

    assert [problem.candidates for problem in problems] == [("flihgts (source, file, schema flight)",)]


def test_a_channel_of_the_wrong_direction_says_so() -> None:
    _, problems = resolve([replace(SOURCE, direction="sink"), SINK])

    assert problems[0].message == "data channel 'flights' is a sink; a source is needed"


def test_a_schema_that_does_not_fit_is_told_field_by_field() -> None:
    other = RecordSchema(
        name="flight-2",
        fields=(
            Field(name="carrier", type=FieldType.STRING, nullable=True),
            Field(name="distance", type=FieldType.STRING),
        ),
    )
    _, problems = resolve([replace(SOURCE, schema=other), SINK])

    assert problems[0].message == (
        "data channel 'flights' has schema 'flight-2', flow 'score-flights' reads 'flight': "
        "'carrier' may be null, 'distance' is string, not double"
    )


def test_a_sink_may_not_want_what_the_flow_does_not_give() -> None:
    more = replace(SCORED, fields=(*SCORED.fields, Field(name="reason", type=FieldType.STRING, required=True)))
    _, problems = resolve([SOURCE, replace(SINK, schema=more)])

    assert "flow 'score-flights' writes 'scored-flight': 'reason' is missing" in problems[0].message


def test_a_channel_fits_like_the_loader_says_wider_types_and_optional_fields() -> None:
    given = RecordSchema(
        name="raw",
        fields=(
            Field(name="carrier", type=FieldType.STRING, required=True),
            Field(name="distance", type=FieldType.INT32, required=True),
        ),
    )
    optional = replace(FLIGHT, fields=(*FLIGHT.fields, Field(name="tail", type=FieldType.STRING)))
    flow = replace(PIPELINE.flows[0], input=optional)

    assert resolve([replace(SOURCE, schema=given), SINK], replace(PIPELINE, flows=(flow,)))[1] == ()


def test_two_channels_of_one_name_that_fit_are_ambiguous() -> None:
    elsewhere = replace(SOURCE, config={**SOURCE.config, "volume": "archive"})
    _, problems = resolve([SOURCE, elsewhere, SINK])

    assert problems[0].message == "'flights' is ambiguous: 2 source channels of that name fit"
    assert len(problems[0].candidates) == 2


def test_schema_and_direction_decide_between_channels_of_one_name() -> None:
    found, problems = resolve([SOURCE, replace(SOURCE, direction="sink"), SINK])

    assert problems == ()
    assert found is not None
    assert found.source == SOURCE


def test_a_type_that_is_not_built_is_refused_by_name() -> None:
    _, problems = resolve([replace(SOURCE, type="kafka"), SINK])

    assert (
        problems[0].message
        == "data channel 'flights' is of type 'kafka', which is not built yet (built: 'file', 'test')"
    )


def test_the_irs_own_channels_see_parameters() -> None:
    own = replace(SOURCE, config={**SOURCE.config, "path": "{{ parameters.year }}/flights.csv"})

    found, problems = resolve([SINK], replace(PIPELINE, channels=(REJECTS, own)))

    assert problems == ()
    assert found is not None
    assert found.source.config["path"] == "2013/flights.csv"


def test_a_registered_channel_belongs_to_no_pipeline_and_sees_globals_only() -> None:
    registered = replace(SOURCE, config={**SOURCE.config, "path": "{{ parameters.year }}.csv"})

    _, problems = resolve([registered, SINK])

    assert [(problem.message, problem.pointer) for problem in problems] == [
        ("no parameter is named 'year'", "/spec/source/channel")
    ]


@pytest.mark.parametrize(
    ("key", "text"),
    [("path", "{{ parameters.up }}"), ("path", "/etc/passwd"), ("path", "a/"), ("path", ""), ("volume", "Data/..")],
)
def test_a_parameter_cannot_lead_out_of_the_volume(key: str, text: str) -> None:
    own = replace(SOURCE, config={**SOURCE.config, key: text})

    found, problems = resolve([SINK], replace(PIPELINE, channels=(REJECTS, own)))

    assert found is None
    assert [problem.pointer for problem in problems] == [f"/spec/config/{key}"]


def test_no_two_ends_share_a_file() -> None:
    _, problems = resolve([SOURCE, replace(SINK, config={**SINK.config, "path": "./flights.csv"})])

    assert [(problem.pointer, problem.message) for problem in problems] == [
        (
            "/spec/sink/channel",
            "'delays' is the file 'flights.csv' on volume 'data', and so is the source; each needs its own",
        )
    ]


def test_ends_whose_place_is_not_known_are_not_compared() -> None:
    unknown = [replace(end, config={**end.config, "path": "{{ parameters.unset }}.csv"}) for end in (SOURCE, SINK)]

    _, problems = resolve([], replace(PIPELINE, channels=(REJECTS, *unknown)))

    assert [problem.message for problem in problems] == ["no parameter is named 'unset'"] * 2


def test_the_jobs_data_version_beats_the_channels() -> None:
    versioned = replace(SOURCE, data_version="v1")

    found, _ = resolve([versioned, SINK], data_versions={"flights": "v2"})

    assert found is not None
    assert found.source.data_version == "v2"


def test_only_the_source_has_a_data_version() -> None:
    _, problems = resolve([SOURCE, SINK], data_versions={"delays": "v2"})

    assert [(problem.pointer, problem.candidates) for problem in problems] == [("/dataVersions/delays", ("flights",))]


def test_a_source_may_have_more_fields_than_are_read() -> None:
    wider = replace(FLIGHT, fields=(*FLIGHT.fields, Field(name="tail", type=FieldType.STRING)))

    assert resolve([replace(SOURCE, schema=wider), SINK])[1] == ()


def test_the_mode_decides_whether_a_source_is_followed() -> None:
    """Of two registered sources each mode lists the other as what would be right."""
    live = replace(SOURCE, name="live", config={**SOURCE.config, "follow": True})
    streaming = replace(PIPELINE, mode="streaming")

    _, problems = resolve([SOURCE, live, SINK], streaming)
    assert [problem.message for problem in problems] == [
        (
            "data channel 'flights' is read once, and mode 'streaming' follows a source that grows: "
            "set 'follow: true' in its config"
        )
    ]
    assert problems[0].candidates == ("live (source, file, schema flight)",)

    _, problems = resolve([replace(live, name="flights"), SINK])
    assert "'follow: true' is for mode 'streaming'" in problems[0].message

    found, problems = resolve([replace(live, name="flights"), SOURCE, SINK], streaming)
    assert (found.source.config["follow"] if found else None, problems) == (True, ())


def test_ends_that_are_made_up_and_checked_share_no_file() -> None:
    given = {"seed": 1, "count": 5, "rate": 0, "badShare": 0}
    source, sink = replace(SOURCE, type="test", config=given), replace(SINK, type="test", config={})
    rejects = replace(REJECTS, type="test", config={})

    found, problems = resolve([source, sink], replace(PIPELINE, channels=(rejects,)))

    assert problems == ()
    assert found == channels.Channels(source=source, sink=sink, dead_letters=rejects)


def test_a_batch_finds_no_source_without_end() -> None:
    given = {"seed": 1, "count": 0, "rate": 0, "badShare": 0}

    _, problems = resolve([replace(SOURCE, type="test", config=given), SINK])

    assert problems[0].message == (
        "data channel 'flights' has no end, and mode 'batch' reads a source to its end: give it a 'count'"
    )
