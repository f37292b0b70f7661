"""An issuer's keys: found by discovery, rotated, and asked for seldom, whatever tokens come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from scheduler.errors import UnavailableError
from scheduler.web.oidc.keys import FRESH_SECONDS, LONGEST_SECONDS, PAUSE_SECONDS, KeyRing
from tests.unit import world
from tests.unit.web.local_issuer import URL, LocalIssuer, jwk

DISCOVERY = "/realms/science/.well-known/openid-configuration"
KEYS = "/realms/science/keys"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def far() -> LocalIssuer:
    return LocalIssuer()


def test_keys_are_asked_for_once(far: LocalIssuer) -> None:
    ours = far.issuer()
    assert [ours.caller(far.token(sub=name)) is not None for name in "abc"] == [True, True, True]
    assert far.asked == {DISCOVERY: 1, KEYS: 1}


def test_a_new_key_is_accepted_within_seconds_and_the_old_one_goes(far: LocalIssuer) -> None:
    clock = Clock()
    ours = far.issuer(clock=clock)
    old, new = far.token(), far.token(key="rsa-2")
    assert (ours.caller(old) is None, ours.caller(new) is None) == (False, True)
    far.keys = [jwk("rsa-1"), jwk("rsa-2")]
    clock.now += PAUSE_SECONDS
    assert (ours.caller(old) is None, ours.caller(new) is None) == (False, False)
    far.keys = [jwk("rsa-2")]
    clock.now += FRESH_SECONDS + 1
    assert (ours.caller(old) is None, ours.caller(new) is None) == (True, False)


def test_a_storm_of_unknown_keys_does_not_reach_the_issuer(far: LocalIssuer) -> None:
    clock = Clock()
    ours = far.issuer(clock=clock)
    tokens = [far.token(headers={"kid": f"made-up-{number}"}) for number in range(50)]
    for second in range(60):
        clock.now += 1
        assert ours.caller(tokens[second % 50]) is None
        assert ours.caller(far.token()) is not None, "others are served all the same"
    assert far.asked[KEYS] <= 60 / PAUSE_SECONDS + 1


def test_many_at_once_ask_once(far: LocalIssuer) -> None:
    ours, token = far.issuer(), far.token()

    def ask(_: int) -> None:
        assert ours.caller(token) is not None

    world.in_threads(20, ask)
    assert far.asked == {DISCOVERY: 1, KEYS: 1}


@dataclass
class Hanging:
    """Answers once, then not before it is let go."""

    asked: int = 0
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> list[dict[str, Any]]:
        self.asked += 1
        if self.asked > 1:
            assert self.goes_on.wait(20)
        return [jwk("rsa-1")]


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.goes_on.set()


def test_whoever_brings_a_known_key_waits_for_no_issuer_that_hangs(hanging: Hanging) -> None:
    clock = Clock()
    ring = KeyRing(hanging, clock=clock)
    assert ring.key("rsa-1") is not None
    clock.now += LONGEST_SECONDS - 1
    found: list[object] = []
    world.in_threads(45, lambda _: found.append(ring.key("rsa-1")))
    assert (len(found), None in found) == (45, False)
    assert not hanging.goes_on.is_set(), "they were answered while the issuer was not"
    assert hanging.asked == 2


def test_strangers_keys_leave_threads_to_others_while_an_issuer_hangs(hanging: Hanging) -> None:
    clock = Clock()
    ring = KeyRing(hanging, clock=clock)
    assert ring.key("rsa-1") is not None
    clock.now += PAUSE_SECONDS
    turned_away = threading.Semaphore(0)
    found: list[object] = []

    def ask(number: int) -> None:
        try:
            found.append(ring.key(f"made-up-{number}"))
        except UnavailableError:
            turned_away.release()

    strangers = threading.Thread(target=world.in_threads, args=(45, ask))
    strangers.start()
    for _ in range(25):
        assert turned_away.acquire(timeout=5)
    assert ring.key("rsa-1") is not None
    assert found == []
    hanging.goes_on.set()
    strangers.join(10)
    assert found == [None] * 20


def test_a_server_without_a_thread_to_spare_asks_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    clock = Clock()
    ring = KeyRing(lambda: [jwk("rsa-1")], clock=clock)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(UnavailableError):
            ring.key("rsa-1")
    clock.now += PAUSE_SECONDS
    assert ring.key("rsa-1") is not None


def test_keys_are_believed_for_no_longer_than_is_promised() -> None:
    assert (FRESH_SECONDS, LONGEST_SECONDS, PAUSE_SECONDS) == (300, 3600, 10)


def test_an_issuer_that_is_away_costs_nothing_for_an_hour(far: LocalIssuer) -> None:
    clock = Clock()
    ours = far.issuer(clock=clock)
    assert ours.caller(far.token()) is not None
    far.answers[KEYS] = httpx.ConnectError("refused")
    clock.now += LONGEST_SECONDS - 1
    assert ours.caller(far.token()) is not None
    clock.now += 2
    with pytest.raises(UnavailableError, match="cannot be read"):
        ours.caller(far.token())
    far.answers.clear()
    clock.now += PAUSE_SECONDS
    assert ours.caller(far.token()) is not None


def test_an_issuer_that_never_answered_is_no_reason_to_refuse(
    far: LocalIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    far.answers[DISCOVERY] = httpx.ReadTimeout("too slow")
    ours = far.issuer()
    for _ in range(20):
        with pytest.raises(UnavailableError) as found:
            ours.caller(far.token())
        assert "too slow" not in str(found.value)
    assert far.asked == {DISCOVERY: 1}
    assert caplog.text.count("too slow") == 1


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        (DISCOVERY, httpx.Response(404), "answers 404"),
        (DISCOVERY, httpx.Response(302, headers={"Location": "https://elsewhere"}), "answers 302"),
        (DISCOVERY, httpx.Response(200, text="<html>"), "not JSON"),
        (DISCOVERY, httpx.Response(200, text="[" * 100_000), "not JSON"),
        (DISCOVERY, httpx.Response(200, json=[]), "no JSON object"),
        (DISCOVERY, httpx.Response(200, json={"issuer": URL + "/"}), "calls itself"),
        (DISCOVERY, httpx.Response(200, json={"issuer": URL, "jwks_uri": "http://keys.example.com"}), "no https URL"),
        (DISCOVERY, httpx.Response(200, json={"issuer": URL}), "no https URL"),
        (KEYS, httpx.Response(200, json={"keys": "none"}), "holds no keys"),
        (KEYS, httpx.Response(200, content=b" " * (2 << 20)), "too much"),
        (KEYS, httpx.ConnectError("certificate verify failed"), "certificate verify failed"),
    ],
    ids=str,
)
def test_an_issuer_that_does_not_tell_its_keys_is_named_with_the_reason(
    far: LocalIssuer, path: str, answer: Any, says: str
) -> None:
    far.answers[path] = answer
    with pytest.raises(UnavailableError, match=says):
        far.discovery().keys()


def test_a_list_with_odd_members_is_read_all_the_same() -> None:
    ring = KeyRing(
        lambda: [
            {},
            {"kty": []},
            {"kty": "RSA", "key_ops": 5},
            jwk("rsa-1"),
            {"kty": "RSA", "kid": "rsa-1", "use": "enc"},
        ]
    )
    assert ring.key("rsa-1") is not None
    assert ring.key("rsa-9") is None
