"""Submit: one key makes one job, whatever fails in between."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

import pytest
import yaml

from scheduler import names
from scheduler.channels import registry
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, InvalidInputError, TooLargeError, UnavailableError
from scheduler.ir import load
from scheduler.jobs import submit, sweep
from scheduler.jobs.order import GitPlace
from scheduler.model import canonical
from scheduler.model.job import Cleanup, JobState
from scheduler.model.types import Manifest
from tests.unit import world
from tests.unit.faulty import FaultyCluster, Killed, each_step, lost
from tests.unit.world import ENVIRONMENT, World


def assert_one_started_job(here: World) -> Manifest:
    """One run, not pending, and one ConfigMap, which it owns."""
    (run,) = here.runs()
    (given,) = here.cluster.list("ConfigMap", ENVIRONMENT, labels={names.JOB_ID: None})
    assert "status" not in run["spec"]
    assert [owner["uid"] for owner in given["metadata"]["ownerReferences"]] == [run["metadata"]["uid"]]
    assert names.UNCOMMITTED not in given["metadata"]["labels"]
    assert run["spec"]["workspaces"][0]["configMap"]["name"] == given["metadata"]["name"]
    params = {param["name"]: param["value"] for param in run["spec"]["params"]}
    assert params["values-digest"] == canonical.digest(yaml.safe_load(given["data"]["values.yaml"]))
    assert f'"id": "{run["metadata"]["name"]}"' not in given["data"]["ir.json"]
    return run


def test_a_job_is_made_whole() -> None:
    here = world.build()

    made = submit.submit(world.order(labels={"team": "ops"}), key="k", by="ada", ports=here.ports)

    run = assert_one_started_job(here)
    assert made.is_new
    assert (made.job.state, made.job.cleanup) == (JobState.QUEUED, Cleanup.NOT_NEEDED)
    assert made.job.id == run["metadata"]["name"] == names.job_id(namespace=ENVIRONMENT, key="k")
    assert made.job.submission.submitted_by == "ada"
    assert made.job.submission.revision == 1
    assert run["metadata"]["labels"]["label.modelops.dev/team"] == "ops"
    assert here.store.grants == {(model.sha256, ENVIRONMENT) for model in world.LOADED.pipeline.models}


def test_the_same_key_and_body_is_the_same_job() -> None:
    here = world.build()
    first = submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    again = submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert (again.is_new, again.job.id) == (False, first.job.id)
    assert_one_started_job(here)


def test_another_body_under_the_same_key_is_refused_and_changes_nothing() -> None:
    here = world.build()
    submit.submit(world.order(), key="k", by="ada", ports=here.ports)
    before = here.runs()

    with pytest.raises(ConflictError, match="another body"):
        submit.submit(world.order(labels={"a": "b"}), key="k", by="ada", ports=here.ports)

    assert here.runs() == before


def test_a_key_belongs_to_its_environment() -> None:
    here = world.build()

    first = submit.submit(world.order(), key="k", by="ada", ports=here.ports)
    second = submit.submit(world.order(environment=world.OTHER), key="k", by="ada", ports=here.ports)

    assert first.job.id != second.job.id


def test_without_a_key_every_call_is_a_job() -> None:
    here = world.build()

    ids = {submit.submit(world.order(), key="", by="ada", ports=here.ports).job.id for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize(("at", "when"), list(each_step()))
@pytest.mark.parametrize("fault", [Killed, lost], ids=["killed", "lost"])
def test_a_retry_after_a_fault_at_any_step_makes_exactly_one_job(
    at: int, when: Literal["before", "after"], fault: Any
) -> None:
    here = world.build()
    faulty = FaultyCluster(here.cluster, at=at, when=when, fault=fault)
    failed = False
    try:
        submit.submit(world.order(), key="k", by="ada", ports=here.on(cast("Cluster", faulty)))
    except (Killed, UnavailableError):
        failed = True
    assert failed == (len(faulty.seen) > at)

    made = submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    run = assert_one_started_job(here)
    assert made.job.id == run["metadata"]["name"]


@pytest.mark.parametrize(("at", "when"), list(each_step()))
def test_once_the_run_exists_the_job_starts_without_a_retry(at: int, when: Literal["before", "after"]) -> None:
    here = world.build()
    faulty = FaultyCluster(here.cluster, at=at, when=when)
    with suppress(Killed):
        submit.submit(world.order(), key="k", by="ada", ports=here.on(cast("Cluster", faulty)))
    has_run = bool(here.runs())
    here.board.mirror.start()
    here.settle(lambda: here.board.mirror.is_healthy)
    later = datetime.now(UTC) + timedelta(seconds=700)
    environments = here.ports.settings.environments

    sweep.runs(environments, board=here.board, cluster=here.cluster, now=later)
    sweep.inputs(environments, cluster=here.cluster, now=later)
    here.board.mirror.stop()

    if has_run:
        assert_one_started_job(here)
    else:
        assert here.cluster.list("ConfigMap", ENVIRONMENT).items == ()


def test_a_retry_keeps_what_the_first_try_had_made() -> None:
    here = world.build()
    faulty = FaultyCluster(here.cluster, at=3, when="before")
    with pytest.raises(Killed):
        submit.submit(world.order(), key="k", by="ada", ports=here.on(cast("Cluster", faulty)))
    assert faulty.seen[-1] == "create"
    (first,) = here.cluster.list("ConfigMap", ENVIRONMENT, labels={names.UNCOMMITTED: None})
    here.store.revisions[world.PIPELINE, 2] = here.store.revisions[world.PIPELINE, 1]

    made = submit.submit(world.order(), key="k", by="grace", ports=here.ports)

    assert_one_started_job(here)
    assert here.cluster.get("ConfigMap", first["metadata"]["name"], ENVIRONMENT)["data"] == first["data"]
    assert (made.job.submission.revision, made.job.submission.submitted_by) == (1, "ada")


def test_a_run_whose_input_is_gone_ends_instead_of_waiting_for_ever() -> None:
    here = world.build()
    faulty = FaultyCluster(here.cluster, at=4, when="before")
    with pytest.raises(Killed):
        submit.submit(world.order(), key="k", by="ada", ports=here.on(cast("Cluster", faulty)))
    (run,) = here.runs()
    here.cluster.delete("ConfigMap", run["metadata"]["annotations"][names.INPUT], ENVIRONMENT)

    made = submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert here.runs()[0]["spec"]["status"] == "Cancelled"
    assert made.job.state == JobState.CANCELLING


def test_many_at_once_with_one_key_make_one_job() -> None:
    here = world.build()
    made: list[submit.Submitted] = []

    world.in_threads(16, lambda _: made.append(submit.submit(world.order(), key="k", by="ada", ports=here.ports)))

    assert_one_started_job(here)
    assert len({item.job.id for item in made}) == 1
    assert [item.is_new for item in made].count(True) == 1


def test_many_at_once_with_two_bodies_make_one_job_and_refuse_the_rest() -> None:
    here = world.build()
    outcomes: list[tuple[int, str]] = []

    def act(number: int) -> None:
        wanted = world.order(labels={"body": str(number % 2)})
        try:
            submit.submit(wanted, key="k", by="ada", ports=here.ports)
        except ConflictError:
            outcomes.append((number % 2, "refused"))
        else:
            outcomes.append((number % 2, "accepted"))

    world.in_threads(16, act)

    (run,) = here.runs()
    winner = int(run["metadata"]["labels"]["label.modelops.dev/body"])
    assert sorted(outcomes) == sorted([(winner, "accepted")] * 8 + [(1 - winner, "refused")] * 8)


def test_a_faulty_order_touches_nothing() -> None:
    here = world.build()
    before = list(here.cluster.calls)

    with pytest.raises(InvalidInputError) as caught:
        submit.submit(world.order(parameters={"dya": "x"}), key="k", by="ada", ports=here.ports)

    words = str(caught.value)
    assert "dya" in words
    assert "day" in words
    assert not {verb for verb, _ in here.cluster.calls[len(before) :]} & {"create", "patch", "delete"}
    assert here.store.grants == set()


def test_only_the_channels_that_the_order_names_are_read() -> None:
    here = world.build()
    own = [document for document in world.DOCUMENTS if document["kind"] != "DataChannel"]
    schemas = [document for document in own if document["kind"] == "RecordSchema"]
    for channel in (document for document in world.DOCUMENTS if document["kind"] == "DataChannel"):
        for name in (channel["metadata"]["name"], f"no-{channel['metadata']['name']}"):
            schema = next(item for item in schemas if item["metadata"]["name"] == channel["spec"]["schema"])
            config = {**channel["spec"]["config"], "path": name}  # they see no parameters
            spec = {**channel["spec"], "config": config}
            named = {**channel, "apiVersion": "modelops/v1", "metadata": {"name": name}, "spec": spec}
            (loaded,) = load.channels_from_documents([named, schema])
            here.cluster.create(registry.build(loaded, environment=ENVIRONMENT))
    before = len(here.cluster.calls)

    submit.submit(world.order(pipeline="", ir=tuple(own)), key="k", by="ada", ports=here.ports)

    asked = here.cluster.calls[before:]
    assert ("list", "ConfigMap") not in asked
    assert asked.count(("get", "ConfigMap")) == len(world.DOCUMENTS) - len(own)
    assert_one_started_job(here)


def test_an_order_that_brings_its_channels_asks_for_none() -> None:
    here = world.build()

    submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert not {("list", "ConfigMap"), ("get", "ConfigMap")} & set(here.cluster.calls)


def test_a_channel_that_is_not_there_is_told_with_those_that_are() -> None:
    here = world.build()
    own = tuple(document for document in world.DOCUMENTS if document["kind"] != "DataChannel")
    (loaded,) = load.channels_from_documents(world.channel_documents("elsewhere"))
    here.cluster.create(registry.build(loaded, environment=ENVIRONMENT))

    with pytest.raises(InvalidInputError, match="no data channel is named") as caught:
        submit.submit(world.order(pipeline="", ir=own), key="k", by="ada", ports=here.ports)

    assert any("elsewhere" in candidate for problem in caught.value.problems for candidate in problem.candidates)


def test_every_fault_of_an_order_is_told_at_once() -> None:
    here = world.build()
    wanted = world.order(git=GitPlace(path="a", ref="b"), labels={"-x": "ok", "ok": "no good"})

    with pytest.raises(InvalidInputError) as caught:
        submit.submit(wanted, key="k", by="ada", ports=here.ports)

    assert [problem.pointer for problem in caught.value.problems] == ["", "/labels", "/labels/ok"]


def test_a_model_that_is_not_stored_is_named() -> None:
    here = world.build()
    here.store.artifacts.clear()

    with pytest.raises(InvalidInputError, match=r"Model/outlier .*upload it with `modelops deploy`"):
        submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert here.runs() == []


def test_a_flow_that_the_engine_refuses_is_not_started() -> None:
    here = world.build()
    here.lint._refused["pipeline"] = "unknown component"

    with pytest.raises(InvalidInputError, match="unknown component"):
        submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert here.runs() == []


def test_a_text_that_the_engine_refuses_is_told_where_the_author_wrote_it() -> None:
    here = world.build()
    here.lint._refused["this.distance > 3"] = "no such thing"

    with pytest.raises(InvalidInputError, match="no such thing") as caught:
        submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert [(item.document, item.pointer, item.line) for item in caught.value.problems] == [
        ("ScoringFlow/check", "/spec/steps/1/filter", 0)
    ]


def test_an_unknown_pipeline_is_a_problem_of_the_order() -> None:
    here = world.build()

    with pytest.raises(InvalidInputError, match="there is no pipeline 'nothing'") as caught:
        submit.submit(world.order(pipeline="nothing"), key="k", by="ada", ports=here.ports)

    assert caught.value.problems[0].pointer == "/pipeline"


def test_an_ir_from_git_keeps_the_commit() -> None:
    here = world.build()
    place = GitPlace(path="team/meters.git", ref="main")

    made = submit.submit(world.order(pipeline="", git=place), key="k", by="ada", ports=here.ports)

    assert made.job.submission.git == {"path": "team/meters.git", "ref": "main", "folder": "", "commit": world.COMMIT}


def test_an_ir_in_the_body_runs_without_a_revision() -> None:
    here = world.build()

    made = submit.submit(world.order(pipeline="", ir=world.DOCUMENTS), key="k", by="ada", ports=here.ports)

    assert made.job.submission.revision is None
    assert made.job.submission.pipeline == world.PIPELINE


def test_a_trigger_is_kept_as_it_came() -> None:
    here = world.build()
    trigger = {"kind": "commit", "id": [1, {"x": None}]}

    made = submit.submit(world.order(trigger=trigger), key="k", by="ada", ports=here.ports)

    assert made.job.submission.trigger == trigger


def test_a_job_that_no_quota_could_hold_is_refused_with_numbers() -> None:
    here = world.build()
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": ENVIRONMENT},
        "spec": {"hard": {"requests.cpu": "900m", "pods": "10"}},
    }
    here.cluster.create(quota)

    with pytest.raises(InvalidInputError, match=r"needs requests.cpu 1.02, and quota 'small' .* allows 900m"):
        submit.submit(world.order(), key="k", by="ada", ports=here.ports)

    assert here.runs() == []


def test_an_ir_too_large_for_one_object_is_refused() -> None:
    here = world.build()
    documents = [dict(document) for document in world.DOCUMENTS]
    index = next(number for number, document in enumerate(documents) if document["kind"] == "ScoringPipeline")
    metadata = {**documents[index]["metadata"], "description": "x" * 950_000}
    documents[index] = {**documents[index], "metadata": metadata}

    with pytest.raises((TooLargeError, InvalidInputError)):
        submit.submit(world.order(pipeline="", ir=tuple(documents)), key="k", by="ada", ports=here.ports)

    assert here.runs() == []
