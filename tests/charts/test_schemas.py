"""Schemas of the charts: closed, described, and in step with values.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler import assets
from scheduler.images import references, step
from tests.charts import render, schemas

WITH_VALUES = tuple(path for path in render.CHARTS if path.name != "common")
CHECKED_ELSEWHERE = (
    "checked by its own schema",  # an umbrella's sub-charts
    "checks it",  # documents of the IR, the runner's input, objects of Kubernetes
    "it has no values",  # the library chart
    "what belongs to its type",  # a channel's record
)
"""Words in the description of the schemas that are open on purpose."""


def ids(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("chart", WITH_VALUES, ids=ids)
def test_every_value_is_described(chart: Path) -> None:
    bare = [path for path, node in schemas.nodes(schemas.of(chart)) if not node.get("description")]
    assert bare == []


@pytest.mark.parametrize("chart", WITH_VALUES, ids=ids)
def test_every_object_is_closed_unless_something_else_checks_it(chart: Path) -> None:
    open_ = [
        path
        for path, node in schemas.nodes(schemas.of(chart))
        if "object" in node.get("type", "")
        and "additionalProperties" not in node
        and not any(words in node["description"] for words in CHECKED_ELSEWHERE)
    ]
    assert open_ == []


def test_the_globals_are_the_same_in_every_chart() -> None:
    first, *others = (schemas.of(chart)["properties"]["global"] for chart in WITH_VALUES)
    assert [other for other in others if other != first] == []


def test_the_base_of_builds_is_a_reference_as_the_programs_take_it() -> None:
    build = schemas.of(render.PLATFORM)["properties"]["global"]["properties"]["build"]["properties"]
    assert build["base"]["pattern"] == f"^({references.WHOLE})?$"


def test_the_builds_are_the_same_in_every_chart_and_their_paths_as_the_programs_take_them() -> None:
    first, *others = (found for chart in WITH_VALUES if (found := schemas.of(chart)["properties"].get("builds")))
    assert [other for other in others if other != first] == []
    properties = first["items"]["properties"]
    paths = (properties["containerfile"], properties["context"]["items"])
    assert [path["pattern"] for path in paths] == [f"^{step.PATH}$"] * 2


@pytest.mark.parametrize("chart", WITH_VALUES, ids=ids)
def test_values_and_schema_have_the_same_keys(chart: Path) -> None:
    assert list(_differences(schemas.defaults(chart), schemas.of(chart), "")) == []


def _differences(values: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    # globals are shared: a chart lists those that it reads. The library has no values.
    optional = set(properties) if path.startswith(".global") else {"common"}
    yield from (f"{path}.{key} is in the schema only" for key in properties.keys() - values.keys() - optional)
    for key, value in values.items():
        if key not in properties:
            if "patternProperties" not in schema and not schema.get("additionalProperties"):
                yield f"{path}.{key} is in values.yaml only"
        elif isinstance(value, Mapping) and value:
            yield from _differences(value, properties[key], f"{path}.{key}")


@pytest.mark.parametrize("chart", WITH_VALUES, ids=ids)
def test_the_defaults_fit_the_schema(chart: Path) -> None:
    assert schemas.problems(chart, schemas.defaults(chart)) == ()


@pytest.mark.parametrize(
    "file",
    [file for path in WITH_VALUES for file in render.ci_files(path)],
    ids=lambda file: f"{file.parent.parent.name}-{file.name}",
)
def test_the_ci_values_fit_the_schema(file: Path) -> None:
    assert schemas.problems(file.parent.parent, yaml.safe_load(file.read_text())) == ()


@pytest.mark.parametrize("chart", WITH_VALUES, ids=ids)
def test_one_ci_file_sets_every_key(chart: Path) -> None:
    unset = list(_missing(schemas.defaults(chart), render.ci_values(chart, "everything"), ""))
    assert unset == []


def _missing(wanted: Mapping[str, Any], given: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in wanted.items():
        if key not in given:
            yield f"{path}.{key}"
        elif isinstance(value, Mapping):
            yield from _missing(value, given[key], f"{path}.{key}")


def test_golden_values_fit_what_a_job_installs() -> None:
    golden = sorted((assets.root() / "tests" / "golden").glob("*/values.yaml"))
    files = [*golden, *render.ci_files(render.PIPELINE)]
    refused = {str(file): schemas.problems(render.PIPELINE, yaml.safe_load(file.read_text())) for file in files}
    assert {file: found for file, found in refused.items() if found} == {}


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("global.job.id", lambda values: values["global"]["job"].update(id="J1")),
        ("'flwo' was unexpected", lambda values: values["scoring-flow"].update(flwo={})),
        (
            "scoring-server-python.models[0].type",
            lambda values: values["scoring-server-python"]["models"][0].update(type="pmml"),
        ),
        (
            "scoring-server-pmml.models[0].sha256",
            lambda values: values["scoring-server-pmml"]["models"][0].update(sha256="0"),
        ),
        (
            "'datatype' is a required",
            lambda values: values["scoring-server-pmml"]["models"][0]["inputs"][0].pop("datatype"),
        ),
        (
            "global.images['streaming-runtime']",
            lambda values: values["global"]["images"].update({"streaming-runtime": "a:latest"}),
        ),
        ("global.trace.sampleRatio", lambda values: values["global"]["trace"].update(sampleRatio=2)),
        ("flow.env[0]", lambda values: values["scoring-flow"]["flow"].update(env=[{"name": "A", "value": "in clear"}])),
    ],
)
def test_a_wrong_value_is_refused_without_helm(says: str, change: Any) -> None:
    values = render.ci_values(render.PIPELINE, "everything")
    change(values)
    found = schemas.problems(render.PIPELINE, values)
    assert found
    assert all(says in line or says in line.replace("scoring-flow.", "", 1) for line in found), found


def test_the_types_that_a_server_scores_stand_once() -> None:
    for chart in sorted((assets.charts() / "subcharts").glob("scoring-server-*")):
        types = schemas.defaults(chart)["supportedModels"]
        model = schemas.of(chart)["properties"]["models"]["items"]["properties"]
        assert model["type"]["enum"] == types, chart.name


def test_a_schema_is_written_as_the_project_writes_json() -> None:
    for chart in WITH_VALUES:
        text = (chart / "values.schema.json").read_text()
        assert text == json.dumps(json.loads(text), indent=2) + "\n", chart.name
