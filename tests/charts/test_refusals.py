"""What the platform's chart refuses before anything is made: everything at once, each with its place and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.charts import cluster, render

pytestmark = pytest.mark.helm


def refusal(values: Mapping[str, Any], *arguments: str) -> list[str]:
    """The chart's complaints, one a line."""
    place = ["modelops", str(render.PLATFORM), "--namespace", "modelops", "--kube-version", render.KUBERNETES]
    with pytest.raises(render.RefusedError) as refused:
        render.helm("template", *place, *(arguments or render.TEKTON), "--values", "-", values=values)
    return [line.strip() for line in str(refused.value).splitlines() if line.startswith("  ")]


def minimal(**charts: Any) -> dict[str, Any]:
    return {**render.ci_values(render.PLATFORM, "minimal"), **charts}


def step(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "containerfile": "build/Containerfile", "context": [], "args": {}, "after": [], **keys}


def test_an_installation_without_registry_tools_and_base_is_told_all_of_it() -> None:
    assert [line.split(":")[0] for line in refusal({})] == [
        "global.build.tools",
        "global.build.base",
        "global.registry.push",
        "global.registry.pull",
    ]


def test_an_installation_that_builds_nothing_needs_every_image_and_the_tools() -> None:
    said = refusal({"global": {"build": {"enabled": False}}})
    assert [line.split(":")[0] for line in said] == [
        "global.build.tools",
        *(f"global.images.{name}" for name in ("modelops-server", "scheduling-server")),
        *(f"global.images.{name}" for name in ("streaming-runtime", "scoring-server-pmml", "scoring-server-python")),
    ]


def test_every_fault_of_the_build_steps_is_told_at_once() -> None:
    pmml = [
        step("scoring-server-python"),
        step("deploy"),
        {"name": "neither", "context": []},
        step("both", task="compile-bento"),
        step("late", after=["nothing"]),
        step("egg", after=["hen"]),
        step("hen", after=["egg"]),
    ]
    streaming = [{"name": "bento", "task": "no-such-task"}, step("streaming-runtime", after=["bento"])]
    known = "bento, both, container-tools, egg, hen, late, modelops-server, neither"
    known += ", scheduling-server, scoring-server-python, streaming-runtime"
    assert refusal(
        minimal(**{"scoring-server-pmml": {"builds": pmml}, "streaming-runtime": {"builds": streaming}})
    ) == [
        "scoring-server-pmml.builds[1].name: deploy is the name of the installation's last task",
        "scoring-server-pmml.builds[2]: neither has neither containerfile nor task; a build step has one of the two",
        "scoring-server-pmml.builds[3]: both has both containerfile and task; a build step has one of the two",
        "scoring-server-python.builds[0].name: scoring-server-python is the name of scoring-server-pmml.builds[0]",
        f"scoring-server-pmml.builds[4].after[0]: no build is named nothing (there are: {known})",
        "builds: egg, hen wait for each other; name a way through without a circle in `after`",
        "streaming-runtime.builds[0].task: no chart makes a Task named no-such-task (there are: compile-bento)",
    ]


@pytest.mark.parametrize(
    "keys",
    [{"containerfile": "", "task": "compile"}, {"containerfile": "../../etc/passwd"}, {"context": ["/etc"]}],
)
def test_a_build_step_that_reaches_out_of_the_project_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(render.RefusedError, match=r"/builds/0/(containerfile|context/0)'?: "):
        render.platform(minimal(**{"scoring-server-pmml": {"builds": [step("scoring-server-pmml", **keys)]}}))


def test_each_circle_of_build_steps_is_told_and_nobody_who_only_waits_for_it() -> None:
    pmml = [
        step("scoring-server-pmml"),
        step("egg", after=["hen"]),
        step("hen", after=["egg"]),
        step("behind", after=["hen", "scoring-server-pmml"]),
        step("chicken", after=["behind"]),
        step("narcissus", after=["narcissus", "egg"]),
        step("stairs", after=["landing", "behind"]),
        step("landing", after=["stairs"]),
    ]
    # the same name once more, without what makes the circle
    python = [step("scoring-server-python"), step("stairs")]
    said = refusal(minimal(**{"scoring-server-pmml": {"builds": pmml}, "scoring-server-python": {"builds": python}}))
    assert said == [
        "scoring-server-python.builds[1].name: stairs is the name of scoring-server-pmml.builds[6]",
        "builds: egg, hen wait for each other; name a way through without a circle in `after`",
        "builds: landing, stairs wait for each other; name a way through without a circle in `after`",
        "builds: narcissus waits for itself; name a way through without a circle in `after`",
    ]


def test_a_chart_with_a_custom_step_defines_its_tasks() -> None:
    with pytest.raises(render.RefusedError, match=r'no template "scoring-server-pmml\.tasks"'):
        render.platform(minimal(**{"scoring-server-pmml": {"builds": [{"name": "custom", "task": "own"}]}}))


def test_a_step_may_not_wait_for_a_chart_that_is_switched_off() -> None:
    (said,) = refusal(minimal(**{"streaming-runtime": {"enabled": False}}))
    assert said.startswith("scheduling-server.builds[0].after[0]: no build is named bento (there are: container-tools,")


def test_what_is_not_built_has_no_steps_to_wait_for() -> None:
    values = render.ci_values(render.PLATFORM, "prebuilt") | {"streaming-runtime": {"enabled": False}}
    assert render.platform(values)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_chart_that_there_is_not_is_told_switched_on_or_off(enabled: bool) -> None:
    (said,) = refusal(minimal(**{"scoring-server-pmm": {"enabled": enabled}, "test-data": {"enabled": False}}))
    known = "container-tools, data-channel, modelops-server, scheduling-server, scoring-flow, scoring-server-pmml"
    known += ", scoring-server-python, streaming-runtime, test-data"
    assert said == f"scoring-server-pmm: no sub-chart has this name (there are: {known})"


@pytest.mark.parametrize("environments", [[], None])
def test_a_platform_has_environments(environments: list[str] | None) -> None:
    values = minimal()
    values["global"]["environments"] = environments
    assert refusal(values) == ["global.environments: empty; jobs need at least one namespace to run in"]


def test_a_cluster_without_tekton_is_one_clear_error() -> None:
    (said,) = refusal(minimal(), "--api-versions", "apps/v1")
    assert said.startswith(
        "Tekton: the cluster does not serve tekton.dev/v1; install Tekton Pipelines 1.15 or newer first"
    )
    values = minimal()
    values["global"]["tekton"] = {"check": False}
    place = ["modelops", str(render.PLATFORM), "--namespace", "modelops", "--kube-version", render.KUBERNETES]
    assert "kind: Pipeline" in render.helm("template", *place, "--values", "-", values=values)


@pytest.mark.parametrize("label", ["pipeline.tekton.dev/release", "version"])
@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("v1.14.2", "Tekton: the cluster runs version 1.14.2; the platform needs 1.15 or newer"),
        ("v0.68.0", "Tekton: the cluster runs version 0.68.0; the platform needs 1.15 or newer"),
        ("v1.15.0", ""),
        ("v1.15.0-rc1", ""),
        ("v2.0.0", ""),
        ("devel", ""),
    ],
)
def test_tekton_must_be_new_enough(label: str, version: str, complaint: str) -> None:
    with cluster.serving(crds={"pipelineruns.tekton.dev": {label: version}}) as there:
        if complaint:
            assert refusal(minimal(), *there.arguments) == [complaint]
        else:
            assert there.render(minimal())


ADDRESS: Final = {"addresses": ["10.0.0.2"]}


@pytest.mark.parametrize("endpoints", [[], [ADDRESS | {"conditions": {"ready": False}}]])
def test_a_tekton_whose_webhook_does_not_answer_is_told_before_anything_is_made(endpoints: list[Any]) -> None:
    with cluster.serving(webhook=endpoints) as there:
        (said,) = refusal(minimal(), *there.arguments)
    assert said.startswith(
        "Tekton: its webhook does not answer, and nothing of Tekton can be made without it; see why: "
    )
    assert said.endswith("kubectl --namespace tekton-pipelines get pods,endpointslices")


@pytest.mark.parametrize("endpoints", [None, [ADDRESS], [ADDRESS | {"conditions": {"ready": True}}]])
def test_a_tekton_whose_webhook_answers_or_is_not_there_is_no_complaint(endpoints: list[Any] | None) -> None:
    with cluster.serving(webhook=endpoints) as there:
        assert there.render(minimal())


def test_a_quota_that_holds_no_build_is_refused_with_the_numbers() -> None:
    values = minimal()
    values["global"]["build"] |= {"quota": {"pods": 0, "limits.memory": "4095Mi", "limits.cpu": "2000m", "count/x": 0}}
    rest = "raise it, or lower global.build.resources"
    assert refusal(values) == [
        f"global.build.quota: limits.memory 4095Mi has no room for one build, which takes 4Gi; {rest}",
        f"global.build.quota: pods 0 has no room for one build, which takes 1; {rest}",
    ]


def test_a_request_above_its_limit_is_refused_with_both() -> None:
    asked = {"resources": {"requests": {"memory": "1Gi"}}}
    values = minimal(**{"scheduling-server": asked, "modelops-server": {"resources": {"limits": {"cpu": "40m"}}}})
    values["global"]["build"] |= {"resources": {"requests": {"cpu": 3, "memory": "4096Mi"}}}
    rest = "raise the limit, or ask for less"
    assert refusal(values) == [
        f"global.build.resources.requests.cpu: 3 is more than the limit of 2; {rest}",
        f"modelops-server.resources.requests.cpu: 50m is more than the limit of 40m; {rest}",
        f"scheduling-server.resources.requests.memory: 1Gi is more than the limit of 512Mi; {rest}",
    ]


@pytest.mark.parametrize("memory", ["4096Mi", "2Pi", "1Ei", "1E", 8589934592, "8589934592000m", "8.5G", "0.5Ti"])
def test_a_quota_in_any_notation_of_kubernetes_has_room_for_a_build(memory: object) -> None:
    values = minimal()
    values["global"]["build"] |= {"quota": {"limits.memory": memory}}
    assert render.platform(values)


@pytest.mark.parametrize("memory", ["4Mi", 4294967295, "4294967295000m", "0.5Gi"])
def test_a_quota_in_any_notation_of_kubernetes_may_be_too_small(memory: object) -> None:
    values = minimal()
    values["global"]["build"] |= {"quota": {"limits.memory": memory}}
    (said,) = refusal(values)
    assert said.startswith("global.build.quota: limits.memory ")


OWN: Final = {"modelops.dev/platform": "modelops.scores"}
PREPARED: Final = {
    "modelops/default": {},
    "modelops/scores-installer": {},
    "modelops-builds/scores-deployer": {},
    "staging/modelops-runner": OWN,
}


def test_whoever_may_see_nothing_of_the_cluster_can_install_what_was_prepared() -> None:
    with cluster.serving(accounts=PREPARED, forbidden=True) as there:
        assert there.render(render.ci_values(render.PLATFORM, "prepared"))
        assert there.render(render.ci_values(render.PLATFORM, "applications"))
        with pytest.raises(render.RefusedError, match="forbidden"):
            there.render(minimal())


@pytest.mark.parametrize(
    ("account", "labels", "complaint"),
    [
        ("modelops/scores-installer", None, "global.prerequisites: nothing is prepared for the platform"),
        ("modelops-builds/scores-deployer", None, "global.build.namespace: modelops-builds is not prepared for"),
        ("staging/modelops-runner", None, "global.environments: staging is not prepared for"),
        (
            "staging/modelops-runner",
            {"modelops.dev/platform": "modelops.other"},
            "global.environments: staging is not prepared for",
        ),
    ],
)
def test_what_nobody_has_prepared_is_told_before_anything_is_made(
    account: str, labels: dict[str, str] | None, complaint: str
) -> None:
    accounts = {name: own for name, own in PREPARED.items() if name != account} | ({account: labels} if labels else {})
    with cluster.serving(accounts=accounts, forbidden=True) as there:
        (said,) = refusal(render.ci_values(render.PLATFORM, "prepared"), *there.arguments)
    assert said.startswith(complaint)


def test_prerequisites_name_the_platform_that_they_are_for() -> None:
    (said,) = refusal({"global": {"prerequisites": "only"}})
    assert said.startswith("global.platform.name: missing; a release of prerequisites is made for")


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ("proxy", "http"),
        ("proxy", "https"),
        ("trace", "endpoint"),
        ("artifactStore", "url"),
        ("gitServer", "url"),
        ("oidc", "issuer"),
    ],
)
def test_a_url_with_a_login_is_no_value(group: str, key: str) -> None:
    values = minimal()
    values["global"][group] = {key: "https://user:secret@place.example.com:3128"}
    with pytest.raises(render.RefusedError, match=f"/global/{group}/{key}"):
        render.platform(values)
