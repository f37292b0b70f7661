"""What is tried by pods and by HTTP, on answers as nodes and registries give them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scheduler.errors import UnavailableError
from scheduler.inspection import trial
from scheduler.inspection.facts import Registry
from scheduler.model.types import Manifest

# as containerd words them
_RESOLVE = 'failed to pull and unpack image "r:5000/x:absent": failed to resolve reference "r:5000/x:absent": '
_HEAD = _RESOLVE + 'failed to do request: Head "https://r:5000/v2/x/manifests/absent": '
NOT_FOUND = _RESOLVE + "r:5000/x:absent: not found"
DENIED = _RESOLVE + "pull access denied, repository does not exist or may require authorization"
REFUSED = _HEAD + "dial tcp 192.0.2.1:5000: connect: connection refused"
NO_TLS = _HEAD + "http: server gave HTTP response to HTTPS client"


class Pods:
    """An API server that plays each pod's container through these states, by the words of its command."""

    url = "https://192.0.2.10:6443"

    def __init__(self, *states: dict[str, Any], by_command: dict[str, dict[str, Any]] | None = None) -> None:
        self._states = list(states)
        self._by_command = by_command or {}
        self.there: dict[str, Manifest] = {}
        self.made: list[Manifest] = []

    def ask(self, method: str, path: str, *, query: object = None, body: Manifest | None = None) -> Manifest:
        if method == "POST":
            assert body is not None
            self.made.append(body)
            self.there[f"{path}/{body['metadata']['name']}"] = body
            return body
        if method == "DELETE":
            return self.there.pop(path)
        command = self.there[path]["spec"]["containers"][0]["command"]
        state = self._by_command.get(command[-1]) or (self._states.pop(0) if len(self._states) > 1 else self._states[0])
        return {"status": {"containerStatuses": [{"state": state}]} if state else {}}


def waiting(message: str) -> dict[str, Any]:
    return {"waiting": {"reason": "ErrImagePull", "message": message}}


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "POD_SECONDS", 0.3)
    monkeypatch.setattr(trial, "_PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize("message", [NOT_FOUND, DENIED])
def test_a_registry_that_has_no_such_image_answers(message: str) -> None:
    api = Pods({}, {"waiting": {"reason": "ContainerCreating"}}, waiting(message))
    assert trial.pulled(api, "r:5000", namespace="default").failure == ""
    assert api.there == {}


@pytest.mark.parametrize("message", [REFUSED, NO_TLS])
def test_a_registry_that_no_node_reaches_is_told_in_the_nodes_words(message: str) -> None:
    api = Pods(waiting(message))
    assert trial.pulled(api, "r:5000", namespace="default").failure == message
    assert api.there == {}


def test_a_node_that_says_nothing_leaves_it_unknown() -> None:
    api = Pods({})
    with pytest.raises(UnavailableError, match="no node has said anything about r:5000 within"):
        trial.pulled(api, "r:5000", namespace="default")
    assert api.there == {}


@pytest.mark.parametrize(("bound", "holds"), [(3, True), (0, False)])
def test_policies_hold_when_the_bound_pod_is_cut_off(bound: int, holds: bool) -> None:
    api = Pods(by_command={"0": ended(0), "6.0": ended(bound)})
    assert trial.holds_network_policies(api, "base", namespace="default") is holds
    assert api.there == {}
    policy = api.made[0]
    (free, tied) = [one for one in api.made if one["kind"] == "Pod"]
    wanted = policy["spec"]["podSelector"]["matchLabels"]
    assert wanted.items() <= tied["metadata"]["labels"].items()
    assert not wanted.items() <= free["metadata"]["labels"].items()


@pytest.mark.parametrize("codes", [(3, 3), (0, 127), (1, 0)])
def test_pods_that_prove_nothing_leave_it_unknown(codes: tuple[int, int]) -> None:
    api = Pods(by_command={"0": ended(codes[0]), "6.0": ended(codes[1])})
    with pytest.raises(UnavailableError, match="nothing can be told"):
        trial.holds_network_policies(api, "base", namespace="default")
    assert api.there == {}


def test_an_image_that_is_not_there_leaves_it_unknown() -> None:
    api = Pods(waiting(NOT_FOUND))
    with pytest.raises(UnavailableError, match="the image cannot be pulled"):
        trial.holds_network_policies(api, "base", namespace="default")
    assert api.there == {}


def _registry(answers: dict[str, int]) -> httpx.MockTransport:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in answers:
            raise httpx.ConnectError("Connection refused")
        return httpx.Response(answers[request.url.scheme] if request.url.path == "/v2/" else 404)

    return httpx.MockTransport(respond)


@pytest.mark.parametrize("answers", [{"https": 200}, {"https": 401}, {"http": 200}, {"https": 404, "http": 401}])
def test_a_registry_answers_with_or_without_tls_and_accounts(answers: dict[str, int]) -> None:
    for name in ("registry.example.com:5000", "registry.example.com:5000/acme/team"):
        assert trial.reached(name, _registry(answers)) == Registry(host=name, failure="")


def test_every_way_to_a_registry_that_fails_is_told() -> None:
    found = trial.reached("registry.example.com", _registry({"http": 404}))
    assert found.failure == "https: Connection refused; http: answered 404 to /v2/, which no registry does"
