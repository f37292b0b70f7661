"""The program `modelops`, as people and scripts run it against the real platform."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR, Platform
from tests.e2e import callers as callers_
from tests.e2e import recipes
from tests.e2e.callers import Callers
from tests.e2e.program import Modelops
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RECIPE: Final = Recipe(name="by-hand", extra={"parameters": [{"name": "least", "type": "number", "default": 0}]})
WITHOUT_SOURCE: Final = Recipe(name="by-hand-failing")
CHANNEL: Final = "e2e-by-hand"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("command-line") / "modelops" / "config.json"


@pytest.fixture(scope="module")
def modelops(platform: Platform, config: Path) -> Modelops:
    """Logged in as the operator."""
    run = Modelops.of(platform, config=config)
    account = ("--account", OPERATOR, "--namespace", NAMESPACE)
    told = run.good("login", *account, "--environment", ENVIRONMENT, "--for", "1h")
    assert "logged in" in told
    return run


@pytest.fixture(scope="module")
def callers(platform: Platform) -> Iterator[Callers]:
    with callers_.present(platform) as found:
        yield found


def _ir(folder: Path, recipe: Recipe) -> str:
    """The recipe as an author keeps it: documents in a file, the model beside them, no digest."""
    documents = recipe.documents()
    model = next(document for document in documents if document["kind"] == "Model")
    del model["spec"]["sha256"]
    (folder / "pipeline.yaml").write_text(yaml.safe_dump_all(documents))
    path = folder / model["spec"]["artifact"]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(recipe.artifact)
    return str(folder)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return _ir(tmp_path, RECIPE)


@pytest.fixture(scope="module")
def revision(modelops: Modelops, jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The deployed pipeline, and its source."""
    jobs.files.put(RECIPE.source, RECIPE.source_of(recipes.rows(5)))
    found: Mapping[str, Any] = modelops.json("deploy", _ir(tmp_path_factory.mktemp("ir"), RECIPE))
    return found


def _wishes(word: str) -> tuple[str, ...]:
    said = {"--set": "least=1", "--label": f"suite={word}", "--deadline": "run=10m", "--trigger": '{"by": "hand"}'}
    return tuple(part for pair in said.items() for part in pair)


@pytest.fixture(scope="module")
def watched(modelops: Modelops, revision: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], str]:
    """A job that was started and watched: as it ended, what was told meanwhile, and its key."""
    key = uuid.uuid4().hex
    done = modelops("job", "start", RECIPE.name, *_wishes(key), "--key", key, "--watch", "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr.splitlines(), key


def test_a_login_is_kept_for_its_owner_alone(modelops: Modelops, config: Path) -> None:
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    kept = json.loads(config.read_text())
    again = modelops("login", "--account", OPERATOR, "-n", NAMESPACE, "-o", "yaml", MODELOPS_CONFIG=f"{config}.other")
    shown = yaml.safe_load(again.stdout)
    assert (shown["url"], shown["account"]) == (kept["url"], f"{NAMESPACE}/{OPERATOR}")
    assert kept["token"] not in again.stdout + again.stderr
    assert json.loads(Path(f"{config}.other").read_text())["token"] not in again.stdout


def test_an_ir_is_validated_without_a_cluster(modelops: Modelops, folder: str, tmp_path: Path) -> None:
    assert f"{RECIPE.name}: 9 documents, no problems" in modelops.good("validate", folder)
    assert modelops.json("validate", folder)["problems"] == []
    path = tmp_path / "pipeline.yaml"
    path.write_text(path.read_text().replace("mode: batch", "mode: bach"))
    done = modelops("validate", folder, "-o", "json")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.returncode, problem["file"], problem["pointer"]) == (3, "pipeline.yaml", "/spec/mode")
    assert "batch" in str(problem)
    told = modelops("validate", folder)
    assert (told.returncode, told.stdout) == (3, "")
    assert f"pipeline.yaml:{problem['line']}" in told.stderr


def test_a_plan_needs_no_cluster(modelops: Modelops, folder: str) -> None:
    away = {"KUBECONFIG": os.devnull, "MODELOPS_CONFIG": os.devnull + "/none"}
    done = modelops("plan", folder, "--set", "least=2", "-o", "json", **away)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert yaml.safe_load(plan["valuesText"]) == plan["values"]
    assert plan["values"]["scoring-flow"]["enabled"] is True
    kinds = {item["kind"] for item in plan["objects"]}
    assert {"ConfigMap", "Deployment", "Job", "NetworkPolicy", "Service"} <= kinds
    assert plan["totals"]["pods"] == 2
    assert plan["totals"]["requestMemoryBytes"] > 0
    shown = modelops("plan", folder, **away)
    assert shown.returncode == 0
    for word in (RECIPE.name, "Deployment/", "requests", plan["digests"]["values"]):
        assert word in shown.stdout
    assert yaml.safe_load(modelops("plan", folder, "-o", "yaml", **away).stdout)["pipeline"] == RECIPE.name


def test_a_plan_without_helm_and_bento_says_what_it_lacks(modelops: Modelops, folder: str, tmp_path: Path) -> None:
    done = modelops("plan", folder, "-o", "json", PATH=str(tmp_path))
    plan = json.loads(done.stdout)
    assert (done.returncode, plan["objects"], plan["totals"]) == (12, None, None)
    assert [note.split(":")[0] for note in plan["notes"]][:2] == ["NOT LINTED", "NOT RENDERED"]
    assert plan["values"]["scoring-flow"]["enabled"] is True


def test_a_plan_online_is_the_plan_of_the_environment(modelops: Modelops, folder: str) -> None:
    plan = modelops.json("plan", folder, "--online")
    assert plan["values"]["global"]["job"]["environment"] == ENVIRONMENT
    assert all("@sha256:" in image for image in plan["values"]["global"]["images"].values())


def test_deploying_again_makes_no_revision(modelops: Modelops, revision: Mapping[str, Any], tmp_path: Path) -> None:
    told = modelops.good("deploy", _ir(tmp_path, RECIPE))
    assert f"{RECIPE.name} revision {revision['revision']} (there already: the content is the same)" in told


def test_a_job_is_watched_to_its_end(
    watched: tuple[dict[str, Any], list[str], str], revision: Mapping[str, Any], jobs: Jobs
) -> None:
    job, told, key = watched
    assert (job["state"], job["cleanup"], job["records"]["written"]) == ("SUCCEEDED", "CLEAN", 5)
    assert (job["pipeline"], job["revision"]) == (RECIPE.name, revision["revision"])
    assert (job["parameters"], job["labels"], job["trigger"]) == ({"least": 1}, {"suite": key}, {"by": "hand"})
    assert job["deadlines"]["run"] == 600
    assert told[0] == f"idempotency key: {key}"
    assert told[1] == f"{job['id']} started"
    states = [line.split(" · ")[0] for line in told[2:]]
    assert states[-1] == "SUCCEEDED"
    assert "INSTALLING" in states
    jobs.assert_nothing_left(job["id"])


def test_the_same_key_starts_no_second_job(modelops: Modelops, watched: tuple[dict[str, Any], list[str], str]) -> None:
    job, _, key = watched
    told = modelops.good("job", "start", RECIPE.name, *_wishes(key), "--key", key)
    assert f"{job['id']} was started before, with the same key" in told
    other = modelops("job", "start", RECIPE.name, "--key", key)
    assert (other.returncode, "used with another body" in other.stderr) == (5, True)


def test_jobs_are_listed_and_shown_in_every_form(
    modelops: Modelops, watched: tuple[dict[str, Any], list[str], str]
) -> None:
    job, _, key = watched
    chosen = ("job", "list", "--label", f"suite={key}")
    head, _, row = modelops.good(*chosen).splitlines()
    assert head.split()[:4] == ["ID", "PIPELINE", "REV", "STATE"]
    assert row.split()[:2] == [job["id"], RECIPE.name]
    assert modelops.json(*chosen) == [job]
    assert modelops.json(*chosen, "--state", "FAILED") == []
    assert yaml.safe_load(modelops.good(*chosen, "-o", "yaml")) == [job]
    assert modelops.json("job", "show", job["id"]) == job
    assert yaml.safe_load(modelops.good("job", "show", job["id"], "-o", "yaml")) == job
    facts = modelops.good("job", "show", job["id"])
    assert re.search(r"^state +SUCCEEDED \(Completed\)$", facts, re.MULTILINE)
    assert re.search(r"^records +5 read, 5 written$", facts, re.MULTILINE)


def test_logs_of_tasks_are_read(modelops: Modelops, watched: tuple[dict[str, Any], list[str], str]) -> None:
    job, *_ = watched
    for task in names.TASKS:
        assert modelops.good("job", "logs", job["id"], "--source", task), task
    assert len(modelops.good("job", "logs", job["id"], "--source", "wait", "--tail", "1").splitlines()) == 1
    gone = modelops("job", "logs", job["id"])
    assert (gone.returncode, "has no pod of 'flow' now" in gone.stderr) == (4, True)


def test_a_job_that_fails_or_is_cancelled_has_an_exit_code_of_its_own(
    modelops: Modelops, jobs: Jobs, tmp_path: Path
) -> None:
    jobs.files.remove(WITHOUT_SOURCE.source)
    (tmp_path / "failing").mkdir()
    (tmp_path / "cancelled").mkdir()
    failing = modelops.json("job", "start", "--ir", _ir(tmp_path / "failing", WITHOUT_SOURCE))
    job = modelops.json("job", "start", "--ir", _ir(tmp_path / "cancelled", RECIPE))
    cancelled = modelops.good("job", "cancel", job["id"])
    assert re.match(rf"{job['id']} (CANCELLING|CANCELLED)", cancelled)
    assert modelops("job", "watch", job["id"]).returncode == 21
    done = modelops("job", "watch", failing["id"])
    assert (done.returncode, "SourceMissing" in done.stdout) == (20, True)
    assert "Check the source channel's volume and path." in done.stdout
    late = modelops("job", "cancel", failing["id"])
    assert (late.returncode, "its scoring is over, there is nothing to cancel" in late.stderr) == (5, True)


def test_channels_are_deployed_listed_shown_and_removed(modelops: Modelops, tmp_path: Path) -> None:
    documents = {document["metadata"]["name"]: document for document in RECIPE.documents()}
    channel = {"apiVersion": "modelops/v1", **documents["items"], "metadata": {"name": CHANNEL}}
    file = tmp_path / "channel.yaml"
    file.write_text(yaml.safe_dump_all([channel, documents["item"]]))
    modelops("channel", "remove", CHANNEL, "--force")
    assert modelops.good("channel", "deploy", str(file)) == f"{CHANNEL} registered in {ENVIRONMENT}\n"
    assert modelops.good("channel", "deploy", str(file)) == f"{CHANNEL} replaced in {ENVIRONMENT}\n"
    listed = modelops.good("channel", "list")
    assert re.search(rf"^{CHANNEL} +source +file +item +-$", listed, re.MULTILINE)
    assert CHANNEL in {item["name"] for item in modelops.json("channel", "list")}
    assert re.search(r"^value +number/double +yes$", modelops.good("channel", "show", CHANNEL), re.MULTILINE)
    assert modelops.json("channel", "show", CHANNEL)["channel"]["spec"]["config"]["path"] == RECIPE.source
    assert modelops.good("channel", "remove", CHANNEL) == f"{CHANNEL} removed from {ENVIRONMENT}\n"
    again = modelops("channel", "remove", CHANNEL)
    assert (again.returncode, again.stderr) == (
        4,
        f"error: environment '{ENVIRONMENT}' has no data channel '{CHANNEL}'\n",
    )


NOBODY: Final = "j" + "a" * 20


@pytest.mark.parametrize(
    ("code", "words", "environ"),
    [
        (2, ("job", "start", "--nonsense"), {}),
        (3, ("job", "start", "there-is-none"), {}),
        (4, ("job", "show", NOBODY), {}),
        (4, ("job", "list"), {"MODELOPS_CONFIG": "/nowhere/config.json"}),
        (6, ("job", "list"), {"MODELOPS_TOKEN": "nonsense"}),
        (7, ("job", "start", "by-hand", "-e", "default"), {}),
        (8, ("job", "list"), {"MODELOPS_URL": "http://127.0.0.1:9"}),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    modelops: Modelops, code: int, words: tuple[str, ...], environ: Mapping[str, str]
) -> None:
    done = modelops(*words, **environ)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_who_may_only_read_is_told_so(modelops: Modelops, callers: Callers, folder: str) -> None:
    who = {"MODELOPS_TOKEN": callers.viewer}
    assert modelops("job", "list", **who).returncode == 0
    for words in (("job", "start", RECIPE.name), ("deploy", folder)):
        done = modelops(*words, **who)
        assert (done.returncode, f"{callers_.VIEWER} may not create" in done.stderr) == (7, True)


def test_an_ir_that_is_too_large_has_its_exit_code(modelops: Modelops, folder: str, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("# " + "x" * (5 * 2**20))
    done = modelops("validate", folder)
    assert (done.returncode, "more than 4 MiB" in done.stderr) == (9, True)


def test_an_interrupted_watch_leaves_the_job_alone(modelops: Modelops, jobs: Jobs, tmp_path: Path) -> None:
    job = modelops.json("job", "start", "--ir", _ir(tmp_path, RECIPE))["id"]
    command = [sys.executable, "-m", "scheduler", "job", "watch", job]
    # a test run in a shell's background ignores the signal, and its children would inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watch = subprocess.Popen(command, env=dict(modelops.environ), stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    try:
        assert watch.stderr is not None
        assert watch.stderr.readline()
        watch.send_signal(signal.SIGINT)
        told = watch.communicate(timeout=20)[1]
    finally:
        watch.kill()
    assert watch.returncode == 130
    assert f"the job goes on: modelops job watch {job}" in told
    assert jobs.finish(job)["state"] == "SUCCEEDED"


def test_a_shell_can_be_taught_to_complete(modelops: Modelops) -> None:
    program = Path(sys.executable).with_name("modelops")
    environ = {**modelops.environ, "_MODELOPS_COMPLETE": "source_bash"}
    script = subprocess.run([program], env=environ, capture_output=True, text=True, timeout=20, check=True).stdout
    assert "_MODELOPS_COMPLETE=complete_" in script


def test_completion_knows_the_commands(modelops: Modelops) -> None:
    program = Path(sys.executable).with_name("modelops")
    asked = {"_MODELOPS_COMPLETE": "complete_bash", "COMP_WORDS": "modelops job s", "COMP_CWORD": "2"}
    environ = {**modelops.environ, **asked}
    found = subprocess.run([program], env=environ, capture_output=True, text=True, timeout=20, check=True).stdout
    assert found.split() == ["start", "show"]
