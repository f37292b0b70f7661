"""What is not built yet and must stay possible: the five doors of the design, each held open from end to end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from scheduler import assets, names
from scheduler.errors import InvalidInputError
from scheduler.flow import config
from scheduler.ir import load
from scheduler.jobs import submit
from scheduler.preprocess import flow
from scheduler.preprocess.channels import Channels
from scheduler.preprocess.parameters import Parameters
from scheduler.preprocess.services import Candidate
from scheduler.settings import Globals
from tests.charts import render
from tests.golden import cases
from tests.unit import world
from tests.unit.ir.test_doors import MODEL, SHORT, Short
from tests.unit.preprocess.pipelines import MODEL as MODEL_OF_STEP
from tests.unit.preprocess.pipelines import PIPELINE, REJECTS, SINK, SOURCE

CASE = cases.read("flight-delay")


def test_a_front_ends_other_dialect_is_an_ir_like_any_other() -> None:
    """Its positions, problems and limits: tests/unit/ir/test_doors.py."""
    deployed = MODEL.replace("celsius.pmml", f"celsius.pmml, sha256: {'a' * 64}")
    loaded = load.from_text(f"{SHORT}---\n{deployed}", front_ends=[Short()])

    assert loaded == load.from_documents(loaded.documents)
    assert loaded.pipeline.name == "celsius"


@pytest.mark.helm
def test_b_the_environment_of_every_container_may_come_from_a_secret() -> None:
    wanted = {"name": "LICENCE_KEY", "valueFrom": {"secretKeyRef": {"name": "licence", "key": "key"}}}
    found = {
        container["name"]: wanted in container["env"]
        for manifest in render.job(cases.resolved(CASE).values)
        if manifest["kind"] in {"Job", "Deployment"}
        for container in manifest["spec"]["template"]["spec"]["containers"]
    }

    assert found == {"flow": True, "server": True}


@pytest.mark.helm
@pytest.mark.parametrize(
    ("chart", "container", "path"),
    [
        ("scheduling-server", "server", ("env",)),
        ("modelops-server", "server", ("env",)),
        ("scoring-server-python", "server", ("env",)),
        ("scoring-server-python", "download", ("download", "env")),
        ("scoring-server-pmml", "server", ("env",)),
        ("scoring-server-pmml", "download", ("download", "env")),
        ("scoring-flow", "flow", ("flow", "env")),
    ],
)
def test_b_every_chart_takes_the_environment_of_each_container_from_secrets(
    chart: str, container: str, path: tuple[str, ...]
) -> None:
    where = assets.subchart(chart)
    values: dict[str, Any] = render.ci_values(where, "everything")
    at = values
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = [{"name": "LICENCE_KEY", "secretRef": {"name": "licence", "key": "key"}}]
    has_job = bool(values["global"].get("job"))
    release, namespace = (render.JOB, "staging") if has_job else ("modelops", "modelops")
    rendered = render.chart(where, values=values, release=release, namespace=namespace)
    found = {
        one["name"]: [item for item in one["env"] if item["name"] == "LICENCE_KEY"]
        for _, template in render.pod_templates(rendered)
        for one in render.containers(template["spec"])
    }
    taken = {"name": "LICENCE_KEY", "valueFrom": {"secretKeyRef": {"name": "licence", "key": "key"}}}
    assert found[container] == [taken]
    assert [name for name, items in found.items() if items] == [container]


@pytest.mark.helm
def test_b_there_is_no_container_that_the_test_above_forgets() -> None:
    tried = {"server", "download", "flow"}
    every = {
        container["name"]
        for path in render.CHARTS
        if path != render.PLATFORM
        for file in render.ci_files(path)
        for _, template in render.pod_templates(render.ci_objects(file))
        for container in render.containers(template["spec"])
    }
    assert every == tried


def test_c_the_version_of_a_sources_data_reaches_values_digests_and_manifest() -> None:
    versioned, plain = cases.resolved(CASE), cases.resolved(replace(CASE, request=without("dataVersions")))
    version = {"flights": "2013-12-31"}

    assert noted(versioned)["dataVersions"] == version
    assert [channel.get("dataVersion") for channel in versioned.values["data-channel"]["channels"]] == [
        None,
        version["flights"],
        None,
    ]
    assert versioned.values_digest != plain.values_digest
    assert noted(versioned)["digests"]["values"] == versioned.values_digest
    # tests/flow/test_run.py shows the sink's manifest that the flow runner makes of this
    assert config.parse(dict(versioned.flows[0].runner)).data_version == version["flights"]


def test_d_where_a_score_step_leads_is_decided_by_its_route_alone() -> None:
    """A list of candidates with weights stands behind the name; a second one is refused by name until it is built."""
    other = Candidate(model=replace(MODEL_OF_STEP, name="delay-2"), url="http://elsewhere:8080", weight=10)
    first = Candidate(model=MODEL_OF_STEP, url="http://here:8080", weight=90)

    assert scored_by(first) == {"model": "delay", "url": "http://here:8080"}
    assert scored_by(other) == {"model": "delay-2", "url": "http://elsewhere:8080"}
    with pytest.raises(InvalidInputError, match="2 candidates; exactly one is built so far"):
        scored_by(first, other)


def test_e_an_opaque_trigger_is_kept_in_the_job() -> None:
    here, trigger = world.build(), {"kind": "commit", "id": [1, {"x": None}]}

    made = submit.submit(world.order(trigger=trigger), key="k", by="ada", ports=here.ports)

    (run,) = here.runs()
    assert made.job.submission.trigger == trigger
    assert json.loads(run["metadata"]["annotations"][names.JOB])["trigger"] == trigger


def scored_by(*route: Candidate) -> dict[str, str]:
    """What the score step of one and the same pipeline calls, when this route stands behind its model's name."""
    compiled = flow.compile_(
        PIPELINE,
        ends=Channels(source=SOURCE, sink=SINK, dead_letters=REJECTS),
        routes={"delay": route},
        parameters=Parameters(pipeline={}, flows={PIPELINE.flows[0].name: {"threshold": 0.5}}),
        globals_=Globals(),
        release=render.JOB,
    )
    (step,) = [item for item in yaml.safe_load(compiled.engine)["pipeline"]["processors"] if "modelops_score" in item]
    return {key: step["modelops_score"][key] for key in ("model", "url")}


def without(key: str) -> Mapping[str, Any]:
    return {name: value for name, value in CASE.request.items() if name != key}


def noted(made: Any) -> dict[str, Any]:
    """What the run says of the job."""
    found: dict[str, Any] = json.loads(cases.run(CASE, made)["metadata"]["annotations"][names.JOB])
    return found
