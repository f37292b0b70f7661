"""From pipeline and request to Values."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.model.pipeline import DataChannel, Field, FieldType, RecordSchema, SecretRef
from scheduler.preprocess import resolve, values_text
from scheduler.preprocess.resolve import Request, ScoringServer

from .pipelines import DELAY_INPUT, MODEL, PIPELINE, SINK, SOURCE

JOB = "j" + "a" * 20
DIGEST = "@sha256:" + "0" * 64
REQUEST = Request(
    job_id=JOB,
    environment="staging",
    registry=(SOURCE, SINK),
    images={
        "streaming-runtime": f"modelops/streaming-runtime{DIGEST}",
        "scoring-server-pmml": f"modelops/scoring-server-pmml{DIGEST}",
        "scoring-server-python": f"modelops/scoring-server-python{DIGEST}",
    },
    scoring_servers=(
        ScoringServer(chart="scoring-server-python", types=("python-script", "python-binary")),
        ScoringServer(chart="scoring-server-pmml", types=("pmml",)),
    ),
    revision=3,
    ir_digest="sha256:" + "1" * 64,
)


def test_every_sub_chart_is_given_its_part() -> None:
    values = resolve.values(PIPELINE, request=REQUEST).values

    assert sorted(values) == ["data-channel", "global", "scoring-flow", "scoring-server-pmml", "scoring-server-python"]
    assert values["global"]["job"] == {
        "id": JOB,
        "environment": "staging",
        "pipeline": "flight-delay",
        "revision": 3,
        "mode": "batch",
        "irDigest": "sha256:" + "1" * 64,
    }
    assert sorted(values["global"]["images"]) == ["scoring-server-pmml", "streaming-runtime"]
    assert values["scoring-server-pmml"]["models"] == [
        {
            "name": "delay",
            "type": "pmml",
            "sha256": "a" * 64,
            "inputs": [
                {"name": "distance", "datatype": "FP64"},
                {"name": "carrier", "datatype": "BYTES", "nullable": True},
            ],
            "outputs": [{"name": "probability", "datatype": "FP64"}],
        }
    ]
    assert values["scoring-server-python"] == {"enabled": False, "models": [], "env": []}
    flow = values["scoring-flow"]["flow"]
    assert flow["services"] == [{"name": f"{JOB}-pmml-6e16db10", "model": "delay"}]
    assert flow["volumes"] == [{"name": "data", "claim": "data", "readOnly": False}]
    assert [channel["name"] for channel in values["data-channel"]["channels"]] == ["delays", "flights", "rejects"]


def test_equal_input_gives_equal_bytes_in_whatever_order_it_comes() -> None:
    first = resolve.values(PIPELINE, request=REQUEST)
    shuffled = random.Random(7)
    registry, servers = list(REQUEST.registry), list(REQUEST.scoring_servers)
    shuffled.shuffle(registry)
    servers.reverse()
    images = dict(reversed(list(REQUEST.images.items())))
    other = replace(REQUEST, registry=registry, scoring_servers=servers, images=images)

    second = resolve.values(PIPELINE, request=other)

    assert second.values_text == first.values_text
    assert second.values_digest == first.values_digest
    assert values_text.from_yaml(first.values_text) == first.values


def test_the_problems_of_all_stages_come_at_once() -> None:
    pipeline = replace(PIPELINE, models=(replace(MODEL, type="statistica-c"),))
    request = replace(
        REQUEST, registry=(), parameters={"treshold": 1}, deadlines={"run": 0}, images={}, data_versions={"x": "1"}
    )

    with pytest.raises(InvalidInputError) as failure:
        resolve.values(pipeline, request=request)

    assert failure.value.summary == "pipeline 'flight-delay' cannot run like this: 7 problems"
    assert [problem.pointer for problem in failure.value.problems] == [
        "/deadlines/run",
        "/parameters/treshold",
        "/dataVersions/x",
        "/spec/source/channel",
        "/spec/sink/channel",
        "/spec/type",
        "/images/streaming-runtime",
    ]
    assert "streaming-runtime.enabled: true" in failure.value.problems[-1].message


def test_texts_are_checked_even_when_the_flow_cannot_be_compiled() -> None:
    pipeline = replace(PIPELINE, parameters=())

    with pytest.raises(InvalidInputError) as failure:
        resolve.values(pipeline, request=replace(REQUEST, registry=(SOURCE,)))

    assert [(problem.document, problem.message) for problem in failure.value.problems] == [
        ("ScoringPipeline/flight-delay", "no data channel is named 'delays' in the pipeline or its environment"),
        ("ScoringFlow/score-flights", "no parameter is named 'threshold'"),
    ]


def test_the_environment_of_scoring_containers_may_come_from_secrets() -> None:
    pipeline = replace(PIPELINE, environment_variables={"LICENCE": SecretRef(name="licence", key="key")})

    values = resolve.values(pipeline, request=REQUEST).values

    expected = [{"name": "LICENCE", "secretRef": {"name": "licence", "key": "key"}}]
    assert values["scoring-flow"]["flow"]["env"] == expected
    assert values["scoring-server-pmml"]["env"] == expected


def test_memory_that_an_author_asks_for_is_guaranteed_and_the_limit() -> None:
    pipeline = replace(PIPELINE, memory="4Gi", models=(replace(MODEL, memory="8Gi"),))
    values = resolve.values(pipeline, request=REQUEST).values
    assert values["scoring-flow"]["resources"] == {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}
    assert [model["memory"] for model in values["scoring-server-pmml"]["models"]] == ["8Gi"]

    usual = resolve.values(PIPELINE, request=REQUEST).values
    assert "resources" not in usual["scoring-flow"]
    assert "memory" not in usual["scoring-server-pmml"]["models"][0]


def test_a_data_version_travels_into_values_digest_and_manifest() -> None:
    plain = resolve.values(PIPELINE, request=REQUEST)
    versioned = resolve.values(PIPELINE, request=replace(REQUEST, data_versions={"flights": "2013-12-31"}))

    assert versioned.data_versions == {"flights": "2013-12-31"}
    assert versioned.values["scoring-flow"]["flow"]["runner"]["source"]["dataVersion"] == "2013-12-31"
    assert versioned.values["data-channel"]["channels"][1]["dataVersion"] == "2013-12-31"
    assert versioned.values_digest != plain.values_digest


def test_deadlines_of_the_job_reach_the_runner() -> None:
    resolved = resolve.values(PIPELINE, request=replace(REQUEST, deadlines={"run": 77}))

    assert resolved.deadlines.run_seconds == 77
    assert resolved.values["scoring-flow"]["flow"]["runner"]["runSeconds"] == 77


def test_a_parameter_reaches_the_engine_as_a_literal_only() -> None:
    attack = {"threshold": 0.25}

    engine = resolve.values(PIPELINE, request=replace(REQUEST, parameters=attack)).flows[0].engine

    assert "root.late = this.probability >= 0.25" in engine


def test_a_volume_that_is_only_read_is_mounted_for_reading() -> None:
    def elsewhere(channel: DataChannel) -> DataChannel:
        return replace(channel, config={**channel.config, "volume": "archive.2013"})

    values = resolve.values(PIPELINE, request=replace(REQUEST, registry=(elsewhere(SOURCE), SINK))).values

    assert values["scoring-flow"]["flow"]["volumes"] == [
        {"name": "b46a9d51", "claim": "archive.2013", "readOnly": True},
        {"name": "data", "claim": "data", "readOnly": False},
    ]


def test_more_than_fits_into_a_config_map_is_refused() -> None:
    with pytest.raises(TooLargeError, match="at most 900 KiB"):
        resolve.values(PIPELINE, request=replace(REQUEST, ir_bytes=900 * 1024))


def test_values_hold_no_references_between_their_parts() -> None:
    wide = RecordSchema(
        name="delay-input", fields=(*DELAY_INPUT.fields, Field(name="hour", type=FieldType.INT32, nullable=True))
    )
    models = (replace(MODEL, inputs=wide),)

    text = resolve.values(replace(PIPELINE, models=models), request=REQUEST).values_text

    assert "&id" not in text
    assert json.loads(json.dumps(values_text.from_yaml(text))) == values_text.from_yaml(text)
