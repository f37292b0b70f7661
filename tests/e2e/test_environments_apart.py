"""Two environments of one platform: what is in one is not there for those of the other, at any route of the servers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import pytest

from scheduler.cli.configuration import Login
from scheduler.client.scheduling import JobJson, SchedulingClient
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE
from scheduler.errors import ForbiddenError, NotFoundError
from tests.e2e import callers, everything, recipes
from tests.e2e.deployed import Deployed
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs
from tests.routes import Target

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

ELSEWHERE: Final = "e2e-elsewhere"
NEIGHBOUR: Final = "e2e-neighbour"
RECIPE: Final = Recipe(name="private")
CHANNEL: Final = "e2e-private"
CONTENT: Final = b"a model that is nobody else's"


@pytest.fixture(scope="module")
def neighbour(deployed: Deployed) -> Iterator[str]:
    """Token of an operator of a second environment, who has no other right."""
    platform = deployed.platform
    try:
        with deployed.changed(f"global.environments={{{ENVIRONMENT},{ELSEWHERE}}}"):
            binding = callers.binding(NEIGHBOUR, callers.role("operator"), ELSEWHERE)
            platform.apply(callers.account(NEIGHBOUR), binding)
            yield callers.Callers(platform=platform, stranger="", viewer="").token(NEIGHBOUR)
    finally:
        platform.kubectl("delete", "serviceaccount", NEIGHBOUR, "-n", NAMESPACE, "--ignore-not-found")
        platform.kubectl("delete", "namespace", ELSEWHERE, "--ignore-not-found")


@pytest.fixture(scope="module")
def of_kubernetes(deployed: Deployed, neighbour: str) -> Iterator[dict[str, str]]:
    """Account -> its token; each has one of Kubernetes' own roles in the second environment, and no other right."""
    del neighbour  # the environment is there as long as it is
    platform, roles = deployed.platform, callers.OF_KUBERNETES
    accounts = [callers.account(name) for name in roles]
    platform.apply(*accounts, *(callers.binding(name, role, ELSEWHERE) for name, role in roles.items()))
    tokens = callers.Callers(platform=platform, stranger="", viewer="")
    try:
        yield {name: tokens.token(name) for name in roles}
    finally:
        platform.kubectl("delete", "serviceaccount", *roles, "-n", NAMESPACE, "--ignore-not-found")


@pytest.fixture(scope="module")
def theirs(login: Login, neighbour: str) -> Iterator[SchedulingClient]:
    with closing(SchedulingClient(login.url, token=lambda: neighbour)) as client:
        yield client


@pytest.fixture(scope="module")
def target(neighbour: str, jobs: Jobs, client: SchedulingClient) -> Iterator[Target]:
    """A job that has scored, a registered channel and a stored artifact of the first environment."""
    documents = RECIPE.documents()
    named = {document["metadata"]["name"]: document for document in documents}
    channel = {**named["items"], "apiVersion": "modelops/v1", "metadata": {"name": CHANNEL}}
    schema = named[channel["spec"]["schema"]]
    jobs.give(RECIPE, RECIPE.source_of(recipes.rows(10)))
    client.deploy_channel(CHANNEL, channel=channel, schema=schema, environment=ENVIRONMENT)
    jobs.upload(CONTENT, sha256=hashlib.sha256(CONTENT).hexdigest())
    jobs.store.deploy(RECIPE.name, documents)
    try:
        yield Target(
            environment=ENVIRONMENT,
            job_id=jobs.run(RECIPE)["id"],
            pipeline=RECIPE.name,
            channel=CHANNEL,
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            content=CONTENT,
            documents=tuple(documents),
            channel_documents=(channel, schema),
        )
    finally:
        client.remove_channel(CHANNEL, ENVIRONMENT, force=True)


def test_no_route_opens_to_an_operator_of_elsewhere(
    login: Login, neighbour: str, target: Target, client: SchedulingClient
) -> None:
    before = client.job(target.job_id)
    found = {route: answer.status_code for route, answer in everything.asked(login, neighbour, target).items()}
    assert set(found.values()) <= {403, 404}, {route: code for route, code in found.items() if code < 400}
    assert client.job(target.job_id) == before
    assert [channel["name"] for channel in client.channels(ENVIRONMENT)].count(CHANNEL) == 1


@pytest.mark.parametrize("account", callers.OF_KUBERNETES)
def test_no_route_opens_to_kubernetes_own_roles_of_elsewhere(
    login: Login, of_kubernetes: dict[str, str], target: Target, client: SchedulingClient, account: str
) -> None:
    before, token = client.job(target.job_id), of_kubernetes[account]
    found = {route: answer.status_code for route, answer in everything.asked(login, token, target).items()}
    assert set(found.values()) <= {403, 404}, {route: code for route, code in found.items() if code < 400}
    assert client.job(target.job_id) == before
    at = {"environment": ELSEWHERE}
    with callers.http(login.url, token) as http:
        listed = http.get("/v1/jobs", params=at).status_code
        changed = http.put("/v1/data-channels/nothing", params=at, json={"channel": {}, "schema": {}}).status_code
    # where they are bound they are somebody: what is sent is no channel
    assert (listed, changed) == (200, {callers.VIEW: 403, callers.EDIT: 422}[account])


def test_what_is_there_answers_like_what_does_not_exist(login: Login, neighbour: str, target: Target) -> None:
    def words(of: Target) -> dict[str, tuple[int, str]]:
        answers = everything.asked(login, neighbour, of)
        hidden = (of.job_id, of.channel, of.sha256, of.pipeline)
        return {route: (answer.status_code, _without(answer.text, hidden)) for route, answer in answers.items()}

    nowhere = replace(target, job_id="j" + "a" * 20, channel="nothing", pipeline="nothing")
    assert words(target) == words(nowhere)


def _without(text: str, names: tuple[str, ...]) -> str:
    for name in names:
        text = text.replace(name, "<name>")
    return text


def test_lists_hold_what_is_in_ones_own_environment(theirs: SchedulingClient, target: Target) -> None:
    assert theirs.jobs({}, limit=100) == ()
    assert CHANNEL not in [channel["name"] for channel in theirs.channels(ELSEWHERE)]
    with pytest.raises(ForbiddenError):
        theirs.channels(ENVIRONMENT)
    with pytest.raises(NotFoundError):
        theirs.job(target.job_id)


def test_each_sees_their_own(theirs: SchedulingClient, client: SchedulingClient, target: Target) -> None:
    """A channel made elsewhere is no more seen from here than the other way round, but by whoever may see both."""
    channel, schema = target.channel_documents
    theirs.deploy_channel(CHANNEL, channel=dict(channel), schema=dict(schema), environment=ELSEWHERE)
    assert [found["name"] for found in theirs.channels(ELSEWHERE)].count(CHANNEL) == 1
    theirs.remove_channel(CHANNEL, ELSEWHERE)
    assert [found["name"] for found in client.channels(ENVIRONMENT)].count(CHANNEL) == 1


def test_a_plan_is_for_ones_own_environment(theirs: SchedulingClient, target: Target) -> None:
    order: dict[str, Any] = {"environment": ENVIRONMENT, "ir": RECIPE.documents()}
    with pytest.raises(ForbiddenError):
        theirs.plan(order)
    with pytest.raises(ForbiddenError):
        _start(theirs, order)


def _start(client: SchedulingClient, order: dict[str, Any]) -> JobJson:
    return client.start(order, key="never")[0]
