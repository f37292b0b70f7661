"""Jobs whose records are made up and checked, and stand in no file."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from scheduler import assets
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.demo.installation import ENVIRONMENT
from scheduler.model.job import JobState, Reason
from tests.e2e import recipes, support
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs
from tests.flow import made_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

MANY: Final = 10_000
SEED: Final = 11
BAD_SHARE: Final = 0.01
VALUED: Final = {"name": "valued", "filter": "this.value != null"}

MADE_UP: Final = Recipe(
    name="made-up",
    steps=(VALUED, recipes.SCORE),
    generated={"seed": SEED, "count": MANY, "badShare": BAD_SHARE},
    is_checked=True,
    max_ratio=0.05,
)
ENDLESS: Final = Recipe(
    name="endless", steps=(VALUED, recipes.SCORE), generated={"seed": SEED, "rate": 400}, is_checked=True
)
FROM_FILE: Final = Recipe(name="from-file", steps=(recipes.DROP_EMPTY, recipes.SCORE), is_checked=True)
INTO_FILE: Final = Recipe(
    name="into-file", steps=(VALUED, recipes.SCORE), generated={"seed": SEED, "count": 1000, "rate": 500}
)
DEPLOYED: Final = ("e2e-made-up", "e2e-checked")


def expected(count: int, *, bad_share: float = 0.0) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The ledger's terms that are not 0, and the records that are scored: those that have a value."""
    numbers = range(1, count + 1)
    good = [number for number in numbers if not made_up.is_bad(number, seed=SEED, bad_share=bad_share)]
    made = [made_up.record(recipes.ITEM, number, seed=SEED) for number in good]
    scored = [record for record in made if record.get("value") is not None]
    terms = {
        "read": count,
        "written": len(scored),
        "deadLettered": count - len(good),
        "filtered": len(made) - len(scored),
    }
    return {term: number for term, number in terms.items() if number}, scored


def assert_succeeded(jobs: Jobs, job: JobJson, ledger: Mapping[str, int], *, reason: Reason = Reason.COMPLETED) -> None:
    jobs.assert_ended(job, state=JobState.SUCCEEDED, reason=reason)
    assert support.ledger(job) == ledger


def test_ten_thousand_made_up_records_are_scored_and_checked(jobs: Jobs, client: SchedulingClient) -> None:
    assert client.plan(support.order(MADE_UP))["values"]["scoring-flow"]["flow"]["volumes"] == []
    before = jobs.files.names()
    ledger, _ = expected(MANY, bad_share=BAD_SHARE)
    assert 0 < ledger["deadLettered"] < 0.05 * MANY
    assert_succeeded(jobs, jobs.run(MADE_UP), ledger)
    assert jobs.files.names() == before


def test_a_stream_without_end_is_drained_and_every_record_was_checked(jobs: Jobs) -> None:
    started = jobs.start(ENDLESS)["id"]
    jobs.until(started, lambda job: support.ledger(job).get("written", 0) >= 500)
    jobs.client.cancel(started, mode="drain")
    job = jobs.finish(started)
    ledger, _ = expected(support.ledger(job)["read"])
    assert_succeeded(jobs, job, ledger, reason=Reason.DRAINED)


def test_a_file_into_a_test_sink(jobs: Jobs) -> None:
    """Filtered records are no gaps."""
    jobs.give(FROM_FILE, FROM_FILE.source_of(recipes.without_values(recipes.rows(3000), 1, 256, 257, 3000)))
    assert_succeeded(jobs, jobs.run(FROM_FILE), {"read": 3000, "written": 2996, "filtered": 4})
    assert jobs.published(FROM_FILE) == set()


def test_made_up_records_into_a_file(jobs: Jobs) -> None:
    jobs.files.remove(*jobs.published(INTO_FILE))
    ledger, scored = expected(1000)
    assert_succeeded(jobs, jobs.run(INTO_FILE), ledger)
    found = jobs.lines(INTO_FILE.sink)
    assert [(row["id"], row["value"]) for row in found] == [(row["id"], row["value"]) for row in scored]
    assert all(row["score"] == row["value"] * 2 for row in found)


def test_the_channels_that_the_chart_registers_carry_the_job_of_its_readme(
    jobs: Jobs, client: SchedulingClient
) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (assets.subchart("test-data") / "README.md").read_text(), re.DOTALL)
    documents = list(yaml.safe_load_all(text))
    job, _ = client.start({"environment": ENVIRONMENT, "ir": documents}, key=uuid.uuid4().hex)
    ended = jobs.finish(job["id"])
    found = support.ledger(ended)
    assert (found["read"], found["written"] + found["filtered"]) == (1000, 1000)
    assert_succeeded(jobs, ended, found)


@pytest.fixture
def registered(client: SchedulingClient) -> Iterator[None]:
    """The recipe's two channels, registered under names of their own."""
    documents = {document["metadata"]["name"]: document for document in MADE_UP.documents()}
    for name, of in zip(DEPLOYED, ("items", "scored"), strict=True):
        channel = {**documents[of], "apiVersion": "modelops/v1", "metadata": {"name": name}}
        schema = documents[channel["spec"]["schema"]]
        client.deploy_channel(name, channel=channel, schema=schema, environment=ENVIRONMENT)
    yield
    for name in DEPLOYED:
        client.remove_channel(name, ENVIRONMENT, force=True)


@pytest.mark.usefixtures("registered")
def test_registered_test_channels_are_listed_and_found_by_name(jobs: Jobs, client: SchedulingClient) -> None:
    listed = {channel["name"]: channel for channel in client.channels(ENVIRONMENT)}
    assert [(listed[name]["direction"], listed[name]["type"]) for name in DEPLOYED] == [
        ("source", "test"),
        ("sink", "test"),
    ]
    pipeline, *others = MADE_UP.documents()
    source, sink = DEPLOYED
    spec = {**pipeline["spec"], "source": {"channel": source}, "sink": {"channel": sink}}
    unnamed = [item for item in others if item["metadata"]["name"] not in {"items", "scored"}]
    jobs.upload(MADE_UP.artifact, sha256=MADE_UP.sha256)
    job, _ = client.start(
        {"environment": ENVIRONMENT, "ir": [{**pipeline, "spec": spec}, *unnamed]}, key=uuid.uuid4().hex
    )
    assert_succeeded(jobs, jobs.finish(job["id"]), expected(MANY, bad_share=BAD_SHARE)[0])
