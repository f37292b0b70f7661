"""What becomes of a job, read in review: the files beside this one are compared to the byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
import yaml

from scheduler import assets, names
from scheduler.model import canonical
from scheduler.preprocess import values_text
from scheduler.settings import Globals
from tests.charts import render, schemas
from tests.golden import cases

BASE = cases.read("flight-delay")
PLAIN = Globals(
    trace_endpoint="http://collector.observability.svc:4318",
    trace_sample_ratio=0.25,
    artifact_store_url="http://artifacts.example.com:8080",
    proxy_https="http://proxy.example.com:3128",
)
"""What a job cannot do without, from outside the cluster; tracing and a proxy, so that what is said of them shows."""


@pytest.mark.parametrize("name", cases.ALL)
@pytest.mark.parametrize("file", ["values.yaml", "pipelinerun.yaml"])
def test_a_job_becomes_what_it_became_before(name: str, file: str, *, regenerate: bool) -> None:
    case = cases.read(name)
    made = cases.resolved(case)
    text = made.values_text if file == "values.yaml" else values_text.to_yaml(cases.run(case, made))
    path = case.folder / file
    if regenerate:
        path.write_text(text)

    assert path.read_text() == text, f"run `pytest tests/golden --regenerate` and read what changed in {path.name}"


@pytest.mark.parametrize("name", cases.ALL)
def test_golden_values_are_what_the_charts_take(name: str) -> None:
    """With jsonschema alone, so that a broken contract shows in milliseconds."""
    values = yaml.safe_load((cases.FOLDER / name / "values.yaml").read_text())

    assert schemas.problems(assets.subchart("scoring-pipeline"), values) == ()


@pytest.mark.parametrize("name", cases.ALL)
def test_what_install_reads_has_the_digest_that_the_run_names(name: str) -> None:
    case = cases.read(name)
    made = cases.resolved(case)
    run = cases.run(case, made)

    params = {param["name"]: param["value"] for param in run["spec"]["params"]}
    assert canonical.digest(values_text.from_yaml(made.values_text)) == params["values-digest"]


@pytest.mark.parametrize("file", ["configmap.yaml", "pipelinerun.yaml"])
def test_the_examples_of_tekton_are_the_objects_of_a_job(file: str, *, regenerate: bool) -> None:
    """Both as the server creates them: the input uncommitted, the run pending."""
    made = cases.resolved(BASE)
    build = cases.config_map if file == "configmap.yaml" else cases.run
    text = "# Written by `pytest tests/golden --regenerate`; compared by every test run.\n" + values_text.to_yaml(
        build(BASE, made)
    )
    path = assets.tekton() / "examples" / file
    if regenerate:
        path.write_text(text)

    assert path.read_text() == text


def test_the_run_mounts_the_input_that_it_names() -> None:
    made = cases.resolved(BASE)
    run, given = cases.run(BASE, made), cases.config_map(BASE, made)

    mounted = [workspace["configMap"]["name"] for workspace in run["spec"]["workspaces"]]
    assert mounted == [given["metadata"]["name"]] == [run["metadata"]["annotations"][names.INPUT]]
    assert given["metadata"]["namespace"] == run["metadata"]["namespace"]


CHANGES: Mapping[str, tuple[object, dict[str, object]]] = {
    "registry_pull": ("registry.example.com", {"global.registry.pull": "registry.example.com"}),
    "image_pull_secrets": (("login",), {"global.imagePullSecrets.login.name": "login"}),
    "log_level": ("error", {"global.logLevel": "error", "scoring-flow.flow.engine.logger.level": "ERROR"}),
    "trace_endpoint": (
        "https://other.example.com",
        {
            "global.trace.endpoint": "https://other.example.com",
            "scoring-flow.flow.engine.tracer.open_telemetry_collector.http.0.address": "other.example.com",
            "scoring-flow.flow.engine.tracer.open_telemetry_collector.http.0.secure": True,
        },
    ),
    "trace_sample_ratio": (
        0.75,
        {
            "global.trace.sampleRatio": 0.75,
            "scoring-flow.flow.engine.tracer.open_telemetry_collector.sampling.ratio": 0.75,
        },
    ),
    "artifact_store_url": ("http://store.example.com", {"global.artifactStore.url": "http://store.example.com"}),
    "git_server_url": ("https://git.example.com", {"global.gitServer.url": "https://git.example.com"}),
    "ca_bundle": (
        "company-ca/bundle.pem",
        {"global.caBundle.configMap": "company-ca", "global.caBundle.key": "bundle.pem"},
    ),
    "proxy_http": ("http://other.example.com:8080", {"global.proxy.http": "http://other.example.com:8080"}),
    "proxy_https": ("http://other.example.com:8080", {"global.proxy.https": "http://other.example.com:8080"}),
    "proxy_except": (".example.com", {"global.proxy.except": ".example.com"}),
}
"""Global -> another value, and exactly what it changes in the Values."""

RENDERED = cases.FOLDER / "globals.yaml"
"""Global -> what it changes in the rendered objects."""


def test_every_global_is_listed() -> None:
    assert set(CHANGES) == {field.name for field in fields(Globals)}


@pytest.mark.parametrize("name", CHANGES)
def test_each_global_changes_exactly_its_own_fields(name: str) -> None:
    value, expected = CHANGES[name]

    before = dict(flat(opened(cases.resolved(BASE, globals_=PLAIN).values)))
    after = dict(flat(opened(cases.resolved(BASE, globals_=changed(name, value)).values)))

    assert {path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == (
        expected
    )


@pytest.mark.helm
def test_each_global_changes_named_fields_of_the_rendered_objects(*, regenerate: bool) -> None:
    before = dict(rendered(PLAIN))
    found = {}
    for name, (value, _) in CHANGES.items():
        after = dict(rendered(changed(name, value)))
        paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        found[name] = {path: {"from": before.get(path), "to": after.get(path)} for path in paths}
    text = values_text.to_yaml(found)
    if regenerate:
        RENDERED.write_text(text)

    assert all(found.values())
    assert RENDERED.read_text() == text


def changed(name: str, value: object) -> Globals:
    return replace(PLAIN, **{name: value})  # type: ignore[arg-type]


def rendered(globals_: Globals) -> Iterator[tuple[str, object]]:
    """Every leaf of every object, by kind, component and path."""
    for manifest in render.job(cases.resolved(BASE, globals_=globals_).values):
        component = manifest["metadata"]["labels"]["modelops.dev/component"]
        content = dict(manifest)
        if "engine.yaml" in manifest.get("data", {}):
            content["data"] = {**manifest["data"], "engine.yaml": yaml.safe_load(manifest["data"]["engine.yaml"])}
        yield from flat(content, f"{manifest['kind']} {component}: ")


def opened(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values with the engine's configuration as what its text says."""
    flow = values["scoring-flow"]["flow"]
    return {**values, "scoring-flow": {"flow": {**flow, "engine": yaml.safe_load(flow["engine"])}}}


def flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Leaves with their paths; items of lists by their name, where they have one.

    >>> list(flat({"a": [{"b": 1}, {"name": "c", "d": 2}]}))
    [('a.0.b', 1), ('a.c.name', 'c'), ('a.c.d', 2)]
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}" if path and not path.endswith(": ") else f"{path}{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            named = item.get("name", index) if isinstance(item, Mapping) else index
            yield from flat(item, f"{path}.{named}")
    else:
        yield path, value
