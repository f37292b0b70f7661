"""The modelops server on a real S3 server: what callers are told when the store is not as it should be."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from scheduler.artifacts import storage
from scheduler.artifacts.storage import Storage
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.port import Caller
from scheduler.errors import UnavailableError
from scheduler.modelops_server import app
from scheduler.modelops_server.configuration import Configuration
from tests.s3 import gateway
from tests.s3.gateway import Gateway

pytestmark = [pytest.mark.s3, pytest.mark.timeout(900)]

CONTENT = b"model" * 3_000_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ANNA: Mapping[str, str] = {"Authorization": "Bearer anna"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """An S3 server that a test may spoil."""
    with gateway.running(tmp_path / "own") as running:
        _take(monkeypatch, running)
        yield running


def _take(monkeypatch: pytest.MonkeyPatch, server: Gateway, **changes: str) -> None:
    for name, value in {**server.environment, **changes}.items():
        monkeypatch.setenv(name, value)


def _storage(server: Gateway) -> Storage:
    return Storage(url=f"s3://{gateway.BUCKET}/platform", endpoint=server.endpoint, region=gateway.REGION)


def _client(server: Gateway) -> TestClient:
    cluster = FakeCluster(
        tokens={"anna": (Caller(name="anna", groups=("operators",)), ("modelops",))},
        rules={Rule("operators", namespace="platform")},
    )
    configuration = Configuration(storage=_storage(server), platform_namespace="platform", environments=("staging",))
    made = app.create(configuration, cluster=cluster, scheduling=SchedulingClient("http://127.0.0.1:9"))
    return TestClient(made, raise_server_exceptions=False)


def test_artifacts_go_in_by_one_replica_and_come_out_by_another(s3: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    _take(monkeypatch, s3)
    with _client(s3) as one, _client(s3) as other:
        assert one.put(f"/v1/artifacts/{SHA256}", content=CONTENT, headers=ANNA).status_code == 201
        assert other.put(f"/v1/artifacts/{SHA256}", content=CONTENT, headers=ANNA).status_code == 200
        assert other.get(f"/v1/artifacts/{SHA256}", headers=ANNA).content == CONTENT
        assert other.get("/readyz").status_code == 200
        wrong = one.put(f"/v1/artifacts/{'0' * 64}", content=CONTENT, headers=ANNA)
        assert (wrong.status_code, SHA256 in wrong.text) == (422, True)
        assert other.head(f"/v1/artifacts/{'0' * 64}", headers=ANNA).status_code == 404


def test_a_log_of_level_debug_holds_neither_requests_nor_credentials(
    s3: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _take(monkeypatch, s3)
    caplog.set_level("DEBUG")
    with _client(s3) as client:
        assert client.put(f"/v1/artifacts/{SHA256}", content=CONTENT, headers=ANNA).status_code in {200, 201}
    libraries = {record.name.split(".")[0] for record in caplog.records}
    assert not libraries & {"aiobotocore", "botocore", "fsspec", "s3fs"}
    assert s3.secret_key not in caplog.text
    assert s3.access_key not in caplog.text


def test_a_store_that_goes_away_is_an_answer_of_503_without_credentials(own: Gateway) -> None:
    with _client(own) as client:
        (own.folder / gateway.BUCKET).rename(own.folder.with_name("gone"))
        answers = [
            client.put(f"/v1/artifacts/{SHA256}", content=CONTENT, headers=ANNA),
            client.get("/v1/pipelines", headers=ANNA),
            client.get(f"/v1/artifacts/{SHA256}", headers=ANNA),
            client.get("/readyz"),
        ]
    assert [answer.status_code for answer in answers] == [503, 503, 503, 503]
    for answer in answers:
        assert own.secret_key not in answer.text
        assert own.access_key not in answer.text


def test_a_server_that_hangs_up_is_told_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway.running(tmp_path / "short") as server:
        _take(monkeypatch, server)
        client = _client(server)
    began = time.monotonic()
    with client:
        ready = client.get("/readyz")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
    assert time.monotonic() - began < 60


def test_a_bucket_that_is_not_there_is_told_at_the_start(s3: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    _take(monkeypatch, s3)
    with pytest.raises(UnavailableError, match=r"s3://no-such-bucket/x.*bucket does not exist"):
        storage.open_(replace(_storage(s3), url="s3://no-such-bucket/x"), folder=Path("/nonexistent"))


def test_credentials_that_are_refused_are_told_at_the_start_and_not_repeated(
    s3: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take(monkeypatch, s3, AWS_SECRET_ACCESS_KEY="not-the-right-one")
    with pytest.raises(UnavailableError, match="PermissionError") as caught:
        storage.open_(_storage(s3), folder=Path("/nonexistent"))
    assert "not-the-right-one" not in str(caught.value)
