"""`modelops environment add|list|show|remove` on a platform of their own: what becomes of namespaces, jobs and data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.cli import exit_codes
from scheduler.demo import installation
from scheduler.demo.installation import OPERATOR, Platform
from scheduler.environments import claims
from scheduler.errors import ConflictError, ForbiddenError, NotFoundError, ProgramError
from tests.e2e import beside, small_platforms, support
from tests.e2e.deployed import Deployed
from tests.e2e.program import Modelops

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last]

NAME: Final = "branch"
"""Namespace and release of the platform."""
LABEL: Final = f"{NAME}.{NAME}"
FIRST: Final = "branch-jobs"
ADDED: Final = "branch-more"
ADOPTED: Final = "branch-adopted"
GIVEN: Final = "branch-given"
"""Adopted by helm alone."""
OURS: Final = ("--namespace", NAME, "--release", NAME)
DATA: Final = {"made": "before"}
QUOTAS: Final = {"modelops-jobs", "modelops-tasks", "modelops-objects"}
POLICIES: Final = {"modelops-default-deny", "modelops-tasks"}
ACCOUNTS: Final = {names.RUNNER_ACCOUNT, names.SCORING_ACCOUNT}
CONFLICT: Final = exit_codes.OF_ERROR[ConflictError]


@pytest.fixture(scope="module")
def platform(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """With the platform `branch`, its one environment, and an operator of it."""
    folder = tmp_path_factory.mktemp("branch")
    account = {"kind": "ServiceAccount", "name": OPERATOR, "namespace": NAME}
    theirs = small_platforms.write(small_platforms.images(deployed), folder / "images.yaml")
    values = {**beside.small(FIRST, keep=True), "access": {"operators": [account]}}
    own = small_platforms.write(values, folder / "branch.yaml")
    there = deployed.platform
    with small_platforms.cleared(there, NAME, FIRST, ADDED, ADOPTED, GIVEN):
        words = ("-n", NAME, "--create-namespace", "--values", str(theirs), "--values", str(own))
        there.run("helm", "install", NAME, beside.CHART, *words)
        there.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OPERATOR, "namespace": NAME}})
        yield there


@pytest.fixture(scope="module")
def modelops(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Modelops:
    """Logged in as the operator, with the administrator's kubeconfig."""
    run = Modelops.of(platform, config=tmp_path_factory.mktemp("login") / "config.json")
    run.good("install", "wait", *OURS)
    run.good("login", "--account", OPERATOR, "--namespace", NAME, "--environment", FIRST, "--for", "1h")
    return run


@pytest.fixture(scope="module")
def added(modelops: Modelops, platform: Platform) -> str:
    """An environment that has been added, with an object of somebody's in it; what the command told."""
    done = modelops("environment", "add", ADDED, *OURS)
    assert done.returncode == 0, done.stderr
    platform.apply(_data(ADDED))
    return done.stderr


def _data(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": namespace},
        "data": DATA,
    }


def _kept(platform: Platform, namespace: str) -> Any:
    return json.loads(platform.kubectl("get", "configmap", "theirs", "-n", namespace, "-o", "json"))["data"]


def _names(platform: Platform, kind: str, namespace: str) -> set[str]:
    return {item["metadata"]["name"] for item in platform.objects(kind, "-n", namespace)}


def _labels(platform: Platform, namespace: str) -> dict[str, str]:
    found = json.loads(platform.kubectl("get", "namespace", namespace, "-o", "json"))
    labels: dict[str, str] = found["metadata"]["labels"]
    return labels


def _listed(modelops: Modelops) -> dict[str, dict[str, Any]]:
    return {one["namespace"]: one for one in modelops.json("environment", "list")}


def _revision(platform: Platform) -> int:
    return int(json.loads(platform.run("helm", "status", NAME, "-n", NAME, "-o", "json"))["version"])


def _upgrade(platform: Platform, *environments: str) -> None:
    """The platform's release with these environments and else the same values, by helm alone."""
    words = ("--reuse-values", "--set", f"global.environments={{{','.join(environments)}}}", "--timeout", "5m")
    platform.run("helm", "upgrade", NAME, beside.CHART, "-n", NAME, *words)


def test_an_added_environment_runs_a_job(modelops: Modelops, added: str, tmp_path: Path) -> None:
    assert f"'{ADDED}' is an environment of {LABEL}; its namespace is new" in added
    assert "deploy: deployed" in added

    job = modelops.json("job", "start", "--ir", small_platforms.small_job(tmp_path), "--environment", ADDED, "--watch")

    assert (job["state"], job["environment"], job["cleanup"]) == ("SUCCEEDED", ADDED, "CLEAN")
    ledger = support.ledger(job)
    assert (ledger["read"], ledger["written"] + ledger.get("filtered", 0)) == (100, 100)


@pytest.mark.usefixtures("added")
def test_what_is_there_is_told_to_people_and_programs(modelops: Modelops) -> None:
    listed = _listed(modelops)
    assert {listed[name]["platform"] for name in (FIRST, ADDED)} == {LABEL}
    one = listed[ADDED]
    assert (one["state"], one["jobs"], one["podSecurity"]) == ("ready", 0, "restricted")
    assert int(one["pods"]["hard"]) == 20
    line = next(line for line in modelops.good("environment", "list").splitlines() if line.startswith(ADDED))
    assert line.split() == [ADDED, LABEL, "ready", "0", f"{one['pods']['used']}/20", "restricted"]

    shown = modelops.json("environment", "show", ADDED)
    assert set(shown["accounts"]) >= ACCOUNTS
    assert set(shown["quotas"]) == QUOTAS
    assert shown["pipelines"] == [names.PIPELINE_NAME]
    assert shown["channels"] == ["test-sink", "test-source"]
    told = modelops.good("environment", "show", ADDED)
    for word in (LABEL, "ready", names.RUNNER_ACCOUNT, names.PIPELINE_NAME, "test-source", "requests.memory"):
        assert word in told
    nowhere = modelops("environment", "show", "nowhere")
    assert nowhere.returncode == exit_codes.OF_ERROR[NotFoundError]
    assert "there is no namespace 'nowhere'" in nowhere.stderr


@pytest.mark.usefixtures("added")
def test_what_contradicts_what_is_there_is_refused_and_changes_nothing(modelops: Modelops, platform: Platform) -> None:
    before = (_revision(platform), _labels(platform, installation.ENVIRONMENT))
    others = modelops("environment", "add", installation.ENVIRONMENT, "--adopt", *OURS)
    assert others.returncode == CONFLICT
    assert f"belongs to the platform {installation.NAMESPACE}.{installation.RELEASE}" in others.stderr
    again = modelops("environment", "add", ADDED, *OURS)
    assert (again.returncode, again.stdout) == (0, "")
    assert "already" in again.stderr
    for words, code, told in (
        (("add", NAME), 3, "the platform's own namespace"),
        (("add", "qa", "--release", "nothing"), 4, "there is no release 'nothing'"),
        (("remove", "qa"), 4, f"(there are {FIRST}, {ADDED})"),
        (("remove", installation.ENVIRONMENT), 4, f"is no environment of {LABEL}"),
    ):
        done = modelops("environment", words[0], words[1], *OURS, *words[2:])
        assert done.returncode == code, done.stderr
        assert told in done.stderr
    assert (_revision(platform), _labels(platform, installation.ENVIRONMENT)) == before


@pytest.mark.usefixtures("added")
def test_an_environment_with_an_unfinished_job_stays_and_goes_afterwards(
    modelops: Modelops, platform: Platform, tmp_path: Path
) -> None:
    ir = small_platforms.small_job(tmp_path, is_endless=True)
    job = modelops.json("job", "start", "--ir", ir, "--environment", ADDED)["id"]
    try:
        before = _revision(platform)
        refused = modelops("environment", "remove", ADDED, *OURS)
        assert refused.returncode == CONFLICT
        assert f"'{ADDED}' has 1 unfinished job: {job}; wait for them or cancel them, or give --force" in refused.stderr
        assert _revision(platform) == before
        with pytest.raises(ProgramError) as caught:
            _upgrade(platform, FIRST)
        assert f"{ADDED} is named no more and has 1 unfinished job: {job}; wait for them" in caught.value.output
        assert _revision(platform) == before
        assert _listed(modelops)[ADDED]["jobs"] == 1
        assert modelops.json("environment", "show", ADDED)["jobs"] == [job]
    finally:
        modelops("job", "cancel", job)
    ended = modelops("job", "watch", job, "-o", "json")
    assert (ended.returncode, json.loads(ended.stdout)["state"]) == (
        exit_codes.of_job("CANCELLED", "CLEAN"),
        "CANCELLED",
    )

    done = modelops("environment", "remove", ADDED, *OURS)

    assert done.returncode == 0, done.stderr
    assert f"'{ADDED}' is no environment of {LABEL}; its namespace stays" in done.stderr
    assert _kept(platform, ADDED) == DATA
    assert job in _names(platform, "pipelineruns.tekton.dev", ADDED)
    assert _labels(platform, ADDED)[names.PLATFORM] == LABEL
    assert _names(platform, "serviceaccounts", ADDED) & ACCOUNTS == set()
    for kind in ("resourcequotas", "networkpolicies", "roles", "rolebindings", "pipelines.tekton.dev"):
        assert _names(platform, kind, ADDED) == set(), kind
    assert _listed(modelops)[ADDED]["state"] == "kept"
    late = modelops("job", "start", "--ir", ir, "--environment", ADDED)
    assert late.returncode == exit_codes.OF_ERROR[ForbiddenError], late.stderr
    last = modelops("environment", "remove", FIRST, *OURS)
    assert last.returncode == CONFLICT
    assert f"'{FIRST}' is the only environment of {LABEL}" in last.stderr


def test_a_namespace_that_is_there_is_taken_only_when_that_is_said(modelops: Modelops, platform: Platform) -> None:
    metadata = {"name": ADOPTED, "labels": {"team": "risk"}}
    platform.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, _data(ADOPTED))
    before = (_revision(platform), _labels(platform, ADOPTED))

    refused = modelops("environment", "add", ADOPTED, *OURS)

    assert refused.returncode == CONFLICT
    assert f"the namespace '{ADOPTED}' is there and belongs to no platform; with --adopt" in refused.stderr
    assert (_revision(platform), _labels(platform, ADOPTED)) == before
    assert _names(platform, "resourcequotas,networkpolicies", ADOPTED) == set()

    taken = modelops("environment", "add", ADOPTED, "--adopt", *OURS)

    assert taken.returncode == 0, taken.stderr
    assert "its namespace was there and stays with what is in it" in taken.stderr
    wanted = {**claims.needed(ADOPTED, platform=LABEL), "team": "risk"}
    assert wanted.items() <= _labels(platform, ADOPTED).items()
    assert _names(platform, "resourcequotas", ADOPTED) == QUOTAS
    assert _names(platform, "networkpolicies", ADOPTED) == POLICIES
    assert _kept(platform, ADOPTED) == DATA
    assert _listed(modelops)[ADOPTED]["state"] == "ready"


def test_helm_takes_a_namespace_that_is_there_after_the_commands_of_its_refusal(platform: Platform) -> None:
    platform.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GIVEN}}, _data(GIVEN))
    given = json.loads(platform.run("helm", "get", "values", NAME, "-n", NAME, "-o", "json"))
    wanted = (*given["global"]["environments"], GIVEN)
    with pytest.raises(ProgramError) as caught:
        _upgrade(platform, *wanted)
    _, _, remedy = caught.value.output.partition(f"{GIVEN} is there and not this release's; to take it")
    _, _, commands = remedy.partition(": ")
    for command in commands.partition(" (for")[0].split(" && "):
        program, *words = command.split()
        assert program == "kubectl"
        platform.kubectl(*words)

    _upgrade(platform, *wanted)

    assert claims.needed(GIVEN, platform=LABEL).items() <= _labels(platform, GIVEN).items()
    assert _names(platform, "resourcequotas", GIVEN) == QUOTAS
    assert _kept(platform, GIVEN) == DATA
