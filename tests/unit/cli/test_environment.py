"""`modelops environment` over an imaginary cluster and helm."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler.cli import environment, exit_codes, install
from scheduler.cluster.fake import FakeCluster
from scheduler.environments.changing import Ports
from scheduler.errors import ProgramError
from scheduler.helm.fake import FakeHelm
from scheduler.model.types import Values
from tests.unit.cli.conftest import Run
from tests.unit.environments import objects
from tests.unit.environments.objects import JOB, NAMESPACE, RELEASE
from tests.unit.installation import objects as installation

OURS = ("--namespace", NAMESPACE, "--release", RELEASE)
TWO: Values = {"global": {"environments": ["staging", "production"], "build": {"namespace": installation.BUILDS}}}


class Platform:
    """One platform, whose upgrades begin an installation of this end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.cluster = objects.Shy()
        self.end = "True"
        self.ports = self.given(TWO)

    def given(self, values: Values, **of: Any) -> Ports:
        self.ports = objects.ports(values, cluster=self.cluster, **of)
        self.helm.on_upgrade = lambda _: self._install()
        self._monkeypatch.setattr(environment, "_ports", lambda *_: self.ports)
        self._monkeypatch.setattr(install, "cluster_of", lambda _kubeconfig, _context: self.cluster)
        return self.ports

    @property
    def helm(self) -> FakeHelm:
        assert isinstance(self.ports.helm, FakeHelm)
        return self.ports.helm

    def environments(self) -> list[str]:
        found = self.helm.releases[NAMESPACE, RELEASE].values["global"]["environments"]
        return list(found)

    def _install(self) -> None:
        run = installation.run(1, status=self.end)
        run["metadata"]["labels"]["modelops.dev/installation"] = RELEASE
        self.cluster.put(run)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    return Platform(monkeypatch)


def test_an_environment_is_added_and_its_installation_waited_for(run: Run, platform: Platform) -> None:
    done = run("environment", "add", "qa", *OURS)

    assert (done.code, platform.environments()) == (0, ["staging", "production", "qa"])
    assert "'qa' is an environment of scoring.one; its namespace is new" in done.err
    assert "installation modelops-abababab-1" in done.err
    assert "succeeded" in done.out


def test_an_installation_that_fails_has_its_own_exit_code(run: Run, platform: Platform) -> None:
    platform.end = "False"

    done = run("environment", "add", "qa", *OURS, "-o", "json")

    assert done.code == exit_codes.OF_INSTALLATION["failed"]
    assert json.loads(done.out)["state"] == "failed"


@pytest.mark.parametrize("words", [("add", "qa"), ("remove", "production")])
def test_the_installation_need_not_be_waited_for(run: Run, platform: Platform, words: tuple[str, str]) -> None:
    platform.end = "Unknown"

    done = run("environment", *words, *OURS, "--no-wait")

    assert (done.code, done.out) == (0, "")
    assert ("upgrade", RELEASE) in platform.helm.calls


def test_what_is_there_already_is_no_fault_and_nothing_to_wait_for(run: Run, platform: Platform) -> None:
    done = run("environment", "add", "staging", *OURS)

    assert (done.code, done.out) == (0, "")
    assert "'staging' is an environment of scoring.one already" in done.err
    assert ("upgrade", RELEASE) not in platform.helm.calls


def test_a_release_of_prerequisites_installs_nothing(run: Run, platform: Platform) -> None:
    platform.given({"global": {"prerequisites": "only", "platform": {"name": "two"}}})

    done = run("environment", "add", "qa", *OURS)

    assert (done.code, done.out) == (0, "")
    assert "the release 'two' has to be changed as well" in done.err


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("add", "Q"), 3, "a namespace has at most 63"),
        (("add", "mine"), 5, "--adopt"),
        (("add", "qa", "--timeout", "soon"), 3, "--timeout"),
        (("remove", "other"), 4, "no environment of scoring.one"),
        (("remove", "production"), 5, JOB),
        (("show", "mine"), 4, "is no environment"),
    ],
)
def test_a_refusal_has_the_exit_code_of_its_kind(
    run: Run, platform: Platform, words: tuple[str, ...], code: int, why: str
) -> None:
    platform.cluster.put(objects.namespace("mine"))
    platform.cluster.put(objects.job(JOB, "production"))

    done = run("environment", *words, *(OURS if words[0] != "show" else ()))

    assert done.code == code
    assert why in done.err
    assert ("upgrade", RELEASE) not in platform.helm.calls


def test_a_namespace_is_adopted_and_an_environment_removed_by_force(run: Run, platform: Platform) -> None:
    platform.cluster.put(objects.namespace("mine"))
    platform.cluster.put(objects.job(JOB, "production"))

    added = run("environment", "add", "mine", "--adopt", *OURS)
    removed = run("environment", "remove", "production", "--force", *OURS)

    assert (added.code, removed.code, platform.environments()) == (0, 0, ["staging", "mine"])
    assert "kubectl delete namespace production" in removed.err


def test_a_list_is_a_table_for_people_and_a_document_for_programs(run: Run, platform: Platform) -> None:
    objects.furnish(platform.cluster, "staging")
    platform.cluster.put(objects.namespace("production", platform="theirs.two"))

    table = run("environment", "list").out.splitlines()
    document = json.loads(run("environment", "list", "-o", "json").out)

    assert [line.split() for line in table if "staging" in line or "production" in line] == [
        ["staging", "scoring.one", "ready", "1", "3/20", "restricted"],
        ["production", "theirs.two", "kept", "0", "-", "restricted"],
    ]
    assert table[0].split() == ["NAMESPACE", "PLATFORM", "STATE", "JOBS", "QUOTA", "(PODS)", "POD", "SECURITY"]
    assert document[0] == {
        "namespace": "staging",
        "platform": "scoring.one",
        "state": "ready",
        "jobs": 1,
        "pods": {"used": "3", "hard": "20"},
        "podSecurity": "restricted",
    }
    assert document[1]["pods"] is None


def test_one_is_shown_with_all_that_it_holds(run: Run, platform: Platform) -> None:
    objects.furnish(platform.cluster, "staging")

    shown = run("environment", "show", "staging").out
    document = yaml.safe_load(run("environment", "show", "staging", "-o", "yaml").out)

    for words in ("scoring.one", "ready", JOB, "modelops-runner", "scoring-job-v1", "flights, results"):
        assert words in shown
    assert ["modelops-jobs", "requests.cpu", "1500m", "2"] in [line.split() for line in shown.splitlines()]
    assert document["quotas"]["modelops-tasks"] == {"pods": {"used": "0", "hard": "7"}}
    assert document["channels"] == ["flights", "results"]


def test_what_may_not_be_seen_says_so(run: Run, platform: Platform) -> None:
    objects.furnish(platform.cluster, "staging")
    platform.cluster.hidden = frozenset({"PipelineRun", "ResourceQuota"})

    shown = [" ".join(line.split()) for line in run("environment", "show", "staging").out.splitlines()]

    assert "unfinished jobs may not be seen" in shown
    assert "quotas may not be seen" in shown
    assert "channels flights, results" in shown


def test_helm_is_the_caller_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "helm"
    script.write_text('#!/bin/sh\necho "$KUBECONFIG $HELM_KUBECONTEXT"\n')
    script.chmod(0o755)
    monkeypatch.setenv("MODELOPS_HELM", str(script))
    monkeypatch.setenv("KUBECONFIG", "/other")
    monkeypatch.delenv("HELM_KUBECONTEXT", raising=False)
    monkeypatch.setattr(install, "cluster_of", lambda _kubeconfig, _context: FakeCluster())

    assert environment._ports(Path("/mine"), "ada", None).helm.version() == "/mine ada"
    assert environment._ports(None, "", None).helm.version() == "/other"


def test_the_chart_is_our_own_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "cluster_of", lambda _kubeconfig, _context: FakeCluster())

    assert environment._ports(None, "", None).chart == objects.CHART
    assert environment._ports(None, "", Path("/theirs")).chart == Path("/theirs")


def test_ctrl_c_asks_helm_to_end_and_waits_for_it() -> None:
    helm = FakeHelm()
    before = signal.getsignal(signal.SIGINT)

    with environment._asked_to_end(helm):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(ProgramError, match="asked to end"):
            helm.version()

    assert helm.terminated
    assert signal.getsignal(signal.SIGINT) is before
