"""Whole commands against both real servers."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler import names
from scheduler.cli import exit_codes
from scheduler.cluster.fake import Rule
from tests.unit import world
from tests.unit.cli.conftest import Platform, Run
from tests.unit.tekton import runs
from tests.unit.world import ENVIRONMENT, PIPELINE

EXAMPLE = Path(__file__).parents[3] / "ir-schemas" / "examples" / "valid" / "own-channels"
START = ("job", "start", PIPELINE, "--set", "day=2026-01-31")


def _json(run: Run, *words: str) -> Any:
    result = run(*words, "-o", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def _job(run: Run, platform: Platform, *more: str) -> Any:
    """A started job that the server's own view has caught up with."""
    job = _json(run, *START, *more)
    platform.world.settle(lambda: platform.world.board.job(ENVIRONMENT, job["id"]))
    return job


def _end(platform: Platform, job_id: str, scored: Mapping[str, object] = runs.SCORED) -> None:
    """Play Tekton: all three tasks and the run are over."""
    is_good = scored["outcome"] == "Succeeded"
    for task, outcome in (("install", runs.INSTALLED), ("wait", scored), ("uninstall", runs.CLEAN)):
        status = ("True", "Succeeded") if is_good or task != "wait" else ("False", "Failed")
        made = json.loads(json.dumps(runs.task(task, *status, outcome=outcome)).replace(runs.JOB, job_id))
        platform.world.cluster.create(made)
        platform.world.cluster.set_status("TaskRun", made["metadata"]["name"], ENVIRONMENT, made["status"])
    platform.world.settle(lambda: getattr(platform.world.board.job(ENVIRONMENT, job_id), "records", None))
    over: Any = runs.run(*(("True", "Succeeded") if is_good else ("False", "Failed")))
    platform.world.cluster.set_status("PipelineRun", job_id, ENVIRONMENT, over["status"])


def test_deploying_uploads_models_once_and_makes_a_revision_once(run: Run, platform: Platform) -> None:
    first = _json(run, "deploy", str(EXAMPLE))
    assert (first["revision"], first["created"], first["uploaded"]) == (1, True, ["outlier"])
    again = _json(run, "deploy", str(EXAMPLE))
    assert (again["revision"], again["created"], again["uploaded"]) == (1, False, [])
    assert "revision 1 (there already: the content is the same)" in run("deploy", str(EXAMPLE)).out


def test_a_job_is_started_once_for_one_key(run: Run, platform: Platform) -> None:
    first = run(*START, "--key", "k1")
    assert first.code == 0
    assert "idempotency key: k1" in first.err
    assert "started" in first.out
    again = run(*START, "--key", "k1")
    assert "was started before, with the same key" in again.out
    assert len(platform.world.runs()) == 1


def test_a_key_is_made_and_told_when_none_is_given(run: Run, platform: Platform) -> None:
    result = run(*START)
    key = result.err.split("idempotency key: ")[1].split()[0]
    assert names.job_id(namespace=ENVIRONMENT, key=key) in result.out


def test_another_order_under_the_same_key_is_a_conflict(run: Run, platform: Platform) -> None:
    run(*START, "--key", "k1")
    result = run(*START, "--key", "k1", "--label", "a=b")
    assert result.code == 5
    assert "another body" in result.err


def test_everything_that_is_said_of_a_job_reaches_it(run: Run, platform: Platform) -> None:
    more = ("--label", "team=ops", "--deadline", "run=90m", "--trigger", '{"by": "cron"}', "--revision", "1")
    job = _job(run, platform, *more)
    assert (job["labels"], job["trigger"], job["revision"]) == ({"team": "ops"}, {"by": "cron"}, 1)
    assert (job["deadlines"]["run"], job["parameters"]["day"]) == (5400, "2026-01-31")


def test_a_job_is_started_from_a_folder_with_its_models(run: Run, platform: Platform) -> None:
    job = _json(run, "job", "start", "--ir", str(EXAMPLE), "--set", "day=2026-01-31")
    assert (job["pipeline"], job["revision"]) == (PIPELINE, None)


def test_a_job_is_started_from_git(run: Run, platform: Platform) -> None:
    job = _json(run, "job", "start", "--git", "team/meters.git", "--set", "day=2026-01-31")
    assert job["git"]["commit"] == world.COMMIT


@pytest.mark.parametrize("words", [(), ("a", "--git", "b"), ("a", "--ir", "b")])
def test_exactly_one_thing_is_started(run: Run, platform: Platform, words: tuple[str, ...]) -> None:
    result = run("job", "start", *words)
    assert result.code == 3
    assert "exactly one of PIPELINE, --ir and --git" in result.err


def test_all_faults_of_an_order_are_told(run: Run, platform: Platform) -> None:
    result = run(*START, "--set", "nothing=1", "--set", "also=2")
    assert result.code == 3
    assert "'nothing'" in result.err
    assert "'also'" in result.err


def test_jobs_are_listed_and_filtered(run: Run, platform: Platform) -> None:
    job = _job(run, platform, "--label", "team=ops")
    _job(run, platform)
    assert len(_json(run, "job", "list")) == 2
    assert [found["id"] for found in _json(run, "job", "list", "--label", "team=ops")] == [job["id"]]
    assert _json(run, "job", "list", "--state", "FAILED", "--state", "SUCCEEDED") == []
    assert len(_json(run, "job", "list", "--limit", "1")) == 1
    table = run("job", "list").out
    assert "PIPELINE" in table
    assert job["id"] in table


def test_a_job_is_shown_for_people_and_programs(run: Run, platform: Platform) -> None:
    job = _job(run, platform)
    shown = run("job", "show", job["id"]).out
    assert job["id"] in shown
    assert "QUEUED" in shown
    assert yaml.safe_load(run("job", "show", job["id"], "-o", "yaml").out)["id"] == job["id"]


def test_an_unknown_job_is_not_found(run: Run, platform: Platform) -> None:
    assert run("job", "show", "j" + "a" * 20).code == 4


FAILED = {**runs.SCORED, "outcome": "Failed", "reason": "TooManyDeadLetters", "message": "1 of 10 records"}


@pytest.mark.parametrize(
    ("scored", "code", "words"), [(runs.SCORED, 0, "SUCCEEDED"), (FAILED, 20, "TooManyDeadLetters")]
)
def test_watching_ends_with_the_job_and_tells_how(
    run: Run, platform: Platform, scored: Mapping[str, object], code: int, words: str
) -> None:
    job = _job(run, platform)
    ending = threading.Timer(0.3, _end, (platform, job["id"], scored))
    ending.start()
    result = run("job", "watch", job["id"])
    ending.join()
    assert result.code == code, result
    assert result.err.splitlines()[0].startswith("QUEUED")
    assert words in result.out
    assert "10 read, 8 written, 1 dead-lettered, 1 filtered" in result.out


def test_a_job_can_be_started_and_watched_at_once(run: Run, platform: Platform) -> None:
    job_id = names.job_id(namespace=ENVIRONMENT, key="k")

    def end() -> None:
        platform.world.settle(lambda: platform.world.board.job(ENVIRONMENT, job_id))
        _end(platform, job_id)

    ending = threading.Thread(target=end)
    ending.start()
    result = run(*START, "--key", "k", "--watch", "-o", "json")
    ending.join()
    assert (result.code, json.loads(result.out)["state"]) == (0, "SUCCEEDED")


def test_a_job_is_cancelled(run: Run, platform: Platform) -> None:
    job = _job(run, platform)
    result = run("job", "cancel", job["id"])
    assert result.code == 0
    assert f"{job['id']} CANCELL" in result.out


@pytest.mark.parametrize("mode", ["cancel", "drain"])
def test_a_finished_job_is_not_cancelled(run: Run, platform: Platform, mode: str) -> None:
    job = _job(run, platform)
    _end(platform, job["id"])
    assert run("job", "cancel", job["id"], "--mode", mode).code == 5


def test_logs_are_read(run: Run, platform: Platform) -> None:
    job = _job(run, platform)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "flow-pod",
            "namespace": ENVIRONMENT,
            "labels": {names.RELEASE: job["id"], names.COMPONENT: "flow"},
        },
        "spec": {"containers": [{"name": "runner"}]},
    }
    platform.world.cluster.create(pod)
    platform.world.cluster.logs[(ENVIRONMENT, "flow-pod", "runner")] = ["first", "second"]
    result = run("job", "logs", job["id"])
    assert (result.code, result.out) == (0, "first\nsecond\n")
    assert run("job", "logs", job["id"], "--source", "install").code == 4


def _channel(folder: Path, name: str = "flights") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump_all(world.channel_documents(name)))
    return file


def test_channels_are_deployed_listed_shown_and_removed(run: Run, platform: Platform, tmp_path: Path) -> None:
    files = [str(_channel(tmp_path, name)) for name in ("flights", "others")]
    assert run("channel", "deploy", *files).out == "flights registered in staging\nothers registered in staging\n"
    assert run("channel", "deploy", files[0]).out == "flights replaced in staging\n"
    assert [item["name"] for item in _json(run, "channel", "list")] == ["flights", "others"]
    assert "source" in run("channel", "list").out
    shown = run("channel", "show", "flights").out
    assert "carrier" in shown
    assert "path=flights.csv" in shown
    assert run("channel", "remove", "flights").out == "flights removed from staging\n"
    assert run("channel", "show", "flights").code == 4


def test_every_fault_of_every_channel_file_is_told(run: Run, platform: Platform, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("kind: DataChannel")
    result = run("channel", "deploy", str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml"))
    assert result.code == 3
    assert "one.yaml" in result.err
    assert "two.yaml" in result.err


def test_the_server_plans_with_what_the_environment_has(run: Run, platform: Platform) -> None:
    plan = _json(run, "plan", str(EXAMPLE), "--online", "--set", "day=2026-01-31")
    assert plan["pipeline"] == PIPELINE
    assert "registry.example/" in json.dumps(plan["values"])
    assert platform.world.runs() == []
    assert "objects" in run("plan", str(EXAMPLE), "--online", "--set", "day=2026-01-31").out


def test_who_is_not_logged_in_is_told_what_to_do(run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELOPS_TOKEN")
    result = run("job", "list")
    assert (result.code, "modelops login" in result.err) == (6, True)
    monkeypatch.setenv("MODELOPS_TOKEN", "wrong")
    assert run("job", "list").code == 6
    monkeypatch.delenv("MODELOPS_URL")
    assert run("job", "list").code == 4


def test_who_may_not_is_told_so(run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = world.allow(platform.world.cluster, "viewer", Rule("viewer", verb="get", namespace=ENVIRONMENT))
    monkeypatch.setenv("MODELOPS_TOKEN", viewer)
    result = run(*START)
    assert result.code == 7
    assert "viewer may not create jobs.modelops.dev" in result.err
    assert run("deploy", str(EXAMPLE)).code == 7


def test_a_server_that_is_not_there_is_unavailable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELOPS_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("MODELOPS_TOKEN", "t")
    result = run("job", "show", "j" + "a" * 20)
    assert result.code == exit_codes.NOT_READY
    assert "http://127.0.0.1:1 does not answer" in result.err
