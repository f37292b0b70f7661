"""The device flow against an issuer over HTTP: what is waited for, and every way it may end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from scheduler.client.oidc_device import Prompt, Provider
from scheduler.errors import ForbiddenError, SchedulerError, UnauthenticatedError, UnavailableError
from tests.unit.client import device_issuer
from tests.unit.client.device_issuer import DeviceIssuer, jwt_that_ends, pending

NOW = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)


@dataclass
class Time:
    """A clock that moves when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def far() -> Iterator[DeviceIssuer]:
    with device_issuer.serving() as found:
        yield found


@pytest.fixture
def provider(far: DeviceIssuer) -> Iterator[Provider]:
    with closing(Provider(far.url, client_id="scoring", now=lambda: NOW)) as found:
        yield found


def finish(provider: Provider, time: Time | None = None, prompt: Prompt | None = None) -> Any:
    time = time or Time()
    return provider.finish(prompt or provider.begin("openid"), sleep=time.sleep, clock=time.clock)


def test_a_code_is_shown_and_nothing_secret(far: DeviceIssuer, provider: Provider) -> None:
    prompt = provider.begin("openid offline_access")
    assert (prompt.user_code, prompt.uri, prompt.complete_uri) == ("WDJB-MJHT", f"{far.url}/activate", "")
    assert far.asked[-1] == ("/device", {"client_id": "scoring", "scope": "openid offline_access"})
    assert "secret-device-code" not in repr(prompt)


def test_a_token_comes_when_somebody_has_confirmed(far: DeviceIssuer, provider: Provider) -> None:
    token = jwt_that_ends(int(NOW.timestamp()) + 60)
    done = {"id_token": token, "access_token": "opaque", "expires_in": 3600, "refresh_token": "again"}
    far.answers = [pending(), pending(), (200, done)]
    time = Time()
    found = finish(provider, time)
    assert (found.token, found.refresh_token, found.expires) == (token, "again", "2026-01-31T10:01:00+00:00")
    assert time.slept == [5, 5, 5]
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    assert far.asked[-1] == (
        "/token",
        {"grant_type": grant, "device_code": "secret-device-code", "client_id": "scoring"},
    )
    assert token not in repr(found)
    assert "again" not in repr(found)


def test_slow_down_means_five_seconds_more_from_then_on(far: DeviceIssuer, provider: Provider) -> None:
    far.answers = [pending("slow_down"), pending(), pending("slow_down"), (200, {"access_token": "t"})]
    time = Time()
    finish(provider, time)
    assert time.slept == [5, 10, 10, 15]


def test_an_issuer_that_is_away_for_a_moment_is_asked_more_seldom(far: DeviceIssuer, provider: Provider) -> None:
    far.answers = [(503, {}), (502, {}), (200, {"access_token": "t"})]
    time = Time()
    assert finish(provider, time).token == "t"
    assert time.slept == [5, 10, 20]


def test_a_login_that_is_declined_is_told(far: DeviceIssuer, provider: Provider) -> None:
    far.answers = [pending(), pending("access_denied")]
    with pytest.raises(ForbiddenError, match="was declined"):
        finish(provider)


@pytest.mark.parametrize("last", ["expired_token", "authorization_pending"])
def test_a_code_that_nobody_confirms_expires(far: DeviceIssuer, provider: Provider, last: str) -> None:
    far.answers = [pending(last)]
    time = Time()
    with pytest.raises(UnauthenticatedError, match="nobody confirmed the code WDJB-MJHT in time"):
        finish(provider, time)
    assert time.now < 600


def test_an_interval_that_is_not_said_is_five_seconds(far: DeviceIssuer, provider: Provider) -> None:
    far.begun = (
        200,
        {
            "device_code": "d",
            "user_code": "u",
            "verification_uri": "https://v",
            "verification_uri_complete": "https://v?u",
            "expires_in": 60,
        },
    )
    prompt = provider.begin("openid")
    assert (prompt.interval_seconds, prompt.complete_uri) == (5, "https://v?u")


@pytest.mark.parametrize(
    ("answer", "expires"),
    [
        ({"access_token": "opaque", "expires_in": 90}, "2026-01-31T10:01:30+00:00"),
        ({"access_token": "opaque"}, ""),
        ({"id_token": "a.W10.c"}, ""),
        ({"id_token": "a.!.c", "expires_in": 90}, "2026-01-31T10:01:30+00:00"),
    ],
)
def test_when_a_token_ends_is_known_as_far_as_anybody_says(
    far: DeviceIssuer, provider: Provider, answer: dict[str, Any], expires: str
) -> None:
    far.answers = [(200, answer)]
    assert finish(provider).expires == expires


@pytest.mark.parametrize(
    ("answers", "kind", "says"),
    [
        (
            [(400, {"error": "invalid_grant", "error_description": "no such code"})],
            UnauthenticatedError,
            "no such code",
        ),
        ([(403, {})], UnauthenticatedError, "does not say why"),
        ([(200, {})], SchedulerError, "without a token"),
    ],
)
def test_any_other_end_is_told_with_the_issuers_words(
    far: DeviceIssuer, provider: Provider, answers: Any, kind: type[Exception], says: str
) -> None:
    far.answers = answers
    with pytest.raises(kind, match=says):
        finish(provider)


def test_a_client_that_the_issuer_does_not_know_is_told(far: DeviceIssuer, provider: Provider) -> None:
    far.begun = 401, {"error": "invalid_client"}
    with pytest.raises(UnauthenticatedError, match="for the client 'scoring': invalid_client"):
        provider.begin("openid")
    far.begun = 200, {"user_code": "u"}
    with pytest.raises(SchedulerError, match="verification_url"):
        provider.begin("openid")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"issuer": "https://other.example.com"}, "calls itself"),
        ({"device_authorization_endpoint": None}, "no https URL as its device_authorization_endpoint"),
        ({"device_authorization_endpoint": "http://login.example.com/device"}, "no https URL"),
    ],
)
def test_an_issuer_that_would_send_us_elsewhere_is_not_followed(
    far: DeviceIssuer, provider: Provider, document: dict[str, Any], says: str
) -> None:
    far.document = document
    with pytest.raises(SchedulerError, match=says):
        provider.begin("openid")
    assert [path for path, _ in far.asked] == ["/.well-known/openid-configuration"]


def test_a_login_is_refreshed_without_anybody(far: DeviceIssuer, provider: Provider) -> None:
    far.answers = [(200, {"id_token": "new"}), (200, {"id_token": "newer", "refresh_token": "rotated"})]
    assert [provider.refresh("old").refresh_token for _ in range(2)] == ["old", "rotated"]
    assert far.asked[-1][1] == {"grant_type": "refresh_token", "refresh_token": "old", "client_id": "scoring"}
    far.answers = [(400, {"error": "invalid_grant"})]
    with pytest.raises(UnauthenticatedError, match="is over: run `modelops login` again: invalid_grant"):
        provider.refresh("old")


def test_an_issuer_that_does_not_answer_is_told() -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with (
        closing(Provider("https://away", client_id="c", transport=httpx.MockTransport(away))) as provider,
        pytest.raises(UnavailableError, match="does not answer"),
    ):
        provider.begin("openid")
