"""How the git program reaches its server: by the certificates and the proxy that this process was given."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scheduler.errors import UnavailableError
from scheduler.jobs.git_source import GitServer
from scheduler.jobs.order import GitPlace
from tests.unit import https, world
from tests.unit.jobs.test_git_source import git, write_ir

pytestmark = pytest.mark.timeout(60)
PLACE = GitPlace(path="meters.git", ref="main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    root: Path
    asked: list[str] = field(default_factory=list)
    """First line of every request."""


@pytest.fixture(name="repositories")
def one_repository(tmp_path: Path) -> Repositories:
    """One that holds the example IR."""
    repository = tmp_path / "root" / "meters.git"
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch=main", ".")
    write_ir(repository)
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "main")
    return Repositories(root=repository.parent)


def served(repositories: Repositories) -> type[BaseHTTPRequestHandler]:
    """git's own server of them; it answers as a proxy just the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def do_CONNECT(self) -> None:
            repositories.asked.append(self.requestline)
            self.send_error(502)

        def _answer(self, body: bytes) -> None:
            repositories.asked.append(self.requestline)
            url = urlsplit(self.path)
            variables = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(repositories.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            made = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=True)
            content = made.stdout.partition(b"\r\n\r\n")[2]
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n" % len(content) + made.stdout)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def test_a_server_of_ones_own_authority_is_trusted_by_the_given_certificates(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, certificate = https.authority(tmp_path / "certificates")
    with https.serving(served(repositories), certificate=certificate) as address:
        server = GitServer(base_url=f"https://{address}", seconds=20)
        with pytest.raises(UnavailableError, match="certificate"):
            server.load(PLACE)
        monkeypatch.setenv("GIT_SSL_CAINFO", str(trusted))
        assert server.load(PLACE)[0].digest == world.LOADED.digest


def test_a_server_outside_is_reached_by_the_proxy(repositories: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    with https.serving(served(repositories)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy}")
        loaded, _ = GitServer(base_url="http://git.example.com", seconds=20).load(PLACE)
    assert loaded.digest == world.LOADED.digest
    assert all(" http://git.example.com/meters.git/" in line for line in repositories.asked)


def test_a_server_outside_with_tls_is_reached_through_the_proxy(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    with https.serving(served(repositories)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        with pytest.raises(UnavailableError):
            GitServer(base_url="https://git.example.com", seconds=20).load(PLACE)
    assert repositories.asked == ["CONNECT git.example.com:443 HTTP/1.1"]


def test_the_proxy_is_not_asked_for_a_private_address(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with https.serving(served(repositories)) as address:
        assert GitServer(base_url=f"http://{address}", seconds=20).load(PLACE)


def test_the_proxy_is_not_asked_for_what_is_excepted(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    with https.serving(served(repositories)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy}")
        monkeypatch.setenv("no_proxy", ".invalid")
        with pytest.raises(UnavailableError):
            GitServer(base_url="http://git.invalid", seconds=20).load(PLACE)
    assert repositories.asked == []
