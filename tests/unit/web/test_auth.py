import pytest

from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.port import Caller, OwnAccessError
from scheduler.errors import ForbiddenError, SchedulerError, UnauthenticatedError, UnavailableError
from scheduler.web.auth import Gate

ANNA = Caller(name="anna", groups=("scientists",))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(tokens={"t1": (ANNA, ("modelops",))}, rules={Rule("scientists", "get", "jobs", "staging")})


def test_a_token_tells_its_owner(cluster: FakeCluster) -> None:
    assert Gate(cluster, cache_seconds=10).caller("Bearer t1") == ANNA


@pytest.mark.parametrize(
    "header", [None, "", "Basic dDE=", "Bearer ", "Bearer other", "Bearer " + "x" * 20_000, "Bearer é"]
)
def test_anything_else_is_not_accepted(cluster: FakeCluster, header: str | None) -> None:
    with pytest.raises(UnauthenticatedError):
        Gate(cluster, cache_seconds=10).caller(header)


def test_a_token_counts_for_its_audience_only(cluster: FakeCluster) -> None:
    gate = Gate(cluster, cache_seconds=10)
    gate.caller("Bearer t1")
    with pytest.raises(UnauthenticatedError, match="modelops-artifacts"):
        gate.caller("Bearer t1", audience="modelops-artifacts")


def test_a_right_is_asked_of_kubernetes(cluster: FakeCluster) -> None:
    gate = Gate(cluster, cache_seconds=10)
    gate.require(ANNA, verb="get", resource="jobs", namespace="staging")
    with pytest.raises(ForbiddenError, match=r"anna may not get jobs\.modelops\.dev/log in 'production'"):
        gate.require(ANNA, verb="get", resource="jobs", namespace="production", subresource="log")


@pytest.mark.parametrize("seconds", [10, 1000])
def test_answers_are_remembered_for_a_while_and_no_longer(cluster: FakeCluster, seconds: float) -> None:
    clock = Clock()
    gate = Gate(cluster, cache_seconds=seconds, clock=clock)
    gate.caller("Bearer t1")
    assert gate.allows(ANNA, verb="get", resource="jobs", namespace="staging")
    cluster.tokens.clear()
    cluster.rules.clear()
    clock.now = 9.9
    gate.caller("Bearer t1")
    assert gate.allows(ANNA, verb="get", resource="jobs", namespace="staging")
    clock.now = 10.1
    assert not gate.allows(ANNA, verb="get", resource="jobs", namespace="staging")
    with pytest.raises(UnauthenticatedError):
        gate.caller("Bearer t1")


def test_what_is_remembered_is_bounded(cluster: FakeCluster) -> None:
    gate = Gate(cluster, cache_seconds=1000)
    assert gate.allows(ANNA, verb="get", resource="jobs", namespace="staging")
    for number in range(5000):
        gate.allows(ANNA, verb="get", resource="jobs", namespace=f"n{number}")
    cluster.rules.clear()
    assert not gate.allows(ANNA, verb="get", resource="jobs", namespace="staging")


def test_a_refusal_is_soon_asked_again(cluster: FakeCluster) -> None:
    clock = Clock()
    gate = Gate(cluster, cache_seconds=10, clock=clock)
    assert not gate.allows(ANNA, verb="list", resource="jobs", namespace="staging")
    cluster.rules.add(Rule("scientists", "list", "jobs", "staging"))
    clock.now = 0.9
    assert not gate.allows(ANNA, verb="list", resource="jobs", namespace="staging")
    clock.now = 1.1
    assert gate.allows(ANNA, verb="list", resource="jobs", namespace="staging")


class Restarted(FakeCluster):
    """Does not answer at first, then knows nobody, then everybody."""

    trouble: SchedulerError | None = None

    def allowed(self, caller: Caller, **asked: str) -> bool:
        if self.trouble is not None:
            raise self.trouble
        return super().allowed(caller, **asked)


@pytest.mark.parametrize("trouble", [UnavailableError("no answer"), OwnAccessError("forbidden")])
def test_an_api_server_that_has_just_come_back_is_not_believed_when_it_says_no(trouble: SchedulerError) -> None:
    clock, cluster = Clock(), Restarted()
    gate = Gate(cluster, cache_seconds=10, clock=clock)

    def ask() -> bool:
        return gate.allows(ANNA, verb="get", resource="jobs", namespace="staging")

    cluster.trouble = trouble
    with pytest.raises(UnavailableError):
        ask()
    cluster.trouble = None
    clock.now = 3
    with pytest.raises(UnavailableError, match="has just come back"):
        ask()
    cluster.rules.add(Rule("scientists", "get", "jobs", "staging"))
    assert ask()
    cluster.rules.clear()
    clock.now = 20
    assert not ask()


class Known:
    """An issuer whose tokens begin with `jwt-`."""

    def __init__(self) -> None:
        self.asked = 0

    def has_issued(self, token: str) -> bool:
        return token.startswith("jwt-")

    def caller(self, token: str) -> Caller | None:
        self.asked += 1
        return ANNA if token == "jwt-anna" else None


def test_an_issuers_token_is_the_issuers_affair_and_any_other_is_kubernetes(cluster: FakeCluster) -> None:
    gate = Gate(cluster, cache_seconds=10, issuer=Known())
    assert gate.caller("Bearer jwt-anna") == ANNA
    assert cluster.calls == []
    assert gate.caller("Bearer t1") == ANNA
    with pytest.raises(UnauthenticatedError, match="the token is not accepted: log in again"):
        gate.caller("Bearer jwt-other")


def test_an_issuers_token_opens_nothing_that_is_for_jobs(cluster: FakeCluster) -> None:
    issuer = Known()
    with pytest.raises(UnauthenticatedError):
        Gate(cluster, cache_seconds=10, issuer=issuer).caller("Bearer jwt-anna", audience="modelops-artifacts")
    assert issuer.asked == 0


def test_what_the_issuer_said_is_remembered_too(cluster: FakeCluster) -> None:
    clock, issuer = Clock(), Known()
    gate = Gate(cluster, cache_seconds=10, issuer=issuer, clock=clock)
    for second in (0.0, 9.9):
        clock.now = second
        assert gate.caller("Bearer jwt-anna") == ANNA
    assert issuer.asked == 1
    clock.now = 10.1
    gate.caller("Bearer jwt-anna")
    assert issuer.asked == 2
