"""What the charts promise about isolation, tried: Pod Security, rights, quotas and NetworkPolicies on the real cluster.

A platform of its own in two namespaces. Its programs are the bare base image and crash, which is of no interest here.
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from scheduler import names
from scheduler.cluster import kinds
from scheduler.demo.installation import Platform
from scheduler.devcluster.addresses import API_SERVER, Addresses
from scheduler.errors import ProgramError
from scheduler.images.connection import is_plain
from tests.charts import render
from tests.e2e import probes
from tests.e2e.probes import Probe

pytestmark = pytest.mark.e2e

PLATFORM: Final = "isolation"
JOBS: Final = "isolation-jobs"
RELEASE: Final = "apart"
APPLICATIONS: Final = names.applications_release(RELEASE)
MODEL: Final = "delay"
SERVICE: Final = names.scoring_service(render.JOB, chart="scoring-server-python", model=MODEL)
STORE: Final = f"{RELEASE}-modelops-server.{PLATFORM}.svc"
API: Final = "kubernetes.default.svc"


OF_RELEASE: Final = {names.RELEASE: render.JOB}
FLOW: Final = Probe(name="flow", namespace=JOBS, labels={**OF_RELEASE, names.COMPONENT: "flow"}, port=4196)
SERVER: Final = Probe(
    name="server",
    namespace=JOBS,
    labels={**OF_RELEASE, names.COMPONENT: "scoring-server-python", names.MODEL: MODEL},
    port=8080,
)
WAIT: Final = Probe(name="wait", namespace=JOBS, labels={names.JOB_ID: render.JOB, names.TEKTON_PIPELINE_TASK: "wait"})
OTHER_WAIT: Final = Probe(
    name="other-wait", namespace=JOBS, labels={names.JOB_ID: "j" + "b" * 20, names.TEKTON_PIPELINE_TASK: "wait"}
)
FOREIGN_WAIT: Final = Probe(name="foreign-wait", namespace=PLATFORM, labels=WAIT.labels)
"""It bears every label of the task that may, but not in the job's environment."""
OTHER_FLOW: Final = Probe(
    name="other-flow", namespace=JOBS, labels={names.RELEASE: "j" + "b" * 20, names.COMPONENT: "flow"}
)
STRANGER: Final = Probe(name="stranger", namespace=JOBS, labels={"app": "stranger"})
KEEPER: Final = Probe(
    name="keeper",
    namespace=PLATFORM,
    labels={f"app.kubernetes.io/{key}": "modelops-server" for key in ("name", "component")}
    | {"app.kubernetes.io/instance": RELEASE},
    port=8080,
)
PROBES: Final = (FLOW, SERVER, WAIT, OTHER_WAIT, FOREIGN_WAIT, OTHER_FLOW, STRANGER, KEEPER)


@pytest.fixture(scope="module", name="cluster")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform, one job's release made by the runner's own account, and the probes."""
    platform = Platform.from_environ(os.environ)
    folder = tmp_path_factory.mktemp("isolation")
    _remove(platform)
    try:
        _install(platform, folder)
        yield platform
    finally:
        _remove(platform)


def _install(platform: Platform, folder: Path) -> None:
    image = _image(platform.base_image)
    platform.kubectl("create", "namespace", PLATFORM)
    platform.kubectl("label", "namespace", PLATFORM, "pod-security.kubernetes.io/enforce=restricted")
    values = folder / "platform.yaml"
    values.write_text(yaml.safe_dump(_platform_values(image)))
    words = (str(render.PLATFORM), "-n", PLATFORM, "--values", str(values))
    # no hooks: nothing is built, and its second release is made here
    platform.run("helm", "install", RELEASE, *words, "--no-hooks")
    second = ("--set", f"global.render=applications,global.platform.name={RELEASE}")
    platform.run("helm", "install", APPLICATIONS, *words, *second)
    _install_job(platform, folder, render.JOB)
    platform.apply(*(probe.manifest(image) for probe in PROBES))
    for probe in PROBES:
        platform.kubectl("-n", probe.namespace, "wait", "--for=condition=Ready", f"pod/{probe.name}", "--timeout=90s")


def _install_job(platform: Platform, folder: Path, job: str) -> None:
    """Under the runner's account, as the install task does."""
    values = folder / f"{job}.yaml"
    values.write_text(yaml.safe_dump(_job_values(_image(platform.base_image), job)))
    line = ["helm", "install", job, str(render.PIPELINE), "-n", JOBS, "--values", str(values)]
    platform.run(*line, "--labels", f"{names.RELEASE}={job}", "--kubeconfig", str(_runner_kubeconfig(platform, folder)))


def _runner_kubeconfig(platform: Platform, folder: Path) -> Path:
    """A kubeconfig that holds nothing but the runner's token; beside a client certificate a token would not count."""
    token = platform.kubectl("-n", JOBS, "create", "token", names.RUNNER_ACCOUNT).decode().strip()
    own = yaml.safe_load(platform.kubectl("config", "view", "--raw", "--minify", "-o", "yaml"))
    own["users"] = [{"name": own["users"][0]["name"], "user": {"token": token}}]
    path = folder / "runner.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(own))
    return path


def _remove(platform: Platform) -> None:
    words = ("--ignore-not-found", "--wait", "--timeout", "2m", "--no-hooks")
    for release, namespace in ((render.JOB, JOBS), (APPLICATIONS, PLATFORM), (RELEASE, PLATFORM)):
        platform.run("helm", "uninstall", release, "-n", namespace, *words)
    namespaces = (PLATFORM, JOBS, names.build_namespace(PLATFORM))
    platform.kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=120s")


@functools.cache
def _image(reference: str) -> str:
    """The base image by digest, as the registry says."""
    host, _, path = reference.partition("/")
    repository, _, tag = path.rpartition(":")
    scheme = "http" if is_plain(host) else "https"
    accept = {
        "Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    }
    answer = httpx.head(f"{scheme}://{host}/v2/{repository}/manifests/{tag}", headers=accept, timeout=20)
    return f"{host}/{repository}@{answer.headers['docker-content-digest']}"


def _images(image: str) -> dict[str, str]:
    programs = ("scheduling-server", "modelops-server", "streaming-runtime", "scoring-server-python")
    return dict.fromkeys((*programs, "scoring-server-pmml"), image)


def _platform_values(image: str) -> Mapping[str, Any]:
    gateway = Addresses.from_environ(os.environ).gateway
    return {
        "global": {
            "images": _images(image),
            "build": {"enabled": False, "tools": image},
            "environments": [JOBS],
            "apiServer": {"cidrs": [f"{gateway}/32"], "ports": [API_SERVER]},
        },
        "environment": {"keep": False},
        # its pod is admitted and waits: no volume is used up
        "modelops-server": {"persistence": {"existingClaim": "absent"}},
        "access": {"operators": [{"kind": "ServiceAccount", "name": "someone", "namespace": PLATFORM}]},
    }


def _job_values(image: str, job: str) -> Mapping[str, Any]:
    values = render.ci_values(render.PIPELINE, "minimal")
    values["global"]["job"] |= {"id": job, "environment": JOBS}
    values["global"]["images"] = _images(image)
    values["global"]["artifactStore"] = {"url": f"http://{STORE}:8080"}
    values["scoring-flow"]["flow"]["services"] = [{"name": SERVICE, "model": MODEL}]
    model = {"name": MODEL, "type": "python-binary", "sha256": "a" * 64, "inputs": [], "outputs": []}
    values["scoring-server-python"] = {"enabled": True, "models": [model]}
    return values


def _allowed(platform: Platform, who: tuple[str, str], verb: str, resource: str, *, group: str = "") -> bool:
    account, namespace = who
    asked = {"verb": verb, "resource": resource.partition("/")[0], "group": group, "namespace": JOBS}
    spec = {
        "user": f"system:serviceaccount:{namespace}:{account}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        "resourceAttributes": asked | {"subresource": resource.partition("/")[2]},
    }
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    said = platform.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(review).encode())
    return bool(json.loads(said)["status"]["allowed"])


@pytest.mark.parametrize(
    ("probe", "host", "port"),
    [(WAIT, "", 4196), (FLOW, SERVICE, 8080), (SERVER, STORE, 8080), (WAIT, API, 443), (OTHER_WAIT, API, 443)],
    ids=lambda value: value.name if isinstance(value, Probe) else str(value),
)
def test_what_a_job_needs_is_open(cluster: Platform, probe: Probe, host: str, port: int) -> None:
    target = host or probes.address(cluster, FLOW)
    # a policy is in force within about a second of the pod's start
    deadline = time.monotonic() + 20
    while not probes.connects(cluster, probe, target, port):
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("probe", "host", "port"),
    [
        (OTHER_WAIT, "", 4196),
        (FOREIGN_WAIT, "", 4196),
        (OTHER_FLOW, "", 4196),
        (SERVER, "", 4196),
        (STRANGER, "", 4196),
        (KEEPER, "", 4196),
        (WAIT, SERVICE, 8080),
        (STRANGER, SERVICE, 8080),
        (FLOW, STORE, 8080),
        (FLOW, API, 443),
        (SERVER, API, 443),
        (STRANGER, API, 443),
        (FLOW, "registry", 5000),
        (SERVER, "registry", 5000),
        (WAIT, "registry", 5000),
    ],
    ids=lambda value: value.name if isinstance(value, Probe) else str(value),
)
def test_what_nobody_needs_is_closed(cluster: Platform, probe: Probe, host: str, port: int) -> None:
    target = host or probes.address(cluster, FLOW)
    if host == "registry":
        target = cluster.registry.partition(":")[0]
    assert not probes.connects(cluster, probe, target, port)


def test_the_probes_can_connect_at_all(cluster: Platform) -> None:
    """Else every test of a closed way would pass."""
    for probe in PROBES:
        assert probes.connects(cluster, probe, "127.0.0.1", probe.port), probe.name


def test_a_pod_that_asks_for_more_is_not_admitted(cluster: Platform) -> None:
    manifest = json.loads(json.dumps(STRANGER.manifest(_image(cluster.base_image))))
    manifest["metadata"]["name"] = "root"
    manifest["spec"]["securityContext"] = {"runAsUser": 0}
    with pytest.raises(ProgramError, match="PodSecurity"):
        cluster.apply(manifest)


def test_every_pod_of_the_platform_and_of_a_job_was_admitted(cluster: Platform) -> None:
    wanted = {names.flow(render.JOB), SERVICE, f"{RELEASE}-scheduling-server", f"{RELEASE}-modelops-server"}
    found = [pod["metadata"]["name"] for space in (PLATFORM, JOBS) for pod in cluster.objects("pods", "-n", space)]
    assert {name for name in wanted if any(pod.startswith(name) for pod in found)} == wanted


def test_each_identity_may_do_its_own_and_no_more(cluster: Platform) -> None:
    server, runner = (f"{RELEASE}-scheduling-server", PLATFORM), (names.RUNNER_ACCOUNT, JOBS)
    scoring, person = (names.SCORING_ACCOUNT, JOBS), ("someone", PLATFORM)
    assert _allowed(cluster, server, "create", "pipelineruns", group="tekton.dev")
    assert _allowed(cluster, server, "get", "pods/log")
    assert not any(_allowed(cluster, server, verb, "secrets") for verb in ("get", "list", "create"))
    assert _allowed(cluster, runner, "create", "deployments", group="apps")
    assert not _allowed(cluster, runner, "create", "pods")
    assert not _allowed(cluster, runner, "create", "rolebindings", group="rbac.authorization.k8s.io")
    assert not any(_allowed(cluster, scoring, "get", kind) for kind in ("pods", "configmaps", "secrets"))
    assert _allowed(cluster, person, "create", "jobs", group=names.DOMAIN)
    assert _allowed(cluster, person, "get", "jobs/log", group=names.DOMAIN)
    assert not _allowed(cluster, person, "create", "pipelineruns", group="tekton.dev")


def test_a_full_environment_still_takes_task_pods(cluster: Platform) -> None:
    manifest = json.loads(json.dumps(STRANGER.manifest(_image(cluster.base_image))))
    before = cluster.kubectl("-n", JOBS, "get", "quota", "modelops-jobs", "-o", "jsonpath={.spec.hard.pods}").decode()
    _limit_pods(cluster, "0")
    try:
        manifest["metadata"]["name"] = "late"
        with pytest.raises(ProgramError, match="exceeded quota: modelops-jobs"):
            cluster.apply(manifest)
        manifest["metadata"]["name"] = "cleanup"
        manifest["spec"]["priorityClassName"] = f"{PLATFORM}-{RELEASE}-task"
        cluster.apply(manifest)
    finally:
        _limit_pods(cluster, before)


def _limit_pods(cluster: Platform, count: str) -> None:
    patch = json.dumps({"spec": {"hard": {"pods": count}}})
    cluster.kubectl("-n", JOBS, "patch", "quota", "modelops-jobs", "--type=merge", "-p", patch)


def test_the_runner_can_remove_all_that_it_installed(cluster: Platform, tmp_path: Path) -> None:
    job = "j" + "c" * 20
    _install_job(cluster, tmp_path, job)
    plurals = ",".join(kinds.known(kind).plural for kind in sorted(render.job_kinds()))
    of_job = ("-n", JOBS, "-l", f"{names.RELEASE}={job}")
    deadline = time.monotonic() + 30
    while {item["kind"] for item in cluster.objects(plurals, *of_job)} != render.job_kinds():
        assert time.monotonic() < deadline, "a kind that the release does not have"
    runner = ("--kubeconfig", str(_runner_kubeconfig(cluster, tmp_path)))
    cluster.run("helm", "uninstall", job, "-n", JOBS, "--wait", "--cascade", "foreground", "--timeout", "60s", *runner)
    while left := cluster.objects(plurals, *of_job):
        assert time.monotonic() < deadline + 60, [item["kind"] for item in left]
