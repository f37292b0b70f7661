from collections.abc import Callable

import httpx
import pytest

from scheduler import errors
from scheduler.rest import RestClient

Respond = Callable[[httpx.Request], httpx.Response]


def _client(respond: Respond, token: Callable[[], str] | None = None) -> RestClient:
    return RestClient("http://10.0.0.1/", name="the server", token=token, transport=httpx.MockTransport(respond))


def test_json_goes_there_and_comes_back() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"a": 1})

    tokens = iter(["first", "second"])
    client = _client(respond, lambda: next(tokens))
    assert client.json("POST", "/v1/x", body={"b": 2}, query={"q": "1", "none": None}) == {"a": 1}
    client.json("GET", "/v1/x")
    assert (str(seen[0].url), seen[0].content) == ("http://10.0.0.1/v1/x?q=1", b'{"b":2}')
    assert [request.headers["Authorization"] for request in seen] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("token", ["CANARY\n", "CANARY\r\nHost: x", "\ufeffCANARY", "CANARY\x00", "CANARY\udcff"])
def test_what_is_no_token_is_neither_sent_nor_repeated(token: str) -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with pytest.raises(errors.UnauthenticatedError, match="`modelops login`") as raised:
        _client(respond, lambda: token).json("GET", "/")
    assert "CANARY" not in repr(raised.value)
    assert not seen


def test_an_empty_answer_is_none() -> None:
    assert _client(lambda _: httpx.Response(204)).exchange("PUT", "/") == (204, None)


def test_a_problem_document_becomes_our_error() -> None:
    document = {"type": "urn:modelops:problem:conflict", "detail": "already finished"}
    answer = httpx.Response(409, json=document, headers={"Content-Type": "application/problem+json"})
    with pytest.raises(errors.ConflictError, match="already finished"):
        _client(lambda _: answer).json("GET", "/")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(502, text="<html>"), errors.UnavailableError),
        (httpx.Response(500, content=b"{", headers={"Content-Type": "application/json"}), errors.SchedulerError),
        (httpx.Response(403, json=["no"]), errors.ForbiddenError),
        (httpx.Response(200, text="<html>"), errors.SchedulerError),
    ],
)
def test_any_other_answer_is_one_of_our_errors_too(answer: httpx.Response, kind: type[Exception]) -> None:
    with pytest.raises(errors.SchedulerError) as raised:
        _client(lambda _: answer).json("GET", "/")
    assert type(raised.value) is kind


def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    answer = httpx.Response(503, headers={"Retry-After": "17"})
    with pytest.raises(errors.UnavailableError) as raised:
        _client(lambda _: answer).json("GET", "/")
    assert raised.value.retry_after_seconds == 17


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset")])
def test_a_server_that_does_not_answer_is_unavailable(fault: httpx.TransportError) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(errors.UnavailableError, match=r"the server at http://10\.0\.0\.1"):
        _client(respond).json("GET", "/")
