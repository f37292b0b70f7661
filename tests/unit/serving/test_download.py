"""The init container: digests, outages, refusals, last words."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from scheduler.model.job import Reason
from scheduler.serving import download
from scheduler.serving.download import Clock, Store
from scheduler.serving.faults import ModelRefusedError
from tests.unit import https

CONTENT = b"a model" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Passing:
    """A clock that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)


Handler = Callable[[httpx.Request], httpx.Response]


def fetch(folder: Path, handler: Handler, *, token: str = "", clock: Clock | None = None) -> Path:
    to = folder / SHA256
    token_file = folder / "token"
    if token:
        token_file.write_text(token + "\n")
    store = Store(url="http://store.example/", token_file=token_file)
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        download.fetch(SHA256, to=to, store=store, client=client, seconds=60, clock=clock or Passing().clock())
    return to


def test_an_artifact_gets_its_name_with_the_right_digest(tmp_path: Path) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=CONTENT)

    to = fetch(tmp_path, handler, token="secret")

    assert to.read_bytes() == CONTENT
    assert to.stat().st_mode & 0o777 == 0o444
    assert str(seen[0].url) == f"http://store.example/v1/artifacts/{SHA256}"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([SHA256, "token"])


def test_what_is_there_is_not_fetched_again_unless_it_is_damaged(tmp_path: Path) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=CONTENT)

    (tmp_path / SHA256).write_bytes(b"half")
    fetch(tmp_path, handler)
    fetch(tmp_path, handler)

    assert len(asked) == 1


def test_another_content_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match=f"under the name {SHA256}") as caught:
        fetch(tmp_path, lambda _: httpx.Response(200, content=b"other"))
    assert caught.value.reason is Reason.MODEL_DIGEST_MISMATCH
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "does not know the token"),
        (403, "does not allow this environment to read"),
        (404, "does not have"),
        (400, "answers 400 for"),
    ],
)
def test_a_refusal_is_final(tmp_path: Path, status: int, message: str) -> None:
    with pytest.raises(ModelRefusedError, match=f"{message} {SHA256}: why") as caught:
        fetch(tmp_path, lambda _: httpx.Response(status, text="why"))
    assert caught.value.reason is Reason.MODEL_MISSING


def test_what_the_store_knows_to_be_damaged_is_no_missing_model(tmp_path: Path) -> None:
    problem = {"type": "urn:modelops:problem:digest-mismatch", "detail": "the artifact is damaged in the store"}
    with pytest.raises(ModelRefusedError, match=f"cannot give {SHA256}: the artifact is damaged") as caught:
        fetch(tmp_path, lambda _: httpx.Response(422, json=problem))
    assert caught.value.reason is Reason.MODEL_DIGEST_MISMATCH


def test_outages_are_waited_for(tmp_path: Path) -> None:
    passing = Passing()

    def handler(_: httpx.Request) -> httpx.Response:
        if len(passing.pauses) == 0:
            raise httpx.ConnectError("refused")
        if len(passing.pauses) == 1:
            return httpx.Response(503, text="starting")
        if len(passing.pauses) == 2:
            raise httpx.RemoteProtocolError("cut")
        return httpx.Response(200, content=CONTENT)

    assert fetch(tmp_path, handler, clock=passing.clock()).read_bytes() == CONTENT
    assert passing.pauses == [0.5, 1.0, 2.0]


def test_waiting_ends_at_the_deadline_with_the_last_fault(tmp_path: Path) -> None:
    passing = Passing()
    with pytest.raises(ModelRefusedError, match=r"within 60 s: .*503: away") as caught:
        fetch(tmp_path, lambda _: httpx.Response(503, text="away"), clock=passing.clock())
    assert caught.value.reason is Reason.MODEL_MISSING
    assert 45 <= passing.seconds <= 60


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / f"{SHA256}.part").mkdir()
    with pytest.raises(ModelRefusedError, match="cannot be written: Is a directory"):
        fetch(tmp_path, lambda _: httpx.Response(200, content=CONTENT))


def configured(folder: Path) -> Path:
    tensor = {"name": "a", "datatype": "FP64"}
    models = [{"name": "delay", "type": "pmml", "sha256": SHA256, "inputs": [tensor], "outputs": [tensor]}]
    (folder / "models.json").write_text(json.dumps({"models": models}))
    return folder / "models.json"


def test_the_program_ends_with_12_and_says_why(tmp_path: Path) -> None:
    words = tmp_path / "termination-log"
    words.touch()
    arguments = [f"--config={configured(tmp_path)}", f"--models={tmp_path}", f"--termination-log={words}"]

    assert download.main(arguments, {}) == 12
    assert json.loads(words.read_text()) == {
        "reason": "ModelMissing",
        "message": "MODELOPS_ARTIFACT_STORE_URL is not set",
    }
    (tmp_path / SHA256).write_bytes(CONTENT)
    assert download.main(arguments, {"MODELOPS_ARTIFACT_STORE_URL": "http://127.0.0.1:9"}) == 0


def answering(asked: list[str]) -> type[BaseHTTPRequestHandler]:
    """The store, which answers as a proxy just the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def ended(folder: Path, url: str) -> int:
    """How the program ends that fetches the model from there."""
    arguments = [f"--config={configured(folder)}", f"--models={folder}", "--seconds=1"]
    return download.main([*arguments, f"--termination-log={folder / 'words'}"], {"MODELOPS_ARTIFACT_STORE_URL": url})


def test_a_store_of_ones_own_authority_is_trusted_by_the_given_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, certificate = https.authority(tmp_path / "certificates")
    (tmp_path / "words").touch()
    with https.serving(answering([]), certificate=certificate) as address:
        assert ended(tmp_path, f"https://{address}") == 12
        assert "CERTIFICATE_VERIFY_FAILED" in (tmp_path / "words").read_text()
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert ended(tmp_path, f"https://{address}") == 0


def test_a_store_outside_is_reached_by_the_proxy_and_one_at_a_private_address_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with https.serving(answering(asked)) as address:
        monkeypatch.setenv("http_proxy", f"http://{address}")
        assert ended(tmp_path, "http://models.example.com") == 0
        (tmp_path / SHA256).unlink()
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert ended(tmp_path, f"http://{address}") == 0
    path = f"/v1/artifacts/{SHA256}"
    assert asked == [f"http://models.example.com{path}", path]


def test_the_download_starts_without_numpy() -> None:
    """It stands before every scoring service, and half a second of imports would be the longest part of it."""
    program = "import sys, scheduler.serving.download; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
