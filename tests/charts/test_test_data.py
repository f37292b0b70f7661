"""The chart test-data: what it registers is what the registry reads, and the job of its README runs on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from scheduler import assets, names
from scheduler.channels import registry
from scheduler.channels.registry import Entry
from scheduler.ir import load
from scheduler.model.pipeline import DataChannel
from scheduler.model.types import Manifest
from scheduler.preprocess import resolve
from tests.charts import render

pytestmark = pytest.mark.helm

CHART = assets.subchart("test-data")


def smoke() -> list[dict[str, Any]]:
    """The IR of the README."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    return list(yaml.safe_load_all(text))


def rendered(values: Mapping[str, Any]) -> tuple[Manifest, ...]:
    return render.chart(CHART, values=values, release="modelops", namespace="modelops")


def entries(manifests: tuple[Manifest, ...]) -> list[Entry]:
    """As the registry reads them from the cluster."""
    return [
        registry.entry_of({**found, "metadata": {**found["metadata"], "resourceVersion": "1"}}) for found in manifests
    ]


def channels(values: Mapping[str, Any]) -> list[DataChannel]:
    found = entries(rendered(values))
    assert [entry.problem for entry in found] == [""] * len(found)
    return [entry.loaded.channel for entry in found if entry.loaded]


def test_a_thousand_records_and_a_check_in_every_environment() -> None:
    values = {"global": {"render": "builds", "environments": ["staging", "production"]}}
    objects = rendered(values)
    assert [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in objects] == [
        (namespace, names.channel_object(name))
        for namespace in ("staging", "production")
        for name in ("test-source", "test-sink")
    ]
    source, sink, *_ = channels(values)
    assert (source.direction, source.type, source.config) == (
        "source",
        "test",
        {"seed": 1, "count": 1000, "rate": 0, "badShare": 0},
    )
    assert (sink.direction, sink.type, sink.config, sink.schema) == ("sink", "test", {}, source.schema)
    assert [field.name for field in source.schema.fields] == ["id", "value", "text"]


def test_everything_can_be_set() -> None:
    source, sink = channels(render.ci_values(CHART, "everything"))
    assert (source.name, sink.name) == ("made-up", "checked")
    assert source.config == {"seed": 7, "count": 5000, "rate": 250.5, "badShare": 0.01}
    assert [field.name for field in source.schema.fields] == ["number", "name"]


@pytest.mark.parametrize("count", [999_999, 1_000_000, 2**53 - 1])
def test_large_counts_keep_their_digits(count: int) -> None:
    """helm reads every number as a double."""
    values = render.ci_values(CHART, "minimal")
    source, _ = channels({**values, "source": {"count": count, "seed": count}})
    assert (source.config["count"], source.config["seed"]) == (count, count)


@pytest.mark.parametrize("face", ["applications", "job"])
def test_no_other_face_renders_anything(face: str) -> None:
    values = render.ci_values(CHART, "everything")
    values["global"]["render"] = face
    assert rendered(values) == ()


def test_it_is_refused_with_all_that_is_wrong() -> None:
    values = render.ci_values(CHART, "everything")
    values["environments"] = ["nowhere", "staging"]
    values["sink"]["name"] = values["source"]["name"]
    with pytest.raises(render.RefusedError) as refused:
        rendered(values)
    lines = [line.strip() for line in str(refused.value).splitlines() if line.startswith("  ")]
    assert [line.split(" ", 1)[0] for line in lines] == ["environments[0]:", "sink.name:"]


def test_the_job_of_the_readme_needs_neither_volume_nor_model() -> None:
    loaded = load.from_documents(smoke())
    digest = "a" * 64
    request = resolve.Request(
        job_id=render.JOB,
        environment="staging",
        registry=channels(render.ci_values(CHART, "minimal")),
        images={"streaming-runtime": f"modelops/streaming-runtime@sha256:{digest}"},
        scoring_servers=(),
        ir_digest=f"sha256:{digest}",
    )
    objects = render.job(resolve.values(loaded.pipeline, request=request).values)
    pod = render.one(objects, "Job", names.flow(render.JOB))["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["config", "scratch", "tmp"]
    assert [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]] == [
        "/etc/modelops/flow",
        "/scratch",
        "/tmp",
    ]
    runner = json.loads(render.one(objects, "ConfigMap", names.flow(render.JOB))["data"]["runner.json"])
    assert runner["source"] == {"type": "test", "count": 1000, "dataVersion": ""}
    assert render.of_kind(objects, "Deployment") == ()
