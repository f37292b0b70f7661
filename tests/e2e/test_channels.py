"""The environment's registry of data channels, as jobs find it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.channels import registry
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import ConflictError, InvalidInputError, NotFoundError
from scheduler.model.job import JobState, Reason
from scheduler.model.problem import Problem
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RECIPE: Final = Recipe(name="registered")
SOURCE: Final = "e2e-items"
SINK: Final = "e2e-scored"
OTHER: Final = "e2e-other"
BROKEN: Final = "e2e-broken"


def _documents() -> list[dict[str, Any]]:
    return RECIPE.documents()


def _deploy(
    client: SchedulingClient, name: str, *, of: str, schema: Mapping[str, Any] | None = None
) -> tuple[Mapping[str, Any], bool]:
    """Register the recipe's own channel `of` as `name`; with another schema where there is one."""
    found = {document["metadata"]["name"]: document for document in _documents()}
    channel = {**found[of], "apiVersion": "modelops/v1", "metadata": {"name": name}}
    record = schema or found[channel["spec"]["schema"]]
    channel["spec"] = {**channel["spec"], "schema": record["metadata"]["name"]}
    return client.deploy_channel(name, channel=channel, schema=record, environment=ENVIRONMENT)


def _remove(client: SchedulingClient) -> None:
    for channel in client.channels(ENVIRONMENT):
        if channel["name"].startswith("e2e-"):
            client.remove_channel(channel["name"], ENVIRONMENT, force=True)


@pytest.fixture
def channels(client: SchedulingClient) -> Iterator[SchedulingClient]:
    """The client, with the recipe's source and sink in the registry and nothing else of these tests."""
    _remove(client)
    _deploy(client, SOURCE, of="items")
    _deploy(client, SINK, of="scored")
    yield client
    _remove(client)


def _order(*, source: str = SOURCE, sink: str = SINK, own: bool = False) -> dict[str, object]:
    """The recipe without channels of its own, which it finds in the registry."""
    pipeline, *others = _documents()
    ends = {"source": {"channel": source}, "sink": {"channel": sink}}
    kept = [document for document in others if own or document["kind"] != "DataChannel"]
    return {"environment": ENVIRONMENT, "ir": [{**pipeline, "spec": {**pipeline["spec"], **ends}}, *kept]}


def _refused(client: SchedulingClient, order: Mapping[str, object]) -> Problem:
    with pytest.raises(InvalidInputError) as refused:
        client.plan(order)
    (problem,) = refused.value.problems
    return problem


def test_a_channel_is_registered_shown_replaced_and_removed(client: SchedulingClient) -> None:
    _remove(client)
    made, is_new = _deploy(client, SOURCE, of="items")
    again, is_new_again = _deploy(client, SOURCE, of="items")
    assert (is_new, is_new_again, again) == (True, False, made)
    assert (made["direction"], made["type"], made["problem"]) == ("source", "file", "")
    assert client.channel(SOURCE, ENVIRONMENT) == made
    assert made in client.channels(ENVIRONMENT)
    client.remove_channel(SOURCE, ENVIRONMENT)
    assert SOURCE not in {channel["name"] for channel in client.channels(ENVIRONMENT)}
    for ask in (client.channel, client.remove_channel):
        with pytest.raises(NotFoundError, match=f"environment '{ENVIRONMENT}' has no data channel '{SOURCE}'"):
            ask(SOURCE, ENVIRONMENT)


def test_a_channel_goes_under_its_own_name_only(client: SchedulingClient) -> None:
    channel, schema = (
        next(document for document in _documents() if document["metadata"]["name"] == name)
        for name in ("items", "item")
    )
    with pytest.raises(InvalidInputError, match="'e2e-items'; they hold 'items'"):
        client.deploy_channel(SOURCE, channel=channel, schema=schema, environment=ENVIRONMENT)
    with pytest.raises(NotFoundError):
        client.channel(SOURCE, ENVIRONMENT)


def test_a_job_finds_its_channels_in_the_registry(channels: SchedulingClient, jobs: Jobs) -> None:
    jobs.upload(RECIPE.artifact, sha256=RECIPE.sha256)
    jobs.files.put(RECIPE.source, RECIPE.source_of(recipes.rows(4)))
    job, _ = channels.start(_order(), key="")
    jobs.assert_ended(jobs.finish(job["id"]), state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert [row["score"] for row in jobs.lines(RECIPE.sink)] == [1, 2, 3, 4]


def test_a_channel_of_an_unfinished_job_is_not_removed_unless_forced(channels: SchedulingClient, jobs: Jobs) -> None:
    jobs.upload(RECIPE.artifact, sha256=RECIPE.sha256)
    jobs.files.put(RECIPE.source, RECIPE.source_of(recipes.rows(4)))
    job, _ = channels.start(_order(), key="")
    for name in (SOURCE, SINK):
        with pytest.raises(ConflictError, match=f"'{name}' is used by unfinished jobs: .*{job['id']}"):
            channels.remove_channel(name, ENVIRONMENT)
    channels.remove_channel(SOURCE, ENVIRONMENT, force=True)
    ended = jobs.finish(job["id"])
    jobs.assert_ended(ended, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert support.ledger(ended)["written"] == 4, "it keeps what it began with"
    channels.remove_channel(SINK, ENVIRONMENT)


def test_a_missing_channel_is_a_problem_with_those_that_would_fit(channels: SchedulingClient) -> None:
    problem = _refused(channels, _order(source="e2e-itmes"))
    assert problem.message == "no data channel is named 'e2e-itmes' in the pipeline or its environment"
    assert (problem.document, problem.pointer) == ("ScoringPipeline/registered", "/spec/source/channel")
    assert problem.candidates[0] == f"{SOURCE} (source, file, schema item)"
    assert not {one for one in problem.candidates if one.startswith(SINK)}, "a sink is no source"


def test_a_channel_of_the_other_direction_is_a_problem(channels: SchedulingClient) -> None:
    problem = _refused(channels, _order(source=SINK))
    assert problem.message == f"data channel '{SINK}' is a sink; a source is needed"
    assert f"{SOURCE} (source, file, schema item)" in problem.candidates


def test_a_channel_with_another_schema_is_a_problem_that_names_the_fields(channels: SchedulingClient) -> None:
    texts = {"kind": "RecordSchema", "metadata": {"name": "texts"}, "spec": {"properties": {"id": {"type": "string"}}}}
    _deploy(channels, OTHER, of="items", schema=texts)
    problem = _refused(channels, _order(source=OTHER))
    assert problem.message.startswith(f"data channel '{OTHER}' has schema 'texts', flow 'flow' reads 'item': ")
    assert "'id'" in problem.message
    assert f"{SOURCE} (source, file, schema item)" in problem.candidates


def test_a_channel_of_the_ir_hides_the_registered_one(channels: SchedulingClient) -> None:
    """Otherwise two of one name would fit."""
    _deploy(channels, "items", of="items")
    try:
        plan = channels.plan(_order(source="items", sink="scored", own=True))
    finally:
        channels.remove_channel("items", ENVIRONMENT)
    assert {one["name"] for one in plan["values"]["data-channel"]["channels"]} == {"items", "scored"}


def test_a_broken_entry_is_shown_and_hurts_no_other(
    channels: SchedulingClient, cluster: KubernetesCluster, platform: Platform
) -> None:
    manifest = cluster.get("ConfigMap", names.channel_object(SOURCE), ENVIRONMENT)
    labels = {**manifest["metadata"]["labels"], names.DATA_CHANNEL: BROKEN}
    metadata = {"name": names.channel_object(BROKEN), "namespace": ENVIRONMENT, "labels": labels}
    for text in ("{", "[]", '{"channel": {"kind": "DataChannel"}}', manifest["data"][registry.KEY]):
        platform.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {registry.KEY: text}})
        shown = {channel["name"]: channel for channel in channels.channels(ENVIRONMENT)}
        assert shown[BROKEN]["problem"], text
        assert shown[BROKEN]["channel"] is None
        assert shown[BROKEN] == channels.channel(BROKEN, ENVIRONMENT)
        assert not shown[SOURCE]["problem"]
        assert channels.plan(_order())["pipeline"] == RECIPE.name
        assert "no data channel is named" in _refused(channels, _order(source=BROKEN)).message
    _deploy(channels, BROKEN, of="items")
    assert channels.channel(BROKEN, ENVIRONMENT)["problem"] == "", "deploying it again mends it"
