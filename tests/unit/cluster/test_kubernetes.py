"""The real client against a server of our own that misbehaves: refusals, silence, endless lists."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from scheduler.cluster import connection
from scheduler.cluster.access import Access
from scheduler.cluster.connection import PLAIN, Manner
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.port import Caller, ExpiredError, OwnAccessError
from scheduler.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SchedulerError,
    TooLargeError,
    UnavailableError,
)

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer, *, manner: Manner = PLAIN) -> Iterator[KubernetesCluster]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    access = Access(
        host=f"http://127.0.0.1:{httpd.server_address[1]}",
        pool=urllib3.PoolManager(retries=connection.retries(), socket_options=connection.SOCKET_OPTIONS),
        authorization=lambda: "Bearer secret-token",
    )
    cluster = KubernetesCluster(access, manner=manner)
    try:
        yield cluster
    finally:
        cluster.close()
        httpd.shutdown()
        httpd.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: object, headers: dict[str, str] | None = None) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = int(handler.headers.get("Content-Length") or 0)
    handler.rfile.read(length)
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(text)


def chunk(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()


def start_stream(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, InvalidInputError),
        (401, OwnAccessError),
        (403, OwnAccessError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, ExpiredError),
        (413, TooLargeError),
        (422, InvalidInputError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (418, UnavailableError),
    ],
)
def test_each_refusal_is_an_error_of_ours_with_the_servers_words(status: int, expected: type[SchedulerError]) -> None:
    body = {"kind": "Status", "message": "words of the server", "code": status}
    with (
        server(lambda handler: reply(handler, status, body)) as cluster,
        pytest.raises(expected, match="words of the server") as caught,
    ):
        cluster.get("Pod", "a", "x")

    assert "get Pod 'a'" in str(caught.value)
    assert "secret-token" not in str(caught.value)


def test_every_cause_of_a_refusal_is_a_problem() -> None:
    causes = [{"field": "spec.a", "message": "is wrong"}, {"field": "spec.b", "message": "is missing"}]
    body = {"kind": "Status", "message": "invalid", "details": {"causes": causes}}

    with server(lambda handler: reply(handler, 422, body)) as cluster, pytest.raises(InvalidInputError) as caught:
        cluster.create({"kind": "Pod", "metadata": {"name": "a", "namespace": "x"}})

    assert [(item.pointer, item.message) for item in caught.value.problems] == [
        ("spec.a", "is wrong"), ("spec.b", "is missing"),
    ]  # fmt: skip


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", 5), ("99999999", 300)])
def test_the_server_says_when_to_come_back(header: str, seconds: int) -> None:
    with (
        server(lambda handler: reply(handler, 429, {}, {"Retry-After": header})) as cluster,
        pytest.raises(UnavailableError) as caught,
    ):
        cluster.get("Pod", "a", "x")

    assert caught.value.retry_after_seconds == seconds


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with server(lambda handler: reply(handler, 200, {})) as cluster:
        pass

    told = r"^the API server does not answer at https?://[0-9.:]+: Connection refused$"
    with pytest.raises(UnavailableError, match=told):
        cluster.get("Pod", "a", "x")


def test_an_answer_that_is_no_json_is_told_as_it_came() -> None:
    with (
        server(lambda handler: reply(handler, 502, b"<html>")) as cluster,
        pytest.raises(UnavailableError, match="html"),
    ):
        cluster.get("Pod", "a", "x")


def test_a_list_is_read_page_by_page() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_second = "continue=next" in handler.path
        metadata = {"resourceVersion": "7", **({} if is_second else {"continue": "next"})}
        name = "b" if is_second else "a"
        reply(handler, 200, {"metadata": metadata, "items": [{"metadata": {"name": name}}]})

    with server(answer) as cluster:
        found = cluster.list("Pod", "x", labels={"a": "b", "c": None})

    assert [(item["kind"], item["metadata"]["name"]) for item in found] == [("Pod", "a"), ("Pod", "b")]
    assert found.resource_version == "7"


def test_a_list_that_may_lag_is_asked_for_in_one_piece_of_any_version() -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        reply(handler, 200, {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]})

    with server(answer) as cluster:
        assert len(cluster.list("Pod", "x", labels={"a": "b"}, may_lag=True)) == 1

    assert asked == ["/api/v1/namespaces/x/pods?labelSelector=a%3Db&resourceVersion=0"]


def test_a_list_that_expires_between_pages_begins_again_in_one_piece() -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        if "continue=" in handler.path:
            reply(handler, 410, {"message": "expired"})
        elif "limit=" in handler.path:
            reply(handler, 200, {"metadata": {"resourceVersion": "7", "continue": "x"}, "items": []})
        else:
            reply(handler, 200, {"metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "a"}}]})

    with server(answer) as cluster:
        assert cluster.list("Pod", "x").resource_version == "9"

    assert len(asked) == 3


def test_a_silent_watch_is_given_up_soon() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        start_stream(handler)
        time.sleep(5)

    with server(answer) as cluster:
        started = time.monotonic()
        with pytest.raises(UnavailableError):
            list(cluster.watch("Pod", "x", resource_version="1", timeout_seconds=1))

    assert time.monotonic() - started < 4


def test_a_watch_that_expires_inside_says_so() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        start_stream(handler)
        added = {"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "2"}}}
        gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}
        text = (json.dumps(added) + "\n" + json.dumps(gone) + "\n").encode()
        chunk(handler, text[:10])
        chunk(handler, text[10:])
        chunk(handler, b"")

    with server(answer) as cluster:
        events = cluster.watch("Pod", "x", resource_version="1", timeout_seconds=2)
        assert next(events).manifest["metadata"]["name"] == "a"
        with pytest.raises(ExpiredError):
            next(events)


def test_a_watch_that_breaks_off_is_unavailable() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        start_stream(handler)
        chunk(handler, b'{"type": "ADDED", "obj')
        handler.close_connection = True

    with server(answer) as cluster, pytest.raises(UnavailableError):
        list(cluster.watch("Pod", "x", resource_version="1", timeout_seconds=2))


def test_a_followed_log_can_be_closed_by_another_thread() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        start_stream(handler)
        chunk(handler, b"first\nsec")
        time.sleep(5)

    with server(answer) as cluster:
        lines = cluster.pod_logs("a", "x", follow=True)
        assert next(lines) == "first"
        threading.Timer(0.2, lines.close).start()
        started = time.monotonic()
        rest = list(lines)

    assert time.monotonic() - started < 3
    assert rest == []


def test_a_log_that_breaks_off_is_unavailable() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        start_stream(handler)
        chunk(handler, b"first\nsec")
        handler.close_connection = True

    with server(answer) as cluster:
        lines = cluster.pod_logs("a", "x", follow=True)
        assert next(lines) == "first"
        with pytest.raises(UnavailableError):
            next(lines)


@pytest.mark.parametrize(
    ("status", "accepted"),
    [
        ({"authenticated": True, "user": {"username": "ada"}, "audiences": ["modelops"]}, True),
        ({"authenticated": True, "user": {"username": "ada"}, "audiences": ["other"]}, False),
        ({"authenticated": True, "user": {"username": "ada"}}, False),
        ({"authenticated": True, "user": {}, "audiences": ["modelops"]}, False),
        ({"authenticated": True, "audiences": ["modelops"]}, False),
        ({"authenticated": "true", "user": {"username": "ada"}, "audiences": ["modelops"]}, False),
        ({"user": {"username": "ada"}, "audiences": ["modelops"]}, False),
        ({}, False),
    ],
)
def test_a_token_counts_only_when_the_answer_names_the_audience(status: dict[str, object], accepted: bool) -> None:
    with server(lambda handler: reply(handler, 201, {"status": status})) as cluster:
        assert (cluster.review_token("t", audiences=["modelops"]) is not None) == accepted


@pytest.mark.parametrize(
    ("status", "allowed"),
    [({"allowed": True}, True), ({"allowed": True, "denied": True}, False), ({"allowed": 1}, False), ({}, False)],
)
def test_doubt_means_no(status: dict[str, object], allowed: bool) -> None:
    with server(lambda handler: reply(handler, 201, {"status": status})) as cluster:
        asked = cluster.allowed(Caller(name="ada"), verb="get", resource="jobs", namespace="x")

    assert asked is allowed


def test_a_silent_watch_costs_its_time_once_and_the_next_one_has_a_connection_of_its_own() -> None:
    """Connections that one fault has killed are not tried one after the other."""
    dead: list[object] = []
    seen: list[object] = []
    """The connections themselves: the number of one that is gone may be another's."""
    lock = threading.Lock()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            seen.append(handler.connection)
            is_dead = handler.connection in dead
        if is_dead:
            time.sleep(5)
            return
        if "watch=1" not in handler.path:
            reply(handler, 200, {"items": [], "metadata": {"resourceVersion": "1"}})
            return
        start_stream(handler)
        chunk(handler, json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "2"}}}).encode())
        chunk(handler, b"\n")
        handler.wfile.write(b"0\r\n\r\n")

    with server(answer) as cluster:
        warm = [threading.Thread(target=cluster.list, args=("Pod", "staging")) for _ in range(6)]
        for thread in warm:
            thread.start()
        for thread in warm:
            thread.join(10)
        dead += seen
        seen.clear()
        with pytest.raises(UnavailableError):
            list(cluster.watch("Pod", "staging", resource_version="1", timeout_seconds=0.1))
        events = list(cluster.watch("Pod", "staging", resource_version="1", timeout_seconds=0.1))

    assert [event.manifest["metadata"]["resourceVersion"] for event in events] == ["2"]
    assert [connection in dead for connection in seen] == [True, False]


def test_a_program_says_who_it_is_and_for_whom_it_asks() -> None:
    headers: list[dict[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        headers.append(dict(handler.headers.items()))
        item = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "a"}}
        reply(handler, 200, {"items": [item], "metadata": {"resourceVersion": "1"}})

    manner = Manner(user_agent="janitor/1", as_user="system:serviceaccount:staging:modelops-runner", is_blind=True)
    with server(answer, manner=manner) as cluster:
        (found,) = cluster.list("Secret", "staging")
        cluster.delete("Pod", "a", "staging", grace_seconds=0)

    assert found == {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    assert {given["User-Agent"] for given in headers} == {"janitor/1"}
    assert {given["Impersonate-User"] for given in headers} == {"system:serviceaccount:staging:modelops-runner"}
    assert "PartialObjectMetadataList" in headers[0]["Accept"]
    assert headers[1]["Accept"] == "application/json"
