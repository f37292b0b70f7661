"""Data channels over HTTP."""

from __future__ import annotations

from scheduler import names
from scheduler.api import views
from tests.unit import world
from tests.unit.api.conftest import Served
from tests.unit.world import ENVIRONMENT

PLACE = {"environment": ENVIRONMENT}
CHANNEL = dict(zip(("channel", "schema"), world.channel_documents(), strict=True))


def test_a_channel_is_registered_shown_replaced_and_removed(served: Served) -> None:
    url, head = "/v1/data-channels/flights", served.operator

    first = served.client.put(url, json=CHANNEL, params=PLACE, headers=head)
    second = served.client.put(url, json=CHANNEL, params=PLACE, headers=head)
    shown = served.client.get(url, params=PLACE, headers=head)
    listed = served.client.get("/v1/data-channels", params=PLACE, headers=head)
    gone = served.client.delete(url, params=PLACE, headers=head)
    after = served.client.get(url, params=PLACE, headers=head)

    assert [answer.status_code for answer in (first, second, shown, listed, gone, after)] == [
        201, 200, 200, 200, 204, 404,
    ]  # fmt: skip
    views.ChannelView.model_validate(shown.json())
    views.ChannelList.model_validate(listed.json())
    assert (shown.json()["type"], shown.json()["direction"], shown.json()["problem"]) == ("file", "source", "")
    assert shown.json()["channel"]["spec"]["config"]["path"] == "flights.csv"


def test_a_channel_without_a_file_is_registered_and_listed(served: Served) -> None:
    spec = {**CHANNEL["channel"]["spec"], "type": "test", "config": {"seed": 7, "count": 1000, "badShare": 0.01}}
    body = {**CHANNEL, "channel": {**CHANNEL["channel"], "spec": spec}}

    made = served.client.put("/v1/data-channels/flights", json=body, params=PLACE, headers=served.operator)
    listed = served.client.get("/v1/data-channels", params=PLACE, headers=served.operator)

    assert made.status_code == 201
    (found,) = listed.json()["channels"]
    assert (found["type"], found["direction"], found["problem"]) == ("test", "source", "")
    assert found["channel"]["spec"]["config"] == {"seed": 7, "count": 1000, "badShare": 0.01}


def test_a_faulty_channel_is_refused_with_every_problem(served: Served) -> None:
    channel = {**CHANNEL["channel"], "spec": {**CHANNEL["channel"]["spec"], "type": "katka", "direction": "up"}}

    answer = served.client.put(
        "/v1/data-channels/flights", json={**CHANNEL, "channel": channel}, params=PLACE, headers=served.operator
    )

    assert answer.status_code == 422
    assert len(answer.json()["problems"]) >= 2


def test_a_channel_is_registered_under_its_own_name_only(served: Served) -> None:
    answer = served.client.put("/v1/data-channels/other", json=CHANNEL, params=PLACE, headers=served.operator)

    assert answer.status_code == 422
    assert "'flights'" in answer.json()["problems"][0]["message"]


def test_a_broken_entry_hides_no_other(served: Served) -> None:
    served.client.put("/v1/data-channels/flights", json=CHANNEL, params=PLACE, headers=served.operator)
    for name, text in (("a", "{"), ("b", "[]"), ("c", '{"channel": {"kind": "DataChannel"}}')):
        metadata = {"name": name, "namespace": ENVIRONMENT, "labels": {names.DATA_CHANNEL: name}}
        served.world.cluster.put({"kind": "ConfigMap", "metadata": metadata, "data": {"channel.json": text}})

    found = served.client.get("/v1/data-channels", params=PLACE, headers=served.operator).json()["channels"]

    assert [(entry["name"], bool(entry["problem"])) for entry in found] == [
        ("a", True), ("b", True), ("c", True), ("flights", False),
    ]  # fmt: skip


def test_a_channel_in_use_stays_unless_forced(served: Served) -> None:
    job_id = served.submit()["id"]
    name = world.LOADED.pipeline.source.channel
    document = next(item for item in world.DOCUMENTS if item["metadata"]["name"] == name)
    schema = next(item for item in world.DOCUMENTS if item["metadata"]["name"] == document["spec"]["schema"])
    spec = {**document["spec"], "config": {**document["spec"]["config"], "path": "readings.csv"}}
    body = {"channel": {**document, "spec": spec}, "schema": schema}
    url = f"/v1/data-channels/{name}"
    assert served.client.put(url, json=body, params=PLACE, headers=served.operator).status_code == 201

    refused = served.client.delete(url, params=PLACE, headers=served.operator)
    forced = served.client.delete(url, params={**PLACE, "force": "true"}, headers=served.operator)

    assert refused.status_code == 409
    assert job_id in refused.json()["detail"]
    assert forced.status_code == 204
