"""`helm test`: a small job, started as anybody would start one, by an account that may do just that."""

from __future__ import annotations

import pytest
from typer.main import get_command

from scheduler import names
from scheduler.cli import app, configuration
from scheduler.ir import load
from scheduler.model.types import Manifest
from tests.charts import accounts, render

pytestmark = pytest.mark.helm


@pytest.fixture(name="objects", scope="module")
def rendered() -> tuple[Manifest, ...]:
    return render.platform(render.ci_values(render.PLATFORM, "minimal"))


def test_its_ir_is_one_and_needs_neither_files_nor_models(objects: tuple[Manifest, ...]) -> None:
    holder = render.one(objects, "ConfigMap", "modelops-test", namespace="modelops")
    found = load.from_text(holder["data"]["pipeline.yaml"])
    assert found.pipeline.name == "helm-test"
    assert found.pipeline.models == ()
    assert {channel.type for channel in found.pipeline.channels} == {"test"}


def test_it_starts_a_job_in_the_first_environment_and_follows_it(objects: tuple[Manifest, ...]) -> None:
    job = render.one(objects, "Job", "modelops-test", namespace="modelops")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert job["spec"]["activeDeadlineSeconds"] < 300
    assert container["command"] == ["python3", "-m", "scheduler"]
    words = container["args"]
    command = get_command(app.app)
    with command.make_context("modelops", list(words), resilient_parsing=True):
        pass
    assert words[:2] == ["job", "start"]
    assert words[words.index("--environment") + 1] == "staging"
    assert "--watch" in words
    (ir,) = [mount for mount in container["volumeMounts"] if mount["name"] == "ir"]
    assert ir["mountPath"] == f"{words[words.index('--ir') + 1]}/pipeline.yaml"
    variables = {item["name"]: item["value"] for item in container["env"]}
    assert variables[configuration.URL] == "http://modelops-scheduling-server.modelops.svc:8080"
    assert variables[configuration.TOKEN_FILE].startswith("/var/run/secrets/modelops/")


def test_its_account_may_start_and_see_jobs_there_and_no_more(objects: tuple[Manifest, ...]) -> None:
    found = {
        (where, resource): {*rule["verbs"]}
        for where, rule in accounts.rules(objects, ("modelops-test", "modelops"))
        for resource in rule["resources"]
        if rule["apiGroups"] == [names.DOMAIN]
    }
    assert found == {("staging", "jobs"): {"create", "get", "list"}, ("modelops", "artifacts"): {"get"}}
    assert len(list(accounts.rules(objects, ("modelops-test", "modelops")))) == len(found)


def test_the_server_lets_its_pod_in_and_no_policy_shuts_it_out() -> None:
    values = render.ci_values(render.PLATFORM, "everything")
    objects = render.both(values)
    labels = render.one(objects, "Job", "modelops-test")["spec"]["template"]["metadata"]["labels"]
    for policy in render.of_kind(objects, "NetworkPolicy", namespace="modelops"):
        assert not policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items(), policy["metadata"]["name"]
    (first, *_) = render.one(objects, "NetworkPolicy", "modelops-scheduling-server")["spec"]["ingress"]
    let_in = [peer["podSelector"]["matchLabels"] for peer in first["from"] if "podSelector" in peer]
    assert [own for own in let_in if own.items() <= labels.items()]
