"""The installation: what its Pipeline does in which order, what its Tasks run, and how hooks start and end it."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import pytest
import yaml

from scheduler import assets, names
from scheduler.model.types import Manifest
from tests.charts import render, restricted

pytestmark = pytest.mark.helm

BUILDS: Final = "modelops-builds"
BUILD_RESULTS: Final = ["reference", "outcome"]


def given(name: str = "minimal", **build: Any) -> dict[str, Any]:
    values = render.ci_values(render.PLATFORM, name)
    values["global"]["build"] |= build
    return values


@pytest.fixture(name="objects", scope="module")
def rendered() -> tuple[Manifest, ...]:
    return render.platform(given())


def pipeline(objects: tuple[Manifest, ...]) -> dict[str, Mapping[str, Any]]:
    """The installation's tasks by name."""
    (found,) = [
        item for item in render.of_kind(objects, "Pipeline") if item["metadata"]["name"] == "modelops-installation"
    ]
    return {task["name"]: task for task in found["spec"]["tasks"]}


def tasks(objects: tuple[Manifest, ...], namespace: str = BUILDS) -> dict[str, Mapping[str, Any]]:
    return {item["metadata"]["name"]: item["spec"] for item in render.of_kind(objects, "Task", namespace=namespace)}


def run(objects: tuple[Manifest, ...]) -> dict[str, Any]:
    holder = render.one(objects, "ConfigMap", "modelops-installation", namespace="modelops")
    found: dict[str, Any] = json.loads(holder["data"]["run.json"])
    return found


def params(task: Mapping[str, Any]) -> dict[str, Any]:
    return {item["name"]: item["value"] for item in task["params"]}


def declared() -> dict[str, dict[str, Any]]:
    """Every build step of every sub-chart, by name."""
    charts = sorted((assets.charts() / "subcharts").glob("*/values.yaml"))
    return {
        step["name"]: {**step, "chart": chart.parent.name}
        for chart in charts
        for step in yaml.safe_load(chart.read_text()).get("builds", ())
    }


def waves(objects: tuple[Manifest, ...]) -> list[list[str]]:
    """Names of the tasks that run together, in order."""
    found: list[list[str]] = []
    before: list[str] = []
    waiting = dict(pipeline(objects))
    while waiting:
        now = sorted(name for name, task in waiting.items() if sorted(task.get("runAfter", ())) == sorted(before))
        assert now, f"{waiting.keys()} run after no whole wave"
        found.append(now)
        waiting = {name: task for name, task in waiting.items() if name not in now}
        before = now
    return found


def test_every_step_of_every_chart_is_a_task_but_the_one_that_is_there_before(objects: tuple[Manifest, ...]) -> None:
    bootstrap = {name for name, step in declared().items() if step.get("bootstrap")}
    assert bootstrap == {"container-tools"}
    assert pipeline(objects).keys() == {*declared(), "deploy"} - bootstrap
    assert list(pipeline(objects))[-1] == "deploy"


def test_the_programs_of_a_build_are_there_where_it_runs() -> None:
    """In container-tools, which has those that it is made with itself."""
    there = set(declared()["container-tools"]["programs"])
    assert all(set(step.get("programs", ())) <= there for step in declared().values())


@pytest.mark.parametrize("parallel", [1, 2, 3, 16])
def test_builds_run_in_waves_each_behind_what_it_needs(parallel: int) -> None:
    objects = render.platform(given(parallel=parallel))
    found = waves(objects)
    place = {name: number for number, wave in enumerate(found) for name in wave}
    assert max(len(wave) for wave in found) <= parallel
    assert found[-1] == ["deploy"]
    for name, step in declared().items():
        assert all(place[earlier] < place[name] for earlier in step["after"] if earlier in place), name
    # no wave is smaller than it has to be: a step waits for one of the wave before, or for room
    for name, number in place.items():
        if number and name != "deploy":
            needed = {earlier for earlier in declared()[name]["after"] if place.get(earlier) == number - 1}
            assert needed or len(found[number - 1]) == parallel, name


def test_a_task_is_told_its_step_and_what_was_built_before(objects: tuple[Manifest, ...]) -> None:
    for name, task in pipeline(objects).items():
        if name == "deploy":
            continue
        told, step = params(task), declared()[name]
        assert json.loads(told["step"]) == step
        assert task["taskRef"]["name"] == step.get("task", "modelops-image-build")
        built = [earlier for earlier in step["after"] if not declared()[earlier].get("bootstrap")]
        assert told["earlier"] == [f"{earlier}=$(tasks.{earlier}.results.reference)" for earlier in built]
        assert task["timeout"] == "30m"
        assert told["seconds"] == "1800"


def test_the_deployment_gets_every_image_by_its_digest(objects: tuple[Manifest, ...]) -> None:
    told = params(pipeline(objects)["deploy"])
    built = sorted(name for name, step in declared().items() if not step.get("bootstrap"))
    assert told["images"] == [f"{name}=$(tasks.{name}.results.reference)" for name in built]
    assert (told["release"], told["namespace"]) == ("modelops", "modelops")
    assert {*render.PROGRAMS} <= {*built}


def test_each_task_gets_every_parameter_that_it_declares_and_no_other(objects: tuple[Manifest, ...]) -> None:
    made = tasks(objects)
    for task in pipeline(objects).values():
        spec = made[task["taskRef"]["name"]]
        assert params(task).keys() == {item["name"] for item in spec["params"]}
        types = {item["name"]: list if item["type"] == "array" else str for item in spec["params"]}
        assert all(isinstance(value, types[name]) for name, value in params(task).items())
        used = {*re.findall(r"\$\(params\.([a-z-]+)", yaml.safe_dump(spec["steps"]))}
        assert used == params(task).keys()


def test_a_custom_step_has_the_interface_of_every_other(objects: tuple[Manifest, ...]) -> None:
    made = tasks(objects)
    ours, custom = made["modelops-image-build"], made["compile-bento"]
    for key in ("params", "results", "volumes"):
        assert custom[key] == ours[key]
    assert [item["name"] for item in ours["results"]] == BUILD_RESULTS
    assert {step["name"] for step in (*ours["steps"], *custom["steps"])} == {"build", "compile"}


def test_a_step_is_its_program_itself(objects: tuple[Manifest, ...]) -> None:
    for name, task in tasks(objects).items():
        (step,) = task["steps"]
        assert step["command"] == ["python3", "-m", "scheduler.installation", step["name"]], name
        assert not step.keys() & {"script", "timeout", "onError"}, name
        assert all(re.fullmatch(r"--[a-z-]+=\$\([a-z.-]+\)\S*|\$\(params\.[a-z]+\[\*\]\)", one) for one in step["args"])
        assert step["image"] == given()["global"]["build"]["tools"]
        for kind in ("requests", "limits"):
            assert step["computeResources"][kind].keys() == {"cpu", "memory"}, name


def test_the_registry_has_two_names() -> None:
    objects = render.platform(given("everything"))
    told = params(pipeline(objects)["scheduling-server"])
    assert (told["registry"], told["pull-registry"]) == ("registry.builds.svc:5000", "registry.example.com:5000")
    digest = f"modelops/container-tools@sha256:{render.DIGEST}"
    assert told["tools"] == f"registry.builds.svc:5000/{digest}"
    (step,) = tasks(objects, "images")["modelops-image-build"]["steps"]
    assert step["image"] == f"registry.example.com:5000/{digest}"


@pytest.mark.parametrize("name", ["modelops/container-tools", "container-tools"])
def test_tools_without_a_registry_are_looked_for_in_the_platforms_like_every_image(name: str) -> None:
    values = given("everything")
    values["global"]["build"]["tools"] = f"{name}@sha256:{render.DIGEST}"
    objects = render.platform(values)
    places = [
        *(one["image"] for _, pod in render.pod_templates(objects) for one in pod["spec"]["containers"]),
        *(one["image"] for task in tasks(objects, "images").values() for one in task["steps"]),
    ]
    assert len(places) == 6
    assert {*places} == {f"registry.example.com:5000/{name}@sha256:{render.DIGEST}"}
    told = params(pipeline(objects)["scheduling-server"])
    assert told["tools"] == f"registry.builds.svc:5000/{name}@sha256:{render.DIGEST}"


def test_only_the_step_of_a_build_is_root_with_what_a_user_namespace_takes(objects: tuple[Manifest, ...]) -> None:
    task = tasks(objects)["modelops-image-build"]
    (step,) = task["steps"]
    assert step["securityContext"] == {
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["SETFCAP", "SETGID", "SETUID"]},
    }
    assert all(volume.keys() & {"emptyDir", "secret", "configMap"} for volume in task["volumes"])
    assert "securityContext" not in run(objects)["spec"]["taskRunTemplate"]["podTemplate"]
    labels = render.one(objects, "Namespace", BUILDS)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    assert labels[names.PLATFORM] == "modelops.modelops"
    assert names.ENVIRONMENT not in labels


def test_compiling_meets_pod_security_restricted(objects: tuple[Manifest, ...]) -> None:
    task = tasks(objects)["compile-bento"]
    assert restricted.violations({"containers": task["steps"], "volumes": task["volumes"]}) == ()


def test_the_deployment_meets_pod_security_restricted(objects: tuple[Manifest, ...]) -> None:
    task = tasks(objects)["modelops-deploy"]
    (template,) = [one["podTemplate"] for one in run(objects)["spec"]["taskRunSpecs"]]
    pod = {**template, "containers": task["steps"], "volumes": task["volumes"]}
    assert restricted.violations(pod) == ()
    assert restricted.violations({"containers": task["steps"]}) == ()


def test_builds_run_without_a_token_and_the_deployment_with_its_own(objects: tuple[Manifest, ...]) -> None:
    spec = run(objects)["spec"]
    builds, (deploy,) = spec["taskRunTemplate"], spec["taskRunSpecs"]
    assert builds["serviceAccountName"] == "modelops-builder"
    assert builds["podTemplate"]["automountServiceAccountToken"] is False
    assert (deploy["pipelineTaskName"], deploy["serviceAccountName"]) == ("deploy", "modelops-deployer")
    # Tekton fills in what a task's own template leaves out
    assert deploy["podTemplate"]["automountServiceAccountToken"] is True


@pytest.mark.parametrize(("ci", "minutes"), [("minimal", 3 * 30 + 15), ("everything", 2 * 20 + 15), ("prebuilt", 15)])
def test_a_run_sets_all_three_timeouts(ci: str, minutes: int) -> None:
    timeouts = run(render.platform(given(ci)))["spec"]["timeouts"]
    assert timeouts.keys() == {"pipeline", "tasks", "finally"}
    found = {key: int(value.removesuffix("m")) for key, value in timeouts.items()}
    assert found["tasks"] == minutes
    assert found["pipeline"] >= found["tasks"] + found["finally"]


def test_a_run_bears_its_platform_and_its_content(objects: tuple[Manifest, ...]) -> None:
    metadata = run(objects)["metadata"]
    (hook,) = [item for item in render.of_kind(objects, "Job") if item["metadata"]["name"] == "modelops-start"]
    (digest,) = [one for one in arguments(hook) if one.startswith("--digest=")]
    assert "name" not in metadata
    assert metadata["labels"][names.INSTALLATION] == "modelops"
    assert metadata["annotations"] == {names.CONTENT_DIGEST: digest.removeprefix("--digest=")}


def arguments(job: Manifest) -> list[str]:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    found: list[str] = container["args"]
    return found


def test_the_values_are_those_of_the_release_and_have_the_digest_that_the_deployment_asks_for(
    objects: tuple[Manifest, ...],
) -> None:
    holder = render.one(objects, "ConfigMap", "modelops-platform-values", namespace=BUILDS)
    text = holder["data"]["values.json"]
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert params(pipeline(objects)["deploy"])["values-digest"] == f"sha256:{digest}"
    values = json.loads(text)
    assert values["global"]["registry"] == {"push": "registry.example.com", "pull": "registry.example.com"}
    assert not [key for key, value in values.items() if key != "global" and "global" in value]
    # what the deployment makes of them is what would come of the values as they were given
    assert render.applications(values) == render.applications(given())


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("the tools", lambda values: values["global"]["build"].update(tools=f"tools@sha256:{'b' * 64}")),
        ("the base", lambda values: values["global"]["build"].update(base="elsewhere.example.com/base:next")),
        ("a server's setting", lambda values: values.update({"scheduling-server": {"replicas": 2}})),
        ("a step", lambda values: values.update({"scoring-server-pmml": {"enabled": False}})),
        ("a Secret", lambda values: values["global"]["build"].update(settingsSecret="archives")),
    ],
)
def test_another_content_has_another_digest_and_the_same_content_the_same(what: str, change: Any) -> None:
    values = given()
    change(values)
    first, again, other = (
        run(render.platform(one))["metadata"]["annotations"][names.CONTENT_DIGEST]
        for one in (given(), copy.deepcopy(given()), values)
    )
    assert first == again != other, what


def test_the_hooks_start_and_remove_the_installation(objects: tuple[Manifest, ...]) -> None:
    start, remove = (render.one(objects, "Job", f"modelops-{name}") for name in ("start", "remove"))
    when = {item["metadata"]["name"]: item["metadata"]["annotations"]["helm.sh/hook"] for item in (start, remove)}
    assert when == {"modelops-start": "post-install,post-upgrade,post-rollback", "modelops-remove": "pre-delete"}
    for item in (start, remove):
        policy = item["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        assert policy == "before-hook-creation,hook-succeeded"
        assert item["metadata"]["namespace"] == "modelops"
        # helm waits 300 s; a hook that hangs must say so before
        assert (item["spec"]["backoffLimit"], item["spec"]["activeDeadlineSeconds"]) == (0, 290)
        pod = item["spec"]["template"]["spec"]
        assert (pod["serviceAccountName"], pod["restartPolicy"]) == ("modelops-installer", "Never")
    assert [one for one in arguments(start) if not one.startswith("--digest")] == [
        "--release=modelops",
        f"--build-namespace={BUILDS}",
        "--run=/etc/modelops/run.json",
        "--keep=3",
    ]
    *where, seconds = arguments(remove)
    assert where == ["--release=modelops", "--namespace=modelops", f"--build-namespace={BUILDS}"]
    # counted from the program's start, not from the Job's: the pod has a minute to start, and the program time to speak
    assert 290 - float(seconds.removeprefix("--seconds=")) >= 75
    mounts = {
        item["name"]: item["mountPath"] for item in start["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    }
    assert mounts["run"] == "/etc/modelops"


def test_without_builds_there_is_the_deployment_alone() -> None:
    objects = render.platform(given("prebuilt"))
    assert list(pipeline(objects)) == ["deploy"]
    assert tasks(objects).keys() == {"modelops-deploy"}
    told = params(pipeline(objects)["deploy"])
    # the values name the images themselves
    assert told["images"] == []
    assert "runAfter" not in pipeline(objects)["deploy"]


def test_a_build_reaches_archives_and_registry_and_the_deployment_the_api_server() -> None:
    objects = render.platform(given("everything"))
    denial, builds, deploy = (
        render.one(objects, "NetworkPolicy", name, namespace="images")["spec"]
        for name in ("modelops-default-deny", "modelops-builds", "modelops-deployer")
    )
    assert denial == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    exists = {"key": names.INSTALLATION, "operator": "Exists"}
    others = {"key": names.TEKTON_PIPELINE_TASK, "operator": "NotIn", "values": ["deploy"]}
    assert builds["podSelector"] == {"matchExpressions": [exists, others]}
    assert deploy["podSelector"] == {
        "matchLabels": {names.TEKTON_PIPELINE_TASK: "deploy"},
        "matchExpressions": [exists],
    }
    opened = [sorted({port["port"] for port in rule["ports"]}) for rule in builds["egress"]]
    # names, the registry, that of the base image, the two proxies, archives; and no API server
    assert opened == [[53], [5000], [5000], [3128], [3129], [443, 8081]]
    assert [len(rule.get("to", ())) for rule in builds["egress"][1:3]] == [1, 0]
    assert builds["egress"][-1]["to"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    assert [sorted({port["port"] for port in rule["ports"]}) for rule in deploy["egress"]] == [[53], [6443]]
    assert builds["policyTypes"] == deploy["policyTypes"] == ["Egress"]


def test_the_hooks_reach_the_api_server_and_nobody_reaches_them(objects: tuple[Manifest, ...]) -> None:
    policy = render.one(objects, "NetworkPolicy", "modelops-installer", namespace="modelops")["spec"]
    pods = {name: template["metadata"]["labels"] for name, template in render.pod_templates(render.both(given()))}
    wanted = policy["podSelector"]["matchLabels"].items()
    assert {name for name, labels in pods.items() if wanted <= labels.items()} == {
        "Job/modelops-start",
        "Job/modelops-remove",
    }
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy


def test_secrets_are_mounted_where_the_programs_look_and_only_when_named() -> None:
    with_, without = (
        tasks(render.platform(given(ci)), place) for ci, place in (("everything", "images"), ("minimal", BUILDS))
    )
    (step,) = with_["modelops-image-build"]["steps"]
    mounts = {one["name"]: one["mountPath"] for one in step["volumeMounts"]}
    assert mounts["settings"] == "/run/modelops/settings"
    assert mounts["docker"] == "/run/modelops/docker"
    variables = {one["name"]: one["value"] for one in step["env"]}
    assert variables["REGISTRY_AUTH_FILE"] == "/run/modelops/docker/config.json"
    (step,) = without["modelops-image-build"]["steps"]
    assert {one["name"] for one in step["volumeMounts"]} == {"containers", "tmp"}
    assert mounts["containers"] == "/var/lib/containers"


def test_the_build_namespace_has_a_quota_and_defaults_for_what_tekton_adds() -> None:
    objects = render.platform(given("everything"))
    hard = render.one(objects, "ResourceQuota", "modelops-builds", namespace="images")["spec"]["hard"]
    assert hard["pods"] == "12", "what is given"
    assert hard["requests.cpu"] == "32", "what the size means"
    (limit,) = render.one(objects, "LimitRange", "modelops", namespace="images")["spec"]["limits"]
    assert limit["defaultRequest"].keys() == limit["default"].keys() == {"cpu", "memory"}
