"""The task programs as processes against a real cluster and the real helm, killed at seeded moments."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from scheduler import names
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.model import canonical
from scheduler.preprocess import values_text
from scheduler.release import remains
from tests import real_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.helm, pytest.mark.timeout(300)]

HOME = Path(os.environ.get("MODELOPS_HOME") or "/var/lib/modelops")
OBJECTS = 60
"""Enough that helm is at work for a while."""
TEMPLATE = """\
{{- range $i := until (int .Values.objects) }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.Release.Name }}-{{ $i }}
  labels: {modelops.dev/release: {{ $.Release.Name }}}
data: {text: {{ $.Values.text | quote }}}
{{- end }}
"""


@pytest.fixture(scope="module")
def cluster() -> KubernetesCluster:
    return KubernetesCluster.from_kubeconfig(real_cluster.kubeconfig())


@pytest.fixture(scope="module")
def namespace(cluster: KubernetesCluster) -> Iterator[str]:
    name = f"tasks-{uuid.uuid4().hex[:8]}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete("Namespace", name)


class Programs:
    """`python -m scheduler.tasks …` for one job."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.job = names.job_id(namespace=namespace, key=uuid.uuid4().hex)
        self.namespace, self.folder = namespace, folder
        chart = folder / "assets" / "charts" / "scoring-pipeline"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: scoring-pipeline\nversion: 0.1.0\n")
        (chart / "templates" / "configmap.yaml").write_text(TEMPLATE)
        self.write(text="1e3")

    def write(self, *, text: str) -> None:
        values = {"objects": OBJECTS, "text": text}
        (self.folder / "ir.json").write_text("[]")
        (self.folder / "values.yaml").write_text(values_text.to_yaml(values))
        self._digests = (canonical.digest([]), canonical.digest(values))

    def start(self, task: str) -> subprocess.Popen[bytes]:
        arguments = [f"--job-id={self.job}", f"--namespace={self.namespace}", f"--result={self.folder / task}"]
        if task == "install":
            arguments += [f"--ir-digest={self._digests[0]}", f"--values-digest={self._digests[1]}"]
            arguments += ["--install-seconds=60", f"--input={self.folder}"]
        else:
            arguments += ["--finish-seconds=60"]
        helm = shutil.which("helm", path=f"{HOME / 'bin'}:{os.environ['PATH']}") or "helm"
        environ = {
            **os.environ,
            "KUBECONFIG": str(real_cluster.kubeconfig()),
            "MODELOPS_ASSETS": str(self.folder / "assets"),
            "PATH": f"{Path(helm).parent}:{os.environ['PATH']}",
        }
        command = [sys.executable, "-m", "scheduler.tasks", task, *arguments]
        log = (self.folder / f"{task}.log").open("ab")
        with log:
            return subprocess.Popen(command, env=environ, stdout=log, stderr=log)

    def run(self, task: str) -> tuple[int, dict[str, object]]:
        code = self.start(task).wait(timeout=90)
        outcome: dict[str, object] = json.loads((self.folder / task).read_text())
        return code, outcome


@pytest.fixture
def programs(tmp_path: Path, namespace: str) -> Programs:
    return Programs(tmp_path, namespace)


def records(cluster: KubernetesCluster, programs: Programs) -> list[str]:
    """States of helm's records of the release."""
    labels: dict[str, str | None] = {"owner": "helm", "name": programs.job}
    return [item["metadata"]["labels"]["status"] for item in cluster.list("Secret", programs.namespace, labels=labels)]


def left(cluster: KubernetesCluster, programs: Programs) -> list[str]:
    found = remains.find(programs.job, namespace=programs.namespace, cluster=cluster)
    return [remains.named(item) for item in found]


def test_a_release_comes_twice_and_goes_twice(cluster: KubernetesCluster, programs: Programs) -> None:
    for _ in range(2):
        code, outcome = programs.run("install")
        assert (code, outcome["outcome"]) == (0, "Succeeded"), outcome
    assert records(cluster, programs) == ["deployed"]
    made = cluster.get("ConfigMap", f"{programs.job}-0", programs.namespace)
    assert made["data"] == {"text": "1e3"}

    for _ in range(2):
        code, outcome = programs.run("uninstall")
        assert (code, outcome["cleanup"]) == (0, "CLEAN"), outcome
    assert left(cluster, programs) == []


def test_a_release_with_other_values_is_left_alone(programs: Programs) -> None:
    programs.run("install")
    programs.write(text="other")

    code, outcome = programs.run("install")

    assert (code, outcome["reason"]) == (1, "InstallFailed")
    assert "with other values" in str(outcome["message"])
    programs.run("uninstall")


@pytest.mark.parametrize("seed", range(20))
def test_an_install_that_is_killed_leaves_nothing_behind(
    cluster: KubernetesCluster, programs: Programs, seed: int
) -> None:
    """Half of them by SIGTERM, as Tekton cancels; half by SIGKILL, helm too, as a node is lost."""
    chance = random.Random(seed)
    process = programs.start("install")
    wait_until_helm_runs(process, seconds=10)
    time.sleep(chance.uniform(0, 0.9))
    if seed % 2:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=40)
        is_late = code == -signal.SIGTERM and (programs.folder / "install").exists()  # Python itself was at its end
        assert code in {0, 128 + signal.SIGTERM} or is_late
        assert "pending-install" not in records(cluster, programs)
    else:
        for pid in (*children(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=10)

    code, outcome = programs.run("uninstall")

    assert (code, outcome["cleanup"]) == (0, "CLEAN"), outcome
    assert records(cluster, programs) == []
    assert left(cluster, programs) == []


def test_a_killed_install_is_made_anew(cluster: KubernetesCluster, programs: Programs) -> None:
    process = programs.start("install")
    wait_until_helm_runs(process, seconds=10)
    deadline = time.monotonic() + 10
    while not records(cluster, programs) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in (*children(process.pid), process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait(timeout=10)

    code, outcome = programs.run("install")

    assert (code, outcome["outcome"]) == (0, "Succeeded"), outcome
    assert records(cluster, programs) == ["deployed"]
    assert len(cluster.list("ConfigMap", programs.namespace, labels={names.RELEASE: programs.job})) == OBJECTS
    programs.run("uninstall")


def children(pid: int) -> tuple[int, ...]:
    """Processes that threads of `pid` have started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return tuple(found)


def wait_until_helm_runs(process: subprocess.Popen[bytes], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not children(process.pid):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
