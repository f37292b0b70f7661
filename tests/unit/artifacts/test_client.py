"""The client against the real application: what one sends the other takes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scheduler.artifacts.client import ModelopsClient
from scheduler.errors import DigestMismatchError, NotFoundError, UnavailableError

CONTENT = b"model" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Broken(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield CONTENT[:10]
        raise httpx.ReadError("reset")


def _client(answer: httpx.Response, seen: list[httpx.Request] | None = None) -> ModelopsClient:
    def respond(request: httpx.Request) -> httpx.Response:
        request.read()
        if seen is not None:
            seen.append(request)
        return answer

    return ModelopsClient("http://10.0.0.1", token=lambda: "t", transport=httpx.MockTransport(respond))


def test_a_file_goes_under_its_digest_and_its_bytes_are_told(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(CONTENT)
    told: list[int] = []
    seen: list[httpx.Request] = []
    client = _client(httpx.Response(201, json={}), seen)
    assert client.upload(tmp_path / "model", sha256=SHA256, tell=told.append) is True
    assert (seen[0].method, seen[0].url.path, seen[0].content) == ("PUT", f"/v1/artifacts/{SHA256}", CONTENT)
    assert seen[0].headers["Content-Length"] == "500"
    assert "Transfer-Encoding" not in seen[0].headers
    assert sum(told) == 500


def test_what_comes_is_checked_before_it_counts(tmp_path: Path) -> None:
    _client(httpx.Response(200, content=CONTENT)).download(SHA256, tmp_path / "good")
    assert (tmp_path / "good").read_bytes() == CONTENT
    with pytest.raises(DigestMismatchError):
        _client(httpx.Response(200, content=CONTENT + b"!")).download(SHA256, tmp_path / "bad")
    with pytest.raises(UnavailableError):
        _client(httpx.Response(200, stream=Broken())).download(SHA256, tmp_path / "broken")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["good"]


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        _client(httpx.Response(200, content=CONTENT)).download(SHA256, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"


def test_an_absent_artifact_is_not_there() -> None:
    assert _client(httpx.Response(404)).has_artifact(SHA256) is False
    assert _client(httpx.Response(200)).has_artifact(SHA256) is True
    with pytest.raises(NotFoundError):
        _client(httpx.Response(404)).grant(SHA256, "staging")
